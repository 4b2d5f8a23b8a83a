"""What the DSMR tests share: collect telegrams, whole or cut up, as plain text."""

import exact
from civil import iso
from crc16 import update
from dsmr.frame import Framer
from dsmr.telegram import Telegram

CRC = ("ok", "absent", "bad")


class Everything:
    """All texts that have a name."""

    def __contains__(self, key):
        return "-" not in key


def plain(values):
    """Values without what stands beside a reading: its time, flow, valve."""
    found = {}
    for key in values:
        at = key.rfind("_")
        if key[at:] not in ("_time", "_flow", "_valve") or key[:at] not in values:
            found[key] = values[key]
    return found


def sealed(text):
    """The text of a telegram up to '!', with its right CRC."""
    return text + b"%04X\r\n" % update(0, text, 0, len(text))


def decode(data, cuts=(), buffer_bytes=2560, base_hours=1, wanted=None):
    """Feed data, cut at the indexes given; return (one dict per telegram, framer)."""
    found = []

    def complete(telegram):
        values = {}
        units = {}
        for channel, value in zip(telegram.channels, telegram.values):
            if value is None:
                continue
            key = channel[exact.KEY]
            if channel[exact.KIND] == "time":
                value = iso(value)
            shown = value if isinstance(value, str) else exact.text(value, channel[exact.DECIMALS])
            values[key] = shown
            units[key] = channel[exact.UNIT]
        found.append(
            {
                "crc": CRC[telegram.crc],
                "header": telegram.header,
                "time": None if telegram.time is None else iso(telegram.time),
                "values": values,
                "units": units,
            }
        )

    wanted = Everything() if wanted is None else wanted
    framer = Framer(bytearray(buffer_bytes), Telegram(complete, wanted, base_hours))
    start = 0
    for cut in cuts:
        framer.feed(data, start, cut)
        start = cut
    framer.feed(data, start, len(data))
    framer.flush()
    return found, framer
