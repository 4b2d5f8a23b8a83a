"""CRC-32 as in Ethernet, zip and PNG: polynomial 0x04C11DB7 reflected, start and XOR 0xFFFFFFFF.

ISO/IEC 8802-3 (IEEE 802.3), section 3.2.9. "123456789" gives 0xCBF43926. The same as
binascii.crc32, which is used where a port has it; the ESP8266 has not.

    crc32.text(b"123456789")               # "cbf43926"
    state = crc32.update(crc32.START, data)      # piece by piece, in any number of pieces
    crc32.text_of(state)

The state is a pair of 16-bit numbers: a small integer has 31 bits on a chip, and one of 32 would
be a new object for every bit of work.
"""

START = (0, 0)

# What four bits do to the high and to the low half.
_HIGH = (
    (0x0000, 0x1DB7, 0x3B6E, 0x26D9, 0x76DC, 0x6B6B, 0x4DB2, 0x5005)
    + (0xEDB8, 0xF00F, 0xD6D6, 0xCB61, 0x9B64, 0x86D3, 0xA00A, 0xBDBD)
)  # fmt: skip
_LOW = (
    (0x0000, 0x1064, 0x20C8, 0x30AC, 0x4190, 0x51F4, 0x6158, 0x713C)
    + (0x8320, 0x9344, 0xA3E8, 0xB38C, 0xC2B0, 0xD2D4, 0xE278, 0xF21C)
)  # fmt: skip


def update_slowly(state: tuple, data: bytes | bytearray | memoryview) -> tuple:
    """Carry the state on over some bytes, in bytecode."""
    high = state[0] ^ 0xFFFF
    low = state[1] ^ 0xFFFF
    high_of = _HIGH
    low_of = _LOW
    for byte in data:
        at = (low ^ byte) & 15
        low = (low >> 4 | (high & 15) << 12) ^ low_of[at]
        high = high >> 4 ^ high_of[at]
        at = (low ^ byte >> 4) & 15
        low = (low >> 4 | (high & 15) << 12) ^ low_of[at]
        high = high >> 4 ^ high_of[at]
    return high ^ 0xFFFF, low ^ 0xFFFF


try:
    from binascii import crc32 as _crc32

    def update(state: tuple, data: bytes | bytearray | memoryview) -> tuple:
        """Carry the state on over some bytes; the first state is START."""
        crc = _crc32(data, state[0] << 16 | state[1])
        return crc >> 16, crc & 0xFFFF

except ImportError:
    update = update_slowly


def text_of(state: tuple) -> str:
    """The CRC as 8 hex digits."""
    return "%04x%04x" % state


def text(data: bytes | bytearray | memoryview) -> str:
    """The CRC of all bytes at once, as 8 hex digits."""
    return text_of(update(START, data))
