"""AES-GCM in a stream, for ciphers that know single blocks only.

MicroPython's cryptolib has ECB and CBC, no GCM and mostly no CTR. Both halves of GCM are
built here on an injected ECB encryption: the counter mode, and GHASH where a tag is checked.

Specification: NIST SP 800-38D, with nonces of 12 bytes and tags of 12 to 16.

    import cryptolib
    from aes_gcm import GcmStream

    stream = GcmStream(cryptolib.aes(key, 1).encrypt, nonce, aad)  # aad None: no tag to check
    stream.decrypt(data, 0, len(data), out)  # in pieces of any size
    if not stream.verify(tag):
        ...  # throw everything away

    stream.restart(nonce, aad)  # never twice with the same nonce
    stream.encrypt(text, 0, len(text), out)
    stream.tag()

Who acts on the text before verify() has said True acts on text that anybody may have written.

GHASH multiplies polynomials of 128 bits. An interpreter pays per operation and little per bit,
so four blocks are multiplied at once: they lie in lanes of one long integer, and all lanes are
multiplied by the same power of the hash key, four bits at a time (Shoup's method). The table of
16 multiples is made of the data, not of the key, and lives for one step.
"""

from micropython import const

_LANES = const(4)
_GROUP = const(64)  # bytes of a step: one block for each lane, and four counters per ECB call
_LANE_BYTES = const(32)  # a product of two blocks fits
_LANE_BITS = const(256)

# In these integers, as in the bytes of a block, the first coefficient is the highest bit:
# multiplying by x shifts right. The polynomial is x^128 + x^7 + x^2 + x + 1.
_LOW_HALVES = ((1 << 128) - 1) * (1 | 1 << 256 | 1 << 512 | 1 << 768)
_ONE_OVER_X = 0xC2 << 120 | 1  # 1 + x + x^6 + x^127


class GcmStream:
    """One message at a time: restart(), decrypt() as often as needed, verify().

    Or restart(), encrypt() as often as needed, tag().
    """

    def __init__(self, ecb_encrypt, nonce: bytes, aad: bytes | None = None) -> None:
        """ecb_encrypt takes 16 or 64 bytes and returns as many; the rest is as for restart()."""
        self._ecb_encrypt = ecb_encrypt
        self._counters = bytearray(_GROUP)
        self._lanes = bytearray()  # the hash costs nothing until it is wanted
        self._factors: tuple[bytes, ...] = ()
        self.restart(nonce, aad)

    def restart(self, nonce: bytes, aad: bytes | None = None) -> None:
        """Begin a message: nonce of 12 bytes; aad b"" for a tag, None for none."""
        if len(nonce) != 12:
            raise ValueError(f"a nonce must have 12 bytes, this one has {len(nonce)}")
        for at in range(0, _GROUP, 16):
            self._counters[at : at + 12] = nonce
        self._counter = 2  # 1 is the tag's
        self._pad = b""
        self._pad_used = _GROUP
        self._size = 0
        self._aad_size = -1
        self._good = b""  # the tag, once it is worked out
        if aad is None:
            return
        if not self._factors:
            self._lanes = bytearray(_LANES * _LANE_BYTES)
            self._factors = _powers(self._ecb_encrypt(bytes(16)))
        self._aad_size = len(aad)
        self._hash = 0
        self._held = 0  # bytes of the group that is being filled
        self._absorb(aad, 0, len(aad))
        self._fill_up()

    def decrypt(self, data, start: int, end: int, out) -> int:
        """Decrypt data[start:end] to out[0:]; returns the number of bytes. out may be data."""
        if self._aad_size >= 0:
            self._absorb(data, start, end)
        return self._turn(data, start, end, out)

    def encrypt(self, data, start: int, end: int, out) -> int:
        """Encrypt data[start:end] to out[0:]; returns the number of bytes. out may be data."""
        count = self._turn(data, start, end, out)
        if self._aad_size >= 0:
            self._absorb(out, 0, count)
        return count

    def _turn(self, data, start: int, end: int, out) -> int:
        """Counter mode, which is the same both ways."""
        self._size += end - start
        at = 0
        while start < end:
            used = self._pad_used
            if used == _GROUP:
                self._pad = self._next_pad()
                used = 0
            count = min(_GROUP - used, end - start)
            plain = int.from_bytes(data[start : start + count], "big") ^ int.from_bytes(
                self._pad[used : used + count], "big"
            )
            out[at : at + count] = plain.to_bytes(count, "big")
            self._pad_used = used + count
            start += count
            at += count
        return at

    def verify(self, tag: bytes | bytearray) -> bool:
        """True if the tag (12 to 16 bytes, shorter ones prove little) fits all that was fed."""
        for _ in self.finish():
            pass
        return self.fits(tag)

    def fits(self, tag: bytes | bytearray) -> bool:
        """verify(), after finish() has run to its end."""
        good = self._good
        if not good or not 12 <= len(tag) <= 16:
            return False
        self._good = b""  # one answer per message
        difference = 0
        for at in range(len(tag)):  # all of them: the time says nothing about where they differ
            difference |= good[at] ^ tag[at]
        return difference == 0

    def tag(self) -> bytes:
        """The 16 bytes that belong to all that was fed; b"" where none was wanted."""
        for _ in self.finish():
            pass
        return self.made()

    def made(self) -> bytes:
        """tag(), after finish() has run to its end."""
        good = self._good
        self._good = b""
        return good

    def _next_pad(self) -> bytes:
        """The next four counters, encrypted."""
        for at in range(12, _GROUP, 16):
            self._counters[at : at + 4] = (self._counter & 0xFFFFFFFF).to_bytes(4, "big")
            self._counter += 1
        return self._ecb_encrypt(self._counters)

    def _absorb(self, data, start: int, end: int) -> None:
        """Take bytes into the hash."""
        held = self._held
        while start < end:
            count = min(16 - (held & 15), end - start)
            at = (held >> 4) * _LANE_BYTES + 16 + (held & 15)
            self._lanes[at : at + count] = data[start : start + count]
            start += count
            held += count
            if held == _GROUP:
                held = 0
                group = int.from_bytes(self._lanes, "big")
                # Each lane is a sum of its own, four blocks from one term to the next.
                self._hash = _times(self._hash, self._factors[2]) ^ group
        self._held = held

    def _fill_up(self) -> None:
        """Complete a broken block with zeros."""
        self._absorb(bytes(15), 0, -self._held & 15)

    def finish(self):
        """Work out the tag, in as many steps as this yields; then fits() or made() can tell.

        Each step multiplies once: all of them together take a chip longer than a loop may stand.
        """
        if self._aad_size < 0:
            return
        self._fill_up()
        self._absorb((self._aad_size << 67 | self._size << 3).to_bytes(16, "big"), 0, 16)
        lanes = self._hash
        if self._held:  # the last blocks, in the first lanes of their group
            rest = (_GROUP - self._held) * (_LANE_BITS // 16)
            last = int.from_bytes(self._lanes, "big") >> rest
            yield
            last ^= _times(lanes >> rest, self._factors[2])
            # The lanes they did not reach are older now: they go in front.
            lanes = (lanes & (1 << rest) - 1) << _LANES * _LANE_BITS - rest | last
        yield
        # a H^4 + b H^3 + c H^2 + d H = ((a H^2 + c) H + (b H^2 + d)) H
        pair = _times(lanes >> 512, self._factors[1]) ^ lanes & (1 << 512) - 1
        yield
        last = _times(pair >> 256, self._factors[0]) ^ pair & (1 << 256) - 1
        yield
        last = _times(last, self._factors[0])
        self._counter = 1
        self._good = (last ^ int.from_bytes(self._next_pad()[:16], "big")).to_bytes(16, "big")


def _powers(block: bytes) -> tuple[bytes, bytes, bytes]:
    """The hash key's first, second and fourth power, as factors for _times."""
    first = int.from_bytes(block, "big")
    factor = _factor(first)
    second = _times(first, factor)
    factor2 = _factor(second)
    return factor, factor2, _factor(_times(second, factor2))


def _factor(value: int) -> bytes:
    """A polynomial's 32 nibbles; divided by x: a product of mirrored numbers has one less."""
    value <<= 1
    if value >> 128:
        value ^= 1 << 128 ^ _ONE_OVER_X
    return bytes([value >> shift & 15 for shift in range(124, -1, -4)])


def _times(lanes: int, factor: bytes) -> int:
    """Multiply each lane by the same factor."""
    multiples = [0] * 16
    multiples[1] = lanes
    for index in range(1, 8):
        double = multiples[index] << 1
        multiples[2 * index] = double
        multiples[2 * index + 1] = double ^ lanes
    product = 0
    for nibble in factor:
        product = product << 4 ^ multiples[nibble]
    # The coefficients from x^128 on come back at x^0, x^1, x^2 and x^7; what that pushes over
    # the end once more is added first. Bits that leave a lane are masked out of the next.
    over = product & _LOW_HALVES
    over = (over ^ over << 121 ^ over << 126 ^ over << 127) & _LOW_HALVES
    return (product >> 128 ^ over ^ over >> 1 ^ over >> 2 ^ over >> 7) & _LOW_HALVES
