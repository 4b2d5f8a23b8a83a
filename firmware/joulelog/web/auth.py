"""Who may write: one password, sessions by cookie, and pages of other sites kept out.

    auth = Auth(store, os.urandom, clock.uptime_ms, hosts=["joulelog-1a2b.local"],
                place=lambda address: "point" or "lan", on_point={"/", "/wifi"})
    auth.routes(pages)                    # /api/session, /api/login, /api/logout, /api/password

    async def save(request):            # a handler of others
        refusal = auth.may_write(request)
        if refusal:
            return refusal

From the access point there is what on_point names, and nothing else. On the LAN the Host asked for
is an IPv4 address or one of hosts: a page elsewhere that has its name lead here (DNS rebinding)
gets nothing. Whatever writes has an Origin, or a Referer, of that same Host, the session's cookie
and its token, in the header X-CSRF-Token or the form's field csrf. There are no CORS headers.

    GET  /api/session    {"password": whether there is one, "csrf": "" without a session}
    POST /api/password   {"password": the first one}, then {"password": new, "old": old}; ends the
                         other sessions
    POST /api/login      {"password": …}: {"csrf": …}, and the cookie
    POST /api/logout

JSON or forms; a refusal is {"problem": what to do}. Sessions live in RAM: a restart ends them.
"""

import binascii
import logging

from httphead import Refused
from micropython import const
from pbkdf2 import equal

from . import routes
from .password import ROUNDS, Password

_SESSIONS = const(8)
_IDLE_MS = const(1800000)
_LONGEST_MS = const(43200000)
_COOKIE = "joulelog"
_ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d"


def refusal(reason) -> tuple:
    """What a handler returns for a Refused."""
    headers = {}
    if len(reason.args) > 2:
        headers["Retry-After"] = "%d" % reason.args[2]
    return {"problem": reason.args[1]}, reason.args[0], headers


class _Session:
    def __init__(self, token: str, csrf: str, now_ms: int) -> None:
        self.token = token
        self.csrf = csrf
        self.made_ms = now_ms
        self.used_ms = now_ms


class Auth:
    """See the module's text."""

    logins = 0
    refused = 0  # requests that may not

    def __init__(
        self, store, random, now_ms, hosts=(), place=None, on_point=(), rounds: int = ROUNDS
    ) -> None:
        """place: of a client's address; without it all are on the LAN."""
        self.password = Password(store, random, now_ms, rounds)
        self._random = random
        self._now_ms = now_ms
        self._hosts = hosts
        self._place = place
        self._on_point = on_point
        self._sessions: list = []
        self._patterns: list = []

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (
            ("logins", self.logins),
            ("refused", self.refused),
            ("wrong_passwords", self.password.wrong),
            ("too_many_tries", self.password.tries.refused),
        )

    def routes(self, pages) -> None:
        """Put it into an application of microdot's."""
        self._patterns = pages.url_map
        pages.before_request(self.gate)
        pages.error_handlers[405] = self._no_method  # microdot asks no gate before that
        pages.get("/api/session")(self._tell)
        pages.post("/api/login")(self._log_in)
        pages.post("/api/logout")(self._log_out)
        pages.post("/api/password")(self._set_password)

    def origin_of(self, request) -> str:
        """ "point" or "lan": where a request comes from."""
        return self._place(request.client_addr[0]) if self._place else "lan"

    async def gate(self, request):
        """Before each handler: None, or what is answered instead."""
        if self.origin_of(request) == "point":
            if request.path not in self._on_point:
                return {"problem": "there is nothing at this address"}, 404
        elif not self._is_ours(_host(request)):
            return self._refuse(403, "ask for the board by its address, or by its name in .local")

    def same_site(self, request):
        """None where a page of the board's own has sent it, or what is answered instead."""
        host = _host(request)
        if not self._is_ours(host):
            return self._refuse(403, "ask for the board by its address, or by its name in .local")
        headers = request.headers
        came_from = headers.get("Origin") or headers.get("Referer") or ""
        if _site(came_from) != host:
            return self._refuse(403, "only the board's own pages may send this: reload the page")

    def session(self, request):
        """The session of a request, or None."""
        now = self._now_ms()
        self._sessions = [
            one
            for one in self._sessions
            if now - one.used_ms < _IDLE_MS and now - one.made_ms < _LONGEST_MS
        ]
        token = request.cookies.get(_COOKIE, "").encode()
        for one in self._sessions:
            if equal(one.token.encode(), token):
                one.used_ms = now
                return one

    def may_write(self, request):
        """None where a request may write, or what is answered instead."""
        found = self.same_site(request)
        if found:
            return found
        if not self.password.is_set():
            return self._refuse(403, "choose a password first: nothing is written without one")
        session = self.session(request)
        if not session:
            return self._refuse(401, "log in first; a restart of the board ends every login")
        token = request.headers.get("X-CSRF-Token") or request.g.fields.get("csrf")
        if not isinstance(token, str) or not equal(token.encode(), session.csrf.encode()):
            return self._refuse(403, "the page is older than its login: reload it")

    async def _tell(self, request):
        session = self.session(request)
        return {"password": self.password.is_set(), "csrf": session.csrf if session else ""}

    async def _log_in(self, request):
        found = self.same_site(request)
        if found:
            return found
        address = request.client_addr[0]
        try:
            await self.password.check(request.g.fields.get("password"), address)
        except Refused as reason:
            logging.getLogger("web").warning("no login from %s: %s", address, reason.args[1])
            return refusal(reason)
        logging.getLogger("web").info("login from %s", address)
        return self._begin()

    async def _log_out(self, request):
        found = self.may_write(request)
        if found:
            return found
        session = self.session(request)
        self._sessions.remove(session)
        return {}, 200, {"Set-Cookie": "%s=%s" % (_COOKIE, _ATTRIBUTES % 0)}

    async def _set_password(self, request):
        fields = request.g.fields
        address = request.client_addr[0]
        first = not self.password.is_set()
        found = self.same_site(request) if first else self.may_write(request)
        if found:
            return found
        try:
            if first:
                await self.password.choose(fields.get("password"))
            else:
                await self.password.check(fields.get("old"), address)
                await self.password.change(fields.get("password"))
        except Refused as reason:
            return refusal(reason)
        logging.getLogger("web").warning("a new password was set from %s", address)
        self._sessions = []
        return self._begin()

    def _begin(self) -> tuple:
        """A new session: what tells the browser of it."""
        self.logins += 1
        if len(self._sessions) >= _SESSIONS:
            self._sessions.remove(min(self._sessions, key=lambda one: one.used_ms))
        token, csrf = _token(self._random), _token(self._random)
        self._sessions.append(_Session(token, csrf, self._now_ms()))
        cookie = "%s=%s" % (_COOKIE, token) + _ATTRIBUTES % (_LONGEST_MS // 1000)
        return {"csrf": csrf}, 200, {"Set-Cookie": cookie}

    async def _no_method(self, request):
        if self.origin_of(request) == "point" and request.path not in self._on_point:
            return {"problem": "there is nothing at this address"}, 404
        headers = {"Allow": routes.methods(self._patterns, request.path)}
        return {"problem": "this address does not take that method"}, 405, headers

    def _is_ours(self, host: str) -> bool:
        """Whether somebody who asks for that name has not been led here by another's."""
        at = host.rfind(":")
        name = host[:at] if at >= 0 else host
        if name.endswith("."):
            name = name[:-1]
        for known in self._hosts:
            if name == known.lower():
                return True
        parts = name.split(".")
        return len(parts) == 4 and all(part.isdigit() and len(part) < 4 for part in parts)

    def _refuse(self, status: int, problem: str) -> tuple:
        self.refused += 1
        return {"problem": problem}, status


def _host(request) -> str:
    """The Host that a request asks for, as an Origin has it."""
    host = request.headers.get("Host", "").lower()
    return host[:-3] if host.endswith(":80") else host


def _site(url: str) -> str:
    """The same of an Origin or a Referer; "" of what is none."""
    parts = url.lower().split("/")
    if len(parts) < 3 or parts[0] != "http:" or parts[1]:
        return ""
    return parts[2][:-3] if parts[2].endswith(":80") else parts[2]


def _token(random) -> str:
    return binascii.hexlify(random(16)).decode()
