"""The format of a segment's pages: headers, CRC, schemas, states. See README.md here.

    data = build(SCHEMA, slot, schema_payload(track), back, name)
    check_head(data)                           # whether a page may begin here
    state_of(payload, len(payload))            # -> dict

A page is a header of 10 bytes, its payload, and a CRC-32 over payload, header and the name of
the segment: a page that a file system shows in the wrong file is none.
"""

import crc32
from micropython import const

from .nibbles import Packer, PageError, Unpacker
from .ringdelta import Track, read_values, write_values

HEAD = const(10)
TAIL = const(4)
MOST = const(8192)  # bytes of the largest page
SERIAL = const(4)  # bytes of the first serial number, in front of a readings page's payload

READINGS = const(1)
SCHEMA = const(2)
STATE = const(3)

SLOTS = const(32)  # sources per segment
MAGIC = b"\xb7\x4a"

_FIRST = const(0xB7)
_SECOND = const(0x4A)
_BASE_TEXT = const(40)  # characters: longer texts are no base, they would stand in three places
_STATES = const(255)
_CHANNELS = const(255)
_LEAST_BYTES = const(64)
_CHANNEL_BYTES = const(12)  # of a schema: most take less, and a second attempt takes long

# Each word between two bytes that are in no text; one literal takes no heap, a tuple a kilobyte.
_UNITS = (
    b"\xff\xffkWh\xffW\xffV\xffA\xffHz\xffkvarh\xffvar\xffVA\xffm3\xffGJ\xff\xc2\xb0C\xff%\xffbar"
    b"\xffl/min\xffWh\xffK\xffs\xffkW\xffm\xc2\xb3\xffEUR\xffL\xff"
)
_KINDS = b"\xff\xffmeasurement\xfftotal\xfftotal_increasing\xfftext\xff"
_CLASSES = (
    b"\xff\xffenergy\xffpower\xffvoltage\xffcurrent\xfffrequency\xffpower_factor\xffreactive_energy"
    b"\xffreactive_power\xffapparent_power\xffgas\xffwater\xfftemperature\xffpressure\xffduration"
    b"\xffvolume\xffsignal_strength\xffmonetary\xffvolume_flow_rate\xff"
)


def fill_head(data, kind: int, count: int, payload: int, back: int) -> None:
    """Write a header. payload: bytes; back: bytes from the page before to this one, 0 unknown."""
    data[0] = _FIRST
    data[1] = _SECOND
    data[2] = kind
    data[3] = count & 255
    data[4] = count >> 8
    data[5] = payload & 255
    data[6] = payload >> 8
    data[7] = back & 255
    data[8] = back >> 8
    data[9] = _check(data)


def _check(data) -> int:
    # Factors that are odd: no change of a single byte goes unseen.
    total = 0x5D
    for index in range(2, 9):
        total += data[index] * (2 * index + 1)
    return total & 255


def check_head(data) -> bool:
    """Whether these may be the first bytes of a page."""
    if data[0] != _FIRST or data[1] != _SECOND or not READINGS <= data[2] <= STATE:
        return False
    return data[9] == _check(data) and data[5] + (data[6] << 8) <= MOST - HEAD - TAIL


def close(data, crc: tuple, end: int, name: str) -> None:
    """Write the CRC behind a page that ends there; crc: that of its payload."""
    crc = crc_of(crc, memoryview(data)[:HEAD], name)
    data[end] = crc[1] & 255
    data[end + 1] = crc[1] >> 8
    data[end + 2] = crc[0] & 255
    data[end + 3] = crc[0] >> 8


def crc_of(crc: tuple, head, name: str) -> tuple:
    """The CRC of a page whose payload has that one."""
    return crc32.update(crc32.update(crc, head), name.encode())


def build(kind: int, count: int, payload, back: int, name: str) -> bytearray:
    """A whole page."""
    end = HEAD + len(payload)
    data = bytearray(end + TAIL)
    fill_head(data, kind, count, len(payload), back)
    data[HEAD:end] = payload
    close(data, crc32.update(crc32.START, payload), end, name)
    return data


def _packed(fill, what, room: int, error: str) -> bytes:
    """What fill writes, in as many bytes as that takes; room: for a first attempt."""
    while True:
        packer = Packer(bytearray(room), 0, room - HEAD - TAIL)
        try:
            fill(packer, what)
            return bytes(memoryview(packer.data)[: packer.end_byte()])
        except PageError:
            if room == MOST:
                raise ValueError(error)
        room = min(2 * room, MOST)


def base_of(values) -> tuple:
    """The values of a source's first reading, as those that each page starts from."""
    return tuple([None if isinstance(v, str) and len(v) > _BASE_TEXT else v for v in values])


def schema_payload(track: Track) -> bytes:
    """The payload of a source's schema page; ValueError where it has too many channels."""
    if len(track.base) > _CHANNELS:
        raise ValueError("%s has more than 255 channels" % track.source.name)
    room = _LEAST_BYTES + _CHANNEL_BYTES * len(track.base)
    return _packed(_fill_schema, track, room, "the channels of %s do not fit" % track.source.name)


def _fill_schema(packer, track: Track) -> None:
    channels = track.source.channels
    packer.text(track.source.name)
    packer.number(len(channels))
    before = ("", "", 0, "", "")
    for channel in channels:
        key = channel[0]
        old = before[0]
        most = min(len(key), len(old))
        shared = 0
        while shared < most and key[shared] == old[shared]:
            shared += 1
        packer.number(shared)
        packer.text(key[shared:])
        if channel[1:] == before[1:]:
            packer.nibble(1)
        else:
            packer.nibble(0)
            _fill_word(packer, channel[1], _UNITS)
            packer.signed(channel[2])
            _fill_word(packer, channel[3], _KINDS)
            _fill_word(packer, channel[4], _CLASSES)
        before = channel
    groups = bytearray(len(track.groups))
    for index, value in enumerate(track.base):
        if value is not None:
            groups[index >> 2] |= 1 << (index & 3)
    for group in groups:
        packer.nibble(group)
    write_values(packer, track.base, (None,) * len(track.base), groups)
    identity = track.source.identity
    packer.number(len(identity))
    for text in identity:
        packer.text(text or "")


def _fill_word(packer, word: str, words: bytes) -> None:
    at = words.find(b"\xff%s\xff" % word.encode())
    if at >= 0:
        packer.number(words[:at].count(b"\xff") + 1)
    else:
        packer.number(0)
        packer.text(word)


def take_schema(tracks: dict, slot: int, data, end: int, make_source) -> None:
    """Put what a schema page's payload says into its slot; PageError where it cannot be one."""
    if slot >= SLOTS:
        raise PageError
    unpacker = Unpacker(data, 0, end)
    name = unpacker.text()
    count = unpacker.number()
    if count > _CHANNELS:
        raise PageError
    channels = []
    before = ("", "", 0, "", "")
    for _ in range(count):
        shared = unpacker.number()
        key = before[0][:shared] + unpacker.text()
        if unpacker.nibble():
            before = (key, before[1], before[2], before[3], before[4])
        else:
            unit = _word(unpacker, _UNITS)
            decimals = unpacker.signed()
            before = (key, unit, decimals, _word(unpacker, _KINDS), _word(unpacker, _CLASSES))
        channels.append(before)
    groups = bytearray((count + 3) // 4)
    for index in range(len(groups)):
        groups[index] = unpacker.nibble()
    base: list = [None] * count
    read_values(unpacker, base, groups)
    try:
        count = unpacker.number()
    except PageError:  # it ends here, or with half a byte: a log of 0.1.0
        count = 0
    identity = tuple([unpacker.text() or None for _ in range(count)])
    tracks[slot] = Track(make_source(name, tuple(channels), identity), tuple(base))


def _word(unpacker, words: bytes) -> str:
    index = unpacker.number()
    if not index:
        return unpacker.text()
    start = 1
    while index > 1 and start:
        start = words.find(b"\xff", start) + 1
        index -= 1
    end = words.find(b"\xff", start)
    if not start or end < 0:
        raise PageError
    return str(words[start:end], "utf-8")


def state_payload(state: dict) -> bytes:
    """The payload of a state page; ValueError where it is none."""
    if len(state) > _STATES:
        raise ValueError("a state of %d names; allowed: 255" % len(state))
    return _packed(_fill_state, state, _LEAST_BYTES, "the state does not fit into a page")


def _fill_state(packer, state: dict) -> None:
    packer.number(len(state))
    for key in sorted(state):
        packer.text(key)
        packer.signed(state[key])


def state_of(data, end: int) -> dict:
    """The state in a state page's payload; PageError where it cannot be one."""
    unpacker = Unpacker(data, 0, end)
    state = {}
    for _ in range(unpacker.number()):
        key = unpacker.text()
        state[key] = unpacker.signed()
    return state
