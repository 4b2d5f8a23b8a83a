"""HTTP logins: Basic (RFC 7617) and Digest (RFC 7616, with SHA-256 or MD5), without I/O.

    login = Login("admin", "secret", os.urandom)
    login.header("GET", "/rpc/Shelly.GetStatus")    # None: nobody has asked for one yet
    login.refused(['Digest realm="plus1", nonce="60d8", qop="auth", algorithm=SHA-256'])
    login.header("GET", "/rpc/Shelly.GetStatus")    # 'Digest username="admin", ...'
    login.refused([...])                            # False: user or password are wrong

The challenges are the values of a 401's WWW-Authenticate headers. The strongest that is known is
taken: SHA-256, then MD5, then Basic. A nonce is used for the requests that follow, and counted;
where a server finds it stale, or has a new one each time, there is one more try with the new one.
No text here holds the user or the password.
"""

import binascii
import hashlib

import md5
from micropython import const

_LONGEST = const(512)  # characters of a challenge
_NEEDED = ("realm", "nonce")
_ALGORITHMS = ("MD5", "SHA-256")


class Login:
    """A user, and what a server wants to know of it."""

    def __init__(self, user: str, password: str, random) -> None:
        """random: a function, so many bytes -> random ones."""
        self._user = user
        self._password = password
        self._random = random
        self._asked: dict | None = None  # the challenge that is answered; {}: Basic
        self._sent = False  # an answer to it went out, and nothing good was heard of it yet
        self._taken = False  # the server took an answer to it before
        self._count = 0  # requests with this nonce

    def header(self, method: str, target: str) -> str | None:
        """The value of Authorization for a request; None while no server asked for one.

        target: path and query, as they stand in the request.
        """
        asked = self._asked
        if asked is None:
            return None
        if not self._taken:
            self._sent = True
        if not asked:
            pair = (self._user + ":" + self._password).encode()
            return "Basic " + binascii.b2a_base64(pair).decode().strip()
        self._count += 1
        own = binascii.hexlify(self._random(8)).decode()
        return _answer(asked, self._user, self._password, method, target, self._count, own)

    def accepted(self) -> None:
        """The server took it: a later refusal is about the nonce, and worth a new try."""
        self._taken = True
        self._sent = False

    def refused(self, challenges: list) -> bool:
        """The server answered 401 with these: whether a new try is worth it."""
        sent = self._sent
        found = _strongest(challenges)
        if not self._asked or not found or self._asked.get("nonce") != found.get("nonce"):
            self._count = 0  # with the same nonce a number that was used is not taken again
        self._asked = found
        self._sent = self._taken = False
        return found is not None and (not sent or found.get("stale", "").lower() == "true")


def _strongest(challenges: list) -> dict | None:
    """The parameters of the best challenge; {} for Basic, None where none is known."""
    best = None
    for challenge in challenges:
        for scheme, fields in _parse(challenge[:_LONGEST]):
            if scheme == "basic" and best is None:
                best = {}
            elif scheme == "digest" and _strength(fields) > (_strength(best) if best else -1):
                best = fields
    return best


def _strength(fields: dict) -> int:
    """0: MD5, 1: SHA-256; -1: it cannot be answered."""
    for name in _NEEDED:
        if name not in fields:
            return -1
    if "qop" in fields and "auth" not in _words(fields["qop"]):
        return -1
    name = fields.get("algorithm", "MD5").upper()
    if name[-5:] == "-SESS":
        name = name[:-5]
    return _ALGORITHMS.index(name) if name in _ALGORITHMS else -1


def _words(text: str) -> list:
    return [word.strip().lower() for word in text.split(",")]


def _answer(asked: dict, user, password, method, target, count: int, own: str) -> str:
    """RFC 7616, section 3.4."""
    algorithm = asked.get("algorithm", "MD5")
    strong = _strength(asked)
    realm, nonce = asked["realm"], asked["nonce"]
    secret = _hash(strong, user + ":" + realm + ":" + password)
    if algorithm.upper()[-5:] == "-SESS":
        secret = _hash(strong, secret + ":" + nonce + ":" + own)
    request = _hash(strong, method + ":" + target)
    hidden = asked.get("userhash", "").lower() == "true"
    name = _hash(strong, user + ":" + realm) if hidden else user
    number = "%08x" % count
    if "qop" in asked:
        told = ":".join((secret, nonce, number, own, "auth", request))
        more = ', qop=auth, nc=%s, cnonce="%s"' % (number, own)
    else:  # RFC 2069, which some devices still speak
        told = ":".join((secret, nonce, request))
        more = ', cnonce="%s"' % own if algorithm.upper()[-5:] == "-SESS" else ""
    if "algorithm" in asked:
        more += ", algorithm=" + algorithm
    if "opaque" in asked:
        more += ", opaque=" + _quoted(asked["opaque"])
    if hidden:
        more += ", userhash=true"
    shown = (_quoted(name), _quoted(realm), _quoted(nonce), _quoted(target))
    answer = "Digest username=%s, realm=%s, nonce=%s, uri=%s" % shown
    return answer + ', response="%s"' % _hash(strong, told) + more


def _hash(strong: int, text: str) -> str:
    data = text.encode()
    found = hashlib.sha256(data).digest() if strong else md5.digest(data)
    return binascii.hexlify(found).decode()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _parse(challenge: str) -> list:
    """[(scheme, {name: value})] of a header, which may hold several (RFC 9110, 11.6.1)."""
    found: list = []
    at = 0
    size = len(challenge)
    while at < size:
        word, at = _token(challenge, at)
        if not word:
            at += 1  # a blank or a comma between two; or what belongs nowhere
            continue
        after = at
        while after < size and challenge[after] == " ":
            after += 1
        if after < size and challenge[after] == "=" and found:
            value, at = _value(challenge, after + 1)
            found[-1][1].setdefault(word.lower(), value)
        else:
            found.append((word.lower(), {}))
    return found


def _token(text: str, at: int) -> tuple:
    begin = at
    while at < len(text) and text[at] not in ' ,="\t':
        at += 1
    return text[begin:at], at


def _value(text: str, at: int) -> tuple:
    while at < len(text) and text[at] == " ":
        at += 1
    if text[at : at + 1] != '"':
        return _token(text, at)
    parts = []
    at += 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 1
        parts.append(text[at : at + 1])
        at += 1
    return "".join(parts), at + 1
