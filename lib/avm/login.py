"""A FRITZ!Box's login: its challenge, and the answer to it by PBKDF2 or MD5.

    info = SessionInfo()
    info.feed(body)                  # of TARGET
    if info.end() and not info.sid:  # else it is the session's id, 16 hex digits
        info.block_s                 # to wait for, after a wrong password
        answer = Answer(info.challenge, password, first)
        while not answer.step(32):   # rounds; an ESP32 needs some 1.2 ms for one, an ESP8266 3 ms
            ...
        answer.text                  # for TARGET + "&username=...&response=" + answer.text

FRITZ!OS 7.24 and later ask with "2$iterations$salt$iterations$salt" for two PBKDF2-HMAC-SHA256,
one on top of the other. The first is always the same for a user and his password, and by far the
longest (60,000 rounds; the second 6,000): `first` may be kept, as secret as the password is,
together with `salt`, which says what it belongs to. Older ones want MD5. AVM's "Session IDs in
FRITZ!OS" has both.
"""

import binascii

from micropython import const
from pbkdf2 import Pbkdf2

from .devices import whole_number
from .xml import Xml

TARGET = "/login_sid.lua?version=2"

_NO_SESSION = "0000000000000000"
_MOST_ROUNDS = const(500000)
_LONGEST_BLOCK_S = const(86400)
_SIMPLE = b"$0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class ChallengeError(Exception):
    """A challenge that cannot be answered."""


class SessionInfo(Xml):
    """Reads one answer of login_sid.lua after the other."""

    _root = b"SessionInfo"

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """The next answer."""
        Xml.begin(self)
        self.sid = ""  # of the session; "" without one
        self.challenge = ""
        self.block_s = 0  # seconds in which no login is taken

    def end(self) -> bool:
        """Whether the answer was whole; if not, `error` says why."""
        if Xml.end(self) and not (self.sid or self.challenge):
            self._fail("has no challenge")
        if self.error:
            self.sid = self.challenge = ""
            self.block_s = 0
        return not self.error

    def _ends(self, name: bytes, text: bytes) -> None:
        if len(self._open) != 2:
            return
        if name == b"BlockTime":
            self.block_s = min(max(0, whole_number(text) or 0), _LONGEST_BLOCK_S)
        elif name == b"Challenge":
            self.challenge = _simple(text)
        elif name == b"SID":
            sid = _simple(text)
            if len(sid) != len(_NO_SESSION) or "$" in sid:
                self._fail("has no session")
            elif sid != _NO_SESSION:
                self.sid = sid


class Answer:
    """The answer to one challenge, in steps."""

    text = ""  # what the box wants to hear; "" until it is known
    salt = ""  # what `first` belongs to; "" where there is none
    _step2: tuple = ()  # salt and rounds

    def __init__(self, challenge: str, password: str, first: bytes | None = None) -> None:
        """first: of an answer with the same `salt` and password. Raises ChallengeError."""
        self.first = first
        self._derive = None
        self._password = password
        self._challenge = challenge
        if challenge[:2] != "2$":
            return
        parts = challenge.split("$")
        try:
            rounds1, rounds2 = [whole_number(parts[place].encode()) or 0 for place in (1, 3)]
            salt1, salt2 = [binascii.unhexlify(parts[place]) for place in (2, 4)]
        except (IndexError, ValueError):
            raise ChallengeError("its challenge is none that is known")
        if not (0 < rounds1 <= _MOST_ROUNDS and 0 < rounds2 <= _MOST_ROUNDS) or len(parts) > 5:
            raise ChallengeError("its challenge is none that is known")
        self.salt = "%s$%s" % (parts[1], parts[2])
        self._step2 = (salt2, rounds2)
        if first is None:
            self._derive = Pbkdf2(password.encode(), salt1, rounds1)

    def step(self, rounds: int) -> bool:
        """Go on with at most so many rounds; whether the answer is known."""
        if self.text:
            return True
        if not self.salt:
            self.text = md5_answer(self._challenge, self._password)
            return True
        if self._derive is None:
            self._derive = Pbkdf2(self.first or b"", *self._step2)
        if not self._derive.step(rounds):
            return False
        found = self._derive.digest()
        self._derive = None
        if self.first is None:
            self.first = found
            return False
        salt = self._challenge.split("$")[4]
        self.text = "%s$%s" % (salt, binascii.hexlify(found).decode())
        return True


def md5_answer(challenge: str, password: str) -> str:
    """The answer before FRITZ!OS 7.24; characters beyond 255 are hashed as a dot."""
    import md5

    text = bytearray()
    for character in "%s-%s" % (challenge, password):
        code = ord(character)
        text.append(code if code < 256 else 0x2E)
        text.append(0)  # UTF-16, the low byte first
    return "%s-%s" % (challenge, binascii.hexlify(md5.digest(bytes(text))).decode())


def _simple(text: bytes) -> str:
    """A text of letters, digits and $; "" for any other."""
    for byte in text:
        if not (
            0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A or byte == 36
        ):
            return ""
    return text.decode()
