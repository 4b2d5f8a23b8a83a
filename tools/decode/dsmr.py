"""What tools/decode does for captured bytes of a P1 line: all, and what JouleLog makes of it.

    decode_dsmr(data, print, key=None, auth_key=None, utc_offset=None)

What a telegram gives: __main__.py.
"""

import sys

import exact
from civil import iso
from dsmr import obis, profile, stamp
from dsmr.frame import ABSENT, BAD, OK, Framer
from dsmr.obis import text
from dsmr.telegram import Telegram

from tools.decode.plain_aes import encryptor

_CRC = {OK: "ok", ABSENT: "absent", BAD: "bad"}
_TEXT_CODES = ("96.1.", "96.13.", "42.0.0")  # octet strings: their zeros are part of the text


class Collector:
    """Listens to the framer, and keeps each telegram whole."""

    def __init__(self, show, utc_offset: int | None, sealed: bool) -> None:
        self._show = show
        self._utc_offset = utc_offset
        self._sealed = sealed
        self._telegram = None
        self._held = None
        self._crc = ABSENT

    def begin(self, line: bytes) -> None:
        hours = self._utc_offset
        self._hours = obis.base_hours(line) if hours is None else hours
        self._header = line.decode("latin-1")
        self._obis: dict = {}
        self._values: dict = {}
        self._telegram = Telegram(self._complete, _Everything(), hours, self._sealed)
        self._telegram.begin(line)

    def line(self, line: bytes) -> None:
        self._telegram.line(line)
        code, groups = obis.split(line)
        if not groups:
            return
        name = code.decode("latin-1")
        fields = _fields(name, groups, self._hours)
        if name in self._obis:
            fields = _listed(self._obis[name]) + _listed(fields)
        self._obis[name] = fields

    def end(self, crc: int) -> None:
        self._crc = crc
        self._telegram.end(crc)
        if not self._sealed:
            self._print()

    def seal(self, genuine: bool) -> None:
        if self._telegram is None:
            return
        self._telegram.seal(genuine)
        if genuine:
            self._print()
        else:
            print("a frame was refused: its authentication tag is wrong", file=sys.stderr)
        self._telegram = None

    def _complete(self, telegram: Telegram) -> None:
        for channel, value in zip(telegram.channels, telegram.values):
            if value is None:
                continue
            if channel[exact.KIND] == "time":
                value = iso(value)
            shown = value if isinstance(value, str) else exact.text(value, channel[exact.DECIMALS])
            self._values[channel[exact.KEY]] = shown

    def _print(self) -> None:
        if not self._obis and self._crc != OK:
            return  # noise that looked like a telegram
        when = self._telegram.time
        self._show(
            {
                "crc": _CRC[self._crc],
                "header": self._header,
                "time": None if when is None else iso(when),
                "obis": self._obis,
                "values": self._values,
            }
        )


class _Everything:
    """All texts that have a name, and no code that has none."""

    def __contains__(self, key: str) -> bool:
        return "-" not in key


def _listed(fields: dict | list) -> list:
    return fields if isinstance(fields, list) else [fields]


def _fields(name: str, groups: list, hours: int) -> dict | list:
    """What a line stands for: a dict, or a list of them where it holds several values."""
    if len(groups) > 1 and groups[0].isdigit() and len(groups[0]) <= 3 and b":" in groups[1]:
        return _profile(groups, hours)
    if name.endswith(":24.3.0") and len(groups) == 7:  # DSMR 2.2: the unit stands alone
        item = _item(name, groups[6])
        return dict(item, unit=text(groups[5]), time=_time(groups[0], hours))
    times = [group for group in groups if profile.is_time(group)]
    if times and len(times) < len(groups):
        when = _time(times[0], hours)
        items = [dict(_item(name, group), time=when) for group in groups if group not in times]
    else:
        items = [_item(name, group) for group in groups]
        if _time(groups[0], hours):
            items[0]["time"] = _time(groups[0], hours)
    return items[0] if len(items) == 1 else items


def _profile(groups: list, hours: int) -> list:
    """A buffer, (entries)(codes)… and then per entry (time)[(time it occurred)](value)."""
    items: list = []
    for times, group in profile.rows(groups):
        item = dict(_item("", group), time=_time(times[0], hours) if times else None)
        if len(times) > 1:
            item["occurred"] = _time(times[1], hours)
        items.append(item)
    return items


def _time(group: bytes, hours: int) -> str | None:
    when = stamp.utc(group, hours)
    return None if when is None else iso(when)


def _item(name: str, group: bytes) -> dict:
    if not any(code in name for code in _TEXT_CODES):
        parsed = obis.number(group)
        if parsed is not None:
            return {"value": exact.text(parsed[0], parsed[1]), "unit": parsed[2] or None}
    return {"value": text(group).strip("()"), "unit": None}


def decode_dsmr(data: bytes, show, key: str | None, auth_key: str | None, utc_offset: int | None):
    """Call show(dict) for each telegram in data."""
    decode_stream((data,), show, key, auth_key, utc_offset)


def decode_stream(chunks, show, key: str | None, auth_key: str | None, utc_offset: int | None):
    """Call show(dict) for each telegram in the chunks of bytes, as soon as it is complete."""
    collector = Collector(show, utc_offset, key is not None)
    framer = Framer(bytearray(8192), collector)
    decoder = framer
    if key is not None:
        from dsmr import dlms

        ecb = encryptor(dlms.parse_key(key))
        auth = dlms.parse_key(auth_key) if auth_key else None
        decoder = dlms.Decryptor(ecb, framer, collector.seal, auth)
    for chunk in chunks:
        decoder.feed(chunk, 0, len(chunk))
    decoder.flush()


def from_hexadecimal(data: bytes) -> bytes:
    """The bytes that a text of hexadecimal digits stands for; other data as it is."""
    try:
        return bytes.fromhex(data.decode("ascii")) or data
    except ValueError:
        return data
