// Where the button works the commands are folded away; the chosen board is told to screen readers.
// All else works without this: choices are links, and style.css shows the board that is meant.

"use strict";

const canInstall = "serial" in navigator && window.isSecureContext;

function choose() {
  for (const link of document.querySelectorAll(".choices a")) {
    if (link.hash === location.hash) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  document.querySelector(".board:target h2")?.focus({ preventScroll: true });
}

for (const commands of document.querySelectorAll(".board details")) commands.open = !canInstall;
window.addEventListener("hashchange", choose);
choose();
