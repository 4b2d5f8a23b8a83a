"""Set-up as plain HTML forms: where a browser runs no scripts, and in images without the page.

    plain.Plain(portal).routes(app)       # /plain and below; portal: setup/portal.py

Fields come from the SCHEMA texts: a choice is a list, a secret a password field, everything else a
text that is read by its type. What is left empty is not set. A problem stands above the form in
the schema's words.
"""

import json

from ..config import schema, tables
from ..config.edit import LISTS

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">%s
<title>JouleLog</title><link rel="stylesheet" href="/plain.css"><h1>JouleLog</h1>"""
_STYLE = """:root{color-scheme:light dark}
body{font:16px/1.5 sans-serif;max-width:34em;margin:0 auto;padding:1em}
label{display:block;margin:.6em 0}
input,select,button{font:inherit;padding:.3em}
input,select{width:100%;box-sizing:border-box}
small{display:block;opacity:.7}
.problem{color:#c22}
"""
_REFRESH = '<meta http-equiv="refresh" content="3;url=/plain">'
_PUNCTUATION = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;"))


class Plain:
    """The forms, each a page."""

    def __init__(self, portal, session) -> None:
        """session(request): whose token the forms have to hold; None: they need none."""
        self._portal = portal
        self._session = session

    def routes(self, router) -> None:
        """Register them."""
        router.get("/plain")(self._home)
        router.get("/plain.css")(self._style)
        router.post("/plain/wifi")(self._wifi)
        router.get("/plain/add")(self._add)
        router.post("/plain/add")(self._added)
        router.post("/plain/remove")(self._removed)
        router.post("/plain/restart")(self._restart)

    async def _style(self, _request):
        return _STYLE, 200, {"Content-Type": "text/css"}

    async def _home(self, request):
        return await self._home_page(request), 200, _HTML

    async def _home_page(self, request, problems=None):
        """problems: of a form that was sent; then nobody looks for networks again."""
        portal = self._portal
        state = await portal.state()
        networks: list = []
        if problems is None and not state["trying"]:
            networks = await portal.networks()
        shown = {}
        if not state["trying"] and not state["only_wifi"]:
            shown = await portal.editor.shown()
        return self._home_text(request, state, networks, shown, problems or ())

    def _home_text(self, request, state: dict, networks: list, shown: dict, problems):
        portal = self._portal
        yield _HEAD % (_REFRESH if state["trying"] else "")
        if state["safe"]:
            yield _said(("Safe mode: no meter is read.",) + tuple(state["safe"].split("\n")))
        yield _said(problems)
        if state["address"]:
            yield "<p>In the Wi-Fi %s: <b>http://%s/</b></p>" % (
                escape(state["ssid"]),
                state["address"],
            )
        elif state["trying"]:
            yield "<p>Trying the Wi-Fi %s…</p>" % escape(state["ssid"])
            return
        if state["problem"]:
            yield _said([state["problem"]])
        yield '<h2>Wi-Fi</h2><form method="post" action="/plain/wifi">' + self._hidden(request)
        yield '<datalist id="networks">'
        for name, _, _ in networks:
            yield '<option value="%s">' % escape(name)
        yield "</datalist>"
        yield from _fields((tables.WIFI,), {}, {"ssid": "networks"})
        yield "<button>Join</button></form>"
        if state["only_wifi"]:
            return
        for section, table in LISTS:
            yield "<h2>%s</h2>" % ("Meters" if section == "readers" else "Destinations")
            for index, entry in enumerate(shown.get(section) or ()):
                yield '<form method="post" action="/plain/remove">' + self._hidden(request)
                yield '<input type="hidden" name="section" value="%s">' % section
                yield '<input type="hidden" name="index" value="%d">' % index
                yield "<p>%s <button>Remove</button></p></form>" % escape(_summary(entry))
            yield "<p>Add: "
            for name in portal.types(table):
                yield '<a href="/plain/add?section=%s&amp;type=%s">%s</a> ' % (section, name, name)
            yield "</p>"
        yield '<form method="post" action="/plain/restart">' + self._hidden(request)
        ready = "Start" if state["usable"] else "Start (a meter is missing or wrong)"
        yield "<p><button>%s</button></p></form>" % ready

    async def _wifi(self, request):
        refusal = self._refusal(request)
        if refusal:
            return refusal
        problems = await self._portal.join(decoded((tables.WIFI,), request.g.fields))
        page = await self._home_page(request, problems)
        return page, 422 if problems else 200, _HTML

    async def _add(self, request):
        section, kind = _text(request.args, "section"), _text(request.args, "type")
        texts = await self._portal.texts(section, kind)
        if not texts:
            return "no such type", 404
        return self._form(request, section, kind, texts, {}, ()), 200, _HTML

    def _form(self, request, section: str, kind: str, texts: tuple, given: dict, problems):
        yield _HEAD % ""
        yield "<h2>%s</h2>" % escape(kind) + _said(problems)
        yield '<form method="post" action="/plain/add?section=%s&amp;type=%s">' % (section, kind)
        yield self._hidden(request)
        yield from _fields(texts, given, {})
        yield '<button>Add</button> <a href="/plain">Back</a></form>'

    async def _added(self, request):
        refusal = self._refusal(request)
        if refusal:
            return refusal
        section, kind = _text(request.args, "section"), _text(request.args, "type")
        texts = await self._portal.texts(section, kind)
        if not texts:
            return "no such type", 404
        entry = decoded(texts, request.g.fields)
        entry["type"] = kind
        problems = await self._portal.editor.save_with(
            section, lambda found: _meters(found) + [entry]
        )
        if problems:
            return self._form(request, section, kind, texts, entry, problems), 422, _HTML
        return "", 303, {"Location": "/plain"}

    async def _removed(self, request):
        refusal = self._refusal(request)
        if refusal:
            return refusal
        form = request.g.fields
        section, index = _text(form, "section"), _text(form, "index")
        problems = []
        if index.encode().isdigit() and section in [name for name, _ in LISTS]:
            problems = await self._portal.editor.save_with(
                section, lambda found: _without(found, int(index))
            )
        if problems:
            return await self._home_page(request, problems), 422, _HTML
        return "", 303, {"Location": "/plain"}

    async def _restart(self, request):
        refusal = self._refusal(request)
        if refusal:
            return refusal
        self._portal.finished = True
        return _HEAD % "" + "<p>The board starts with what is set.</p>", 200, _HTML

    def _refusal(self, request):
        refusal = self._portal.may_write(request)
        if refusal:
            text = escape(refusal[0]["problem"])
            return _HEAD % "" + '<p class="problem">%s</p>' % text, refusal[1], _HTML

    def _hidden(self, request) -> str:
        session = self._session(request)
        return '<input type="hidden" name="csrf" value="%s">' % session.csrf if session else ""


def escape(text) -> str:
    """A text as it may stand in HTML, between quotes as well."""
    text = str(text)
    for sign, name in _PUNCTUATION:
        text = text.replace(sign, name)
    return text


def decoded(texts: tuple, form) -> dict:
    """The fields of a form as values, by their types; what is empty is left out.

    What cannot be read by its type stays a text: the schema tells what is wrong with it.
    """
    found = {}
    for text in texts:
        for key, kind, _, _ in schema.rows(text):
            given = _text(form, key)
            if given and key not in found:
                found[key] = _value(kind, given)
    return found


def _value(kind: str, text: str):
    word = kind.split(" ")[0]
    if word in ("text", "name", "label", "host", "secret", "url", "path", "source"):
        return text
    if word in ("address", "zone"):
        return text
    if word == "bool":
        return {"true": True, "false": False}.get(text, text)
    if word in ("list", "dict"):
        try:
            return json.loads(text)
        except ValueError:
            return [part.strip() for part in text.split(",")] if word == "list" else text
    if text.lstrip("-").encode().isdigit():  # int, pin, uart, bus, a choice of digits
        return int(text)
    return text


def _meters(entries) -> list:
    """Those that are set; a simulated meter, which the shipped config has, is none."""
    found = entries or []
    return [e for e in found if "sim" not in (e.get("uart"), e.get("pin"), e.get("host"))]


def _without(entries, index: int) -> list:
    """All but one, where there is that one."""
    found = list(entries or ())
    return found[:index] + found[index + 1 :]


def _text(form, key: str) -> str:
    found = form.get(key)
    return found if isinstance(found, str) else ""


def _said(problems) -> str:
    return "".join(['<p class="problem">%s</p>' % escape(line) for line in problems])


def _summary(entry: dict) -> str:
    words = [str(entry[key]) for key in ("name", "type", "host", "url", "uart") if key in entry]
    return ", ".join(words)


def _fields(texts: tuple, given: dict, lists: dict):
    """Yield a field per row; lists: key -> the list of suggestions that it has."""
    done = []
    for text in texts:
        for key, kind, default, about in schema.rows(text):
            if key in done or key == "type":
                continue
            done.append(key)
            known = given.get(key, "")
            known = known if isinstance(known, str) else json.dumps(known)
            yield "<label>%s%s" % (escape(key), " *" if default == "required" else "")
            yield _field(key, kind.split(" "), known, default, lists.get(key))
            yield "<small>%s</small></label>" % escape(about)


def _field(key: str, kind: list, known: str, default: str, suggested: str | None) -> str:
    words = ["true", "false"] if kind[0] == "bool" else kind[1:] if kind[0] == "choice" else ()
    if words:
        options = ['<option value="">(%s)</option>' % escape(default)]
        for word in words:
            chosen = " selected" if word == known else ""
            options.append("<option%s>%s</option>" % (chosen, escape(word)))
        return '<select name="%s">%s</select>' % (key, "".join(options))
    hidden = kind[0] == "secret"
    more = ' list="%s"' % suggested if suggested else ""
    if default not in ("required", "null", '""') and not hidden:
        more += ' placeholder="%s"' % escape(default)
    return '<input name="%s" type="%s" value="%s"%s>' % (
        key,
        "password" if hidden else "text",
        "" if hidden else escape(known),
        more,
    )
