/* Elements in few words: make("p", { className: "hint" }, "text", child). Text stays text. */

type Child = Node | string | false | undefined;

export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  about: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(name), about);
  element.append(...children.filter((one): one is Node | string => !!one));
  return element;
}

/** A button that is no form's. */
export function button(text: string, pressed: () => void, className = ""): HTMLButtonElement {
  return make("button", { type: "button", className, onclick: pressed }, text);
}

/** What a SCHEMA text or a problem says: `words` in backticks are code. */
export function prose(text: string): Node[] {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : new Text(part)));
}
