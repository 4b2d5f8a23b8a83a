"""The page of updates, and its routes: /update on whatever server of the house.

    updates = Updates(board, store)
    page = Page(updates, auth.may_write, board, store)
    page.routes(pages); server.streams = routes.UPDATES[:1]      # or page.answer(request) for each

| request                  | what                                                               |
|--------------------------|--------------------------------------------------------------------|
| GET /update              | the page, with a form for the file and a bar                       |
| GET /update.js           | its script                                                         |
| GET /api/update          | version, made, board, problem: why there can be none, size, written |
| POST /update[?force=1]   | the file itself: {"version": ...} that starts next, or {"problem"}   |

Where may_write(request) refuses, nothing is read. From the access point there is none of it:
is_guest(request). updates.ready is the version that waits for the restart, which is others';
done() is called then.
"""

from updatefile import UpdateError

from .. import COMPILED, VERSION
from ..web import routes
from . import KEY, TO, slots
from .receive import Updates, reading

_STATUS = (("busy", 409), ("trial", 409), ("stalled", 408), ("cut", 408))
_NOTHING = {"problem": "there is nothing at this address"}, 404
_HTML = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>JouleLog: update</title>
<h1>Update</h1><p id="now"></p>
<form id="login"><label>Password <input type="password" id="password"></label>
<button>Log in</button></form>
<form id="send" hidden><p><input type="file" id="file" accept=".update"></p>
<p><label><input type="checkbox" id="force"> also an older version</label></p>
<p><button>Update</button></p><progress id="bar" max="1" value="0"></progress></form>
<p id="told" role="status"></p><script src="/update.js"></script></html>"""
_SCRIPT = """"use strict";
const at = (id) => document.getElementById(id);
let csrf = "", known = true, before = "";
const tell = (text) => { at("told").textContent = text; };
const ask = async (path, body) => {
  const how = body && {method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body)};
  const answer = await fetch(path, how);
  return answer.json();
};
const show = () => {
  at("login").hidden = !!csrf;
  at("send").hidden = !csrf;
};
const look = async () => {
  const found = await ask("/api/update");
  at("now").textContent = found.board + ", version " + found.version + " of " + found.made;
  if (found.problem) tell(found.problem);
  return found.version + found.made;
};
const start = async () => {
  const session = await ask("/api/session");
  csrf = session.csrf;
  known = session.password;
  if (!known) tell("There is no password yet: choose one.");
  show();
  before = await look();
};
at("login").onsubmit = async (event) => {
  event.preventDefault();
  const path = known ? "/api/login" : "/api/password";
  const answer = await ask(path, {password: at("password").value});
  csrf = answer.csrf || "";
  tell(answer.problem || "");
  show();
};
const back = async (version) => {
  for (let tries = 0; tries < 120; tries++) {
    await new Promise((done) => setTimeout(done, 1000));
    try {
      const found = await ask("/api/update");
      if (found.version + found.made !== before) {
        await start();
        tell("Version " + found.version + " runs.");
        return;
      }
    } catch (_) { /* it starts */ }
  }
  tell("The board is not back with version " + version + ": its log says more.");
};
at("send").onsubmit = (event) => {
  event.preventDefault();
  const file = at("file").files[0];
  if (!file) { tell("Choose a file first."); return; }
  const request = new XMLHttpRequest();
  request.open("POST", "/update" + (at("force").checked ? "?force=1" : ""));
  request.setRequestHeader("X-CSRF-Token", csrf);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.onprogress = (sent) => { at("bar").value = sent.loaded / sent.total; };
  request.onerror = () => tell("The connection ended: try again.");
  request.onload = () => {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch (_) { /* none of ours */ }
    if (answer.version) {
      tell("Version " + answer.version + " starts.");
      back(answer.version);
    } else {
      tell(answer.problem || "The board did not answer.");
    }
  };
  tell("Sending.");
  request.send(file);
};
start();
"""


def of(board, store, latest, *about) -> "Page":
    """The page and what it shows, for who has no use for that; about: of Page, behind updates."""
    return Page(Updates(board, store, latest), about[0], board, store, *about[1:])


class Page:
    """See the module's text."""

    def __init__(self, updates, may_write, board, store, is_guest=None, done=None) -> None:
        self._updates = updates
        self._may_write = may_write
        self._board = board
        self._store = store
        self._is_guest = is_guest
        self._done = done

    def routes(self, router) -> None:
        """Register them."""
        routes.of_updates(router, self.answer)

    async def answer(self, request):
        """What is answered to any of the four."""
        if self._is_guest and self._is_guest(request):
            return _NOTHING
        if request.method == "POST":
            return await self._take(request)
        if request.path == "/update":
            return _HTML, 200, {"Content-Type": "text/html; charset=utf-8"}
        if request.path == "/update.js":
            return _SCRIPT, 200, {"Content-Type": "text/javascript"}
        return self._tell()

    def _tell(self) -> dict:
        updates = self._updates
        problem = updates.problem
        try:
            slots.other(self._board, self._store)
        except UpdateError as error:
            problem = error.args[1]
        trial = self._store.get(KEY)
        return {
            "board": self._board.NAME,
            "version": VERSION,
            "made": COMPILED,
            "problem": problem,
            "size": updates.size,
            "written": updates.written(),
            "next": trial[TO] if trial else "",
        }

    async def _take(self, request):
        refusal = self._may_write(request)
        if refusal:
            return refusal
        stream = request.g.stream
        forced = request.args.get("force") == "1"
        try:
            version = await self._updates.take(reading(stream.read), stream.length, forced)
        except UpdateError as error:
            status = 422
            for name, other in _STATUS:
                if name == error.args[0]:
                    status = other
            return {"problem": error.args[1], "name": error.args[0]}, status
        if self._done:
            self._done()
        return {"version": version}
