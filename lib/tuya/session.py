"""One connection to a Tuya device: its session key, what is asked, what comes back.

    session = Session(version, key, device_id, aes, random, receive)     # see __init__.py

Versions 3.1 and 3.3 use the local key itself, AES-128 in ECB mode under a CRC-32; 3.1 answers
without encryption, and only what it sends by itself is encrypted. 3.4 and 3.5 agree on a key per
connection: both sides send 16 random bytes, each proves by an HMAC of the other's that it has the
local key, and the session's key is the XOR of both, encrypted with that. 3.4 then is ECB under an
HMAC-SHA256, 3.5 AES-GCM. Tuya publishes no specification: see frame.py.

begin(), query(), heartbeat(), update() and feed() work in steps, which they yield, because GCM
takes a chip long: the caller runs them to their end, one at a time, and then sends taken().
receive(text) gets the JSON of whatever comes, which need not have all data points; it may be a
generator of such steps as well.
"""

import binascii

from crc32 import text as crc32_of
from micropython import const

from . import crypt, frame
from .frame import Framer

VERSIONS = ("3.1", "3.3", "3.4", "3.5")

_NONCE = const(16)
_HEADER = const(15)  # bytes of a version's header
_UNVALID = b"data unvalid"
_ANSWERS = (frame.QUERY, frame.QUERY_NEW, frame.CONTROL_NEW)
# Of these commands the text goes without the version's header.
_BARE = (
    frame.START,
    frame.ANSWER,
    frame.FINISH,
    frame.HEARTBEAT,
    frame.QUERY,
    frame.QUERY_NEW,
    frame.UPDATE,
)


class Session:
    """See the module's text."""

    # Of the class until they are counted.
    frames = 0  # that were right
    wrong_checks = 0  # CRC, HMAC or tag
    undecodable = 0
    heartbeats = 0  # that were answered
    texts = 0  # that receive() got
    answers = 0  # those of them that answer a query
    ready = False  # query() can be sent
    wrong_key = False  # its answers are sealed with another one
    other_version = False  # it answers in frames of another one
    refusal = b""  # the text of an answer that is no JSON
    device22 = False  # it wants to be told what it is asked for

    def __init__(self, version: str, key: bytes, device_id: str, aes, random, receive) -> None:
        """key: 16 bytes; aes(key, 1): its ECB mode, as cryptolib has it; random(count): bytes."""
        self.version = version
        self._key = key
        self._id = device_id
        self._aes = aes
        self._random = random
        self._receive = receive
        self.framer = Framer()
        self._out = b""

    def begin(self):
        """A new connection."""
        framer = self.framer
        self.framer = Framer()
        self.framer.garbage, self.framer.damaged = framer.garbage, framer.damaged
        self._out = b""
        self._sequence = 1
        self.wrong_key = self.other_version = False
        self._use(self._key)
        self.ready = self.version < "3.4"
        if not self.ready:
            self._nonce = self._random(_NONCE)
            yield from self._send(frame.START, self._nonce)

    def taken(self) -> bytes:
        """What is to be sent; it is taken away."""
        out = self._out
        self._out = b""
        return out

    def query(self, dps, now: int):
        """Ask for all values; dps: which, for a device that has to be told; now: Unix seconds."""
        who = '"devId":"%s","uid":"%s","t":"%d"' % (self._id, self._id, now)
        if self.device22:
            asked = ",".join(['"%d":null' % one for one in dps])
            return self._send(frame.CONTROL_NEW, ('{%s,"dps":{%s}}' % (who, asked)).encode())
        if self.version >= "3.4":
            return self._send(frame.QUERY_NEW, b"{}")
        return self._send(frame.QUERY, ('{"gwId":"%s",%s}' % (self._id, who)).encode())

    def heartbeat(self):
        """Tell it that there is somebody: it closes a silent connection."""
        text = "{}"
        if self.version < "3.4":
            text = '{"gwId":"%s","devId":"%s"}' % (self._id, self._id)
        return self._send(frame.HEARTBEAT, text.encode())

    def update(self, dps):
        """Have it measure these anew: some show old values else."""
        text = '{"dpId":[%s]}' % ",".join([str(one) for one in dps])
        return self._send(frame.UPDATE, text.encode())

    def feed(self, data):
        """What came, in pieces of any length."""
        self.framer.feed(data)
        while True:
            found = self.framer.next()
            if found is None:
                return
            text = yield from self._opened(found)
            if text is not None:
                yield from self._take(frame.command_of(found), text)
            yield

    def _take(self, command: int, text: bytes):
        """A frame that was right."""
        self.frames += 1
        if command == frame.ANSWER:
            if not self.ready:
                yield from self._agree(text)
        elif command == frame.HEARTBEAT:
            self.heartbeats += 1
        elif text[:1] == b"{":
            self.texts += 1
            if command in _ANSWERS or self.device22:  # which answers as if by itself
                self.answers += 1
                self.refusal = b""
            for _ in self._receive(text) or ():
                yield
        elif text and command in _ANSWERS:
            self.refusal = text[:40]
            if _UNVALID in text and self.version in ("3.3", "3.4"):
                self.device22 = True

    def _agree(self, text: bytes):
        """The device's half of the key exchange."""
        mac = crypt.hmac(self._pads, self._nonce)
        if len(text) != _NONCE + 32 or not crypt.same(text[_NONCE:], mac):
            self.wrong_key = True
            return
        theirs = text[:_NONCE]
        yield from self._send(frame.FINISH, crypt.hmac(self._pads, theirs))
        mixed = bytearray([self._nonce[at] ^ theirs[at] for at in range(_NONCE)])
        if self.version >= "3.5":
            from aes_gcm import GcmStream

            GcmStream(self._encrypt, self._nonce[: frame.NONCE]).encrypt(mixed, 0, _NONCE, mixed)
            self._use(bytes(mixed))
        else:
            self._use(self._encrypt(bytes(mixed)))
        self.ready = True

    def _use(self, key: bytes) -> None:
        """Seal with this key from now on."""
        self._encrypt = self._aes(key, 1).encrypt
        self._decrypt = self._aes(key, 1).decrypt
        self._pads = crypt.hmac_pads(key) if self.version >= "3.4" else ()
        self._gcm = None
        if self.version >= "3.5":
            from aes_gcm import GcmStream

            self._gcm = GcmStream(self._encrypt, bytes(frame.NONCE))

    def _send(self, command: int, text: bytes):
        """Add a frame to what is to be sent."""
        header = b""
        if command not in _BARE:
            header = self.version.encode() + bytes(_HEADER - 3)
        sequence = self._sequence
        self._sequence += 1
        if self._gcm is not None:
            nonce = self._random(frame.NONCE)
            body = bytearray(header + text)
            length = frame.NONCE + len(body) + frame.TAG
            head = frame.head_of(frame.GCM, sequence, command, length)
            self._gcm.restart(nonce, head[4:])
            yield from crypt.in_steps(self._gcm.encrypt, body)
            yield from self._gcm.finish()
            self._out += head + nonce + bytes(body) + self._gcm.made() + frame.GCM_END
            return
        if self.version >= "3.4":
            body = self._encrypt(crypt.padded(header + text))
        elif self.version >= "3.3":
            body = header + self._encrypt(crypt.padded(text))
        else:
            body = text
        length = len(body) + (36 if self._pads else 8)
        made = frame.head_of(frame.PLAIN, sequence, command, length) + body
        self._out += made + self._check(made) + frame.PLAIN_END

    def _check(self, made: bytes) -> bytes:
        """What stands behind a frame of the first kind."""
        if self._pads:
            return crypt.hmac(self._pads, made)
        return binascii.unhexlify(crc32_of(made))

    def _opened(self, found: bytes):
        """The text of a frame; None where it is not right, which is counted."""
        gcm = self._gcm
        if (found[2] == 0x66) != (gcm is not None):
            self.wrong_checks += 1
            self.other_version = True
            return None
        if gcm is not None:
            begin, end = frame.GCM_HEAD + frame.NONCE, len(found) - frame.TAG - 4
            body = bytearray(found[begin:end])
            gcm.restart(found[frame.GCM_HEAD : begin], found[4 : frame.GCM_HEAD])
            yield from crypt.in_steps(gcm.decrypt, body)
            yield from gcm.finish()
            right = gcm.fits(found[end:-4])
            body = bytes(body)
        else:
            end = len(found) - (36 if self._pads else 8)
            right = end >= frame.HEAD
            if right:
                right = crypt.same(self._check(found[:end]), found[end:-4])
            body = found[frame.HEAD : end]
        if not right:
            self.wrong_checks += 1
            self.wrong_key = self.wrong_key or not self.ready
            return None
        if body[:3] == b"\0\0\0":  # a return code
            body = body[4:]
        text = _without_header(body, b"3.5") if gcm else self._decrypted(body)
        if text is None:
            self.undecodable += 1
            self.wrong_key = True
        else:
            self.wrong_key = False
        return text

    def _decrypted(self, body: bytes) -> bytes | None:
        """The text of a body; None where another key, or nobody, has encrypted it."""
        version = self.version.encode()
        if not body or (version == b"3.1" and body[:1] == b"{"):
            return body
        if _is_plain(body) and body[:3] != b"3.1":  # a refusal; or the answers of a 3.1
            return None if body[:1] == b"{" else body
        if version == b"3.1":
            if body[:3] != version:
                return None
            try:  # 16 digits of a hash stand in front
                body = binascii.a2b_base64(body[19:])
            except ValueError:
                return None
        elif version == b"3.3" and (body[:3] == version or len(body) % 16 == _HEADER):
            body = body[_HEADER:]
        if not body or len(body) % 16:
            return None
        text = crypt.unpadded(self._decrypt(body))
        return text if text is None else _without_header(text, version)


def _without_header(text: bytes, version: bytes) -> bytes:
    return text[_HEADER:] if text[:3] == version else text


def _is_plain(body: bytes) -> bool:
    """Whether it is text that nobody has encrypted."""
    return not [byte for byte in body[:16] if not 32 <= byte < 127]
