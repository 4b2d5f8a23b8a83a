"""Encrypted P1 telegrams: the DLMS/COSEM frame around them, decrypted while it comes in.

Luxembourg's Smarty and Austria's Sagemcom T210-D-r send each telegram as one APDU of the type
general-glo-ciphering (DLMS UA "Green Book"), security suite 0 (AES-128-GCM):

    DB | 08 | system title (8) | length | security control | frame counter (4)
       | ciphertext | tag (12)

The length (BER) counts what comes after it. The nonce is system title and frame counter, the
additional data security control and authentication key. Security control is 30 (authenticated
and encrypted) or 20 (encrypted, no tag); anything else is taken for noise, also 10 (plain text
with a tag), which no P1 meter is known to send.

    key = parse_key("00112233445566778899AABBCCDDEEFF")
    telegram = Telegram(on_complete, sealed=True)
    framer = Framer(bytearray(1024), telegram)
    decryptor = Decryptor(cryptolib.aes(key, 1).encrypt, framer, telegram.seal, auth_key)
    decryptor.feed(data, 0, count)  # any number of bytes, cut anywhere

For each frame the framer sees reset(), then feed(plain, start, end) as text comes, then one
flush(); behind it seal(ok) is called. What came before counts only after seal(True): ok is False
where the tag is wrong or missing, or the frame broke off. Without an authentication key nothing
is checked here, and the CRC at the telegram's end has to do. Nothing holds a whole telegram.

A frame has no mark at its end, and its start may occur by chance in noise or ciphertext. So a
header must be plausible in all its fields. While a frame comes in, the next header is watched for:
the ten bytes that every frame of the same meter begins with, or a whole one with another title
(by chance once in 2^25 frames of 1 kB). It means that the frame was cut off; so does one that has
begun where a frame ends, unless the tag says that nothing is missing.
"""

from aes_gcm import GcmStream
from micropython import const

_START = const(0xDB)
_TITLE_BYTES = const(8)
_MARK_BYTES = const(10)  # start, title's length, title
_COUNTER_BYTES = const(4)
_TAG_BYTES = const(12)
_OVERHEAD = const(5)  # security control and frame counter
_LONGEST = const(4096 + 17)  # a telegram of 4096 bytes, overhead and tag
_AUTHENTICATED = const(0x30)
_ENCRYPTED = const(0x20)
_PIECE = const(64)  # bytes of text handed on at a time
_KEY_DIGITS = const(32)


class Decryptor:
    """The state of one byte stream; never raises, whatever comes in."""

    COUNTERS = ("frames", "tag_errors", "resyncs", "replayed", "skipped")

    def __init__(self, ecb_encrypt, framer, seal, auth_key: bytes | None = None) -> None:
        """ecb_encrypt: as GcmStream wants it, with the meter's key; auth_key: 16 bytes or None."""
        self.frames = 0  # complete ones, the tag right or wrong
        self.tag_errors = 0  # a tag wrong, or missing although there is a key for it
        self.resyncs = 0  # frames that broke off, and headers that were none
        self.replayed = 0  # frame counter not above that of the frame before
        self.skipped = 0  # bytes outside of frames
        self._framer = framer
        self._seal = seal
        self._auth_key = auth_key
        self._stream = GcmStream(ecb_encrypt, bytes(12))
        self._plain = bytearray(_PIECE)
        self._tag = bytearray(_TAG_BYTES)
        self._header = bytearray()
        self._mark = b""  # the first bytes of the last frame that was believed
        self._next = bytearray()  # what may be the next header, inside of a frame
        self._text_left = 0  # bytes of ciphertext that are still to come
        self._tag_left = 0
        self._last_counter = -1
        self._finishing = None  # the steps that the tag of a complete frame still needs

    @property
    def busy(self) -> bool:
        """True while a complete frame's tag is being checked; call proceed()."""
        return self._finishing is not None

    def proceed(self) -> None:
        """Do one step of the check; feed() does what is left of them."""
        if self._finishing is None:
            return
        try:
            next(self._finishing)
        except StopIteration:
            self._finishing = None
            self._complete(self._stream.fits(self._tag))

    def flush(self) -> None:
        """The line fell silent: do all that is left to do."""
        while self._finishing is not None:
            self.proceed()

    def feed(self, data: bytes | bytearray, start: int, end: int) -> None:
        """Take data[start:end] from the wire; the work is in proportion to its size.

        A frame that ends in it may leave the decryptor busy: its telegram is sealed by the last
        proceed(), or by the next feed().
        """
        while start < end:
            self.flush()
            if self._text_left or self._tag_left:
                start = self._take_body(data, start, end)
            else:
                start = self._take_header(data, start, end)

    def _take_header(self, data, start: int, end: int) -> int:
        """Skip to the start of a header, or take one byte of it."""
        header = self._header
        if not header:
            at = data.find(b"\xdb", start, end)
            if at < 0:
                at = end
            self.skipped += at - start
            if at == end:
                return end
            start = at
        header.append(data[start])
        while header:
            size = _header_size(header)
            if size == len(header) and not (self._mark and header.find(self._mark, 1) > 0):
                self._begin(size)
                break
            if size >= 0 and size != len(header):
                break
            self.resyncs += 1
            drop = header.find(b"\xdb", 1)
            if drop < 0:
                drop = len(header)
            self.skipped += drop
            header[:drop] = b""
        return start + 1

    def _begin(self, size: int) -> None:
        """A header is complete and plausible: expect its frame."""
        header = self._header
        counter_at = size - _COUNTER_BYTES
        control = header[counter_at - 1]
        self._tag_left = _TAG_BYTES if control == _AUTHENTICATED else 0
        self._text_left = _length(header) - _OVERHEAD - self._tag_left
        if self._last_counter < 0:  # no frame believed yet: go by this one
            self._mark = bytes(header[:_MARK_BYTES])
        self._next[:] = b""
        self._watch(header, 1, size)
        aad = None
        if self._auth_key is not None and self._tag_left:
            aad = bytes((control,)) + self._auth_key
        self._stream.restart(bytes(header[2:_MARK_BYTES] + header[counter_at:]), aad)
        self._framer.reset()

    def _take_body(self, data, start: int, end: int) -> int:
        """Take ciphertext and tag, as far as they are there."""
        stop = min(end, start + self._text_left + self._tag_left)
        behind = self._watch(data, start, stop)
        if behind:  # the next frame has begun
            self.resyncs += 1
            self._finish(False, self._next[:-1])
            return behind - 1
        while start < stop and self._text_left:
            count = min(_PIECE, stop - start, self._text_left)
            self._stream.decrypt(data, start, start + count, self._plain)
            self._text_left -= count
            start += count
            self._framer.feed(self._plain, 0, count)
        if start < stop:
            at = _TAG_BYTES - self._tag_left
            self._tag[at : at + stop - start] = data[start:stop]
            self._tag_left -= stop - start
        if not self._text_left and not self._tag_left:
            self._check()
        return stop

    def _check(self) -> None:
        """The frame is complete: check its tag, at once where nothing follows in the buffer."""
        if self._auth_key is None:
            self._complete(True)
            return
        self._finishing = self._stream.finish()

    def _complete(self, ok: bool) -> None:
        self.frames += 1
        if ok:
            self._believe()
        else:
            self.tag_errors += 1
        # Where a frame lost bytes, its last ones are the first of the next.
        self._finish(ok, b"" if ok and self._auth_key is not None else self._next)

    def _believe(self) -> None:
        header = self._header
        counter = int.from_bytes(header[-_COUNTER_BYTES:], "big")
        mark = bytes(header[:_MARK_BYTES])
        if mark == self._mark and counter <= self._last_counter:
            self.replayed += 1
        self._last_counter = counter
        self._mark = mark

    def _finish(self, ok: bool, header: bytes | bytearray) -> None:
        """End the frame; the next header begins with these bytes."""
        self._text_left = self._tag_left = 0
        self._header = bytearray(header)
        self._framer.flush()
        self._seal(ok)

    def _watch(self, data, start: int, end: int) -> int:
        """Look for the next header, also across calls; return the index behind it, or 0."""
        header = self._next
        while start < end:
            if not header:
                start = data.find(b"\xdb", start, end)
                if start < 0:
                    break
            header.append(data[start])
            start += 1
            while header:
                size = _header_size(header)
                held = len(header)
                if held == _MARK_BYTES and header == self._mark:
                    return start
                if size == held and header[_MARK_BYTES] > 0x80:  # a short one is seen by chance
                    return start
                if size >= 0 and size != held:
                    break
                drop = header.find(b"\xdb", 1)
                header[: held if drop < 0 else drop] = b""
        return 0


def parse_key(text: str) -> bytes:
    """The 16 bytes that 32 hexadecimal digits stand for; ValueError without a word of the key."""
    digits = text.strip().lower()
    if len(digits) != _KEY_DIGITS:
        raise ValueError(f"a key must have 32 hexadecimal digits, this one has {len(digits)}")
    key = bytearray(_KEY_DIGITS // 2)
    for at in range(_KEY_DIGITS):
        nibble = "0123456789abcdef".find(digits[at])
        if nibble < 0:
            raise ValueError(f"character {at + 1} of the key is not a hexadecimal digit")
        key[at // 2] = key[at // 2] << 4 | nibble
    return bytes(key)


def _header_size(header: bytearray) -> int:
    """Bytes that the header will have, 0 if that cannot be told yet, -1 if it is none."""
    held = len(header)
    if held > 1 and header[1] != _TITLE_BYTES:
        return -1
    if held <= _MARK_BYTES:
        return 0
    first = header[_MARK_BYTES]
    if first > 0x82 or first == 0x80:
        return -1
    control_at = _MARK_BYTES + 1 + (first & 3 if first > 0x80 else 0)
    if held <= control_at:
        return 0
    control = header[control_at]
    if control != _AUTHENTICATED and control != _ENCRYPTED:
        return -1
    least = _OVERHEAD + (_TAG_BYTES if control == _AUTHENTICATED else 0)
    if not least < _length(header) <= _LONGEST:
        return -1
    return control_at + 1 + _COUNTER_BYTES


def _length(header: bytearray) -> int:
    """The length in a header that holds it: one byte below 80, else 81 or 82 and 1 or 2 bytes."""
    first = header[_MARK_BYTES]
    if first < 0x80:
        return first
    return int.from_bytes(header[_MARK_BYTES + 1 : _MARK_BYTES + 1 + (first & 3)], "big")
