#!/usr/bin/env python3
"""Decode captured bytes of a meter: one JSON object per telegram.

    python3 tools/decode.py dsmr capture.txt
    python3 tools/decode.py dsmr --key 0123…ef --auth-key 0011…ff smarty.bin
    cat /dev/ttyUSB0 | python3 tools/decode.py dsmr
    python3 tools/decode.py x10a --model altherma-hybrid capture.bin     # decode_x10a.py
    python3 tools/decode.py pzem capture.bin         # or modbus --model sdm630: decode_modbus.py
    python3 tools/decode.py pulse light.u16                              # decode_pulse.py

Needs nothing but Python. Each telegram gives

    {"crc": "ok" | "absent" | "bad", "header": …, "time": ISO 8601 in UTC or null,
     "obis": {"1-0:1.8.1": {"value": "123456.789", "unit": "kWh"}, …},
     "values": {"energy_import_t1": "123456.789", …}}

`obis` is every line as it was sent, `values` what JouleLog makes of it. A telegram with a bad
CRC is shown, so that one can see what is wrong with it; its `values` are empty, as the
firmware publishes nothing of it. Exit status 1 when there was no telegram at all.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "tools" / "host" / "shims"), str(ROOT / "tools")]

import exact  # noqa: E402
from civil import iso  # noqa: E402
from dsmr import obis, stamp  # noqa: E402
from dsmr.frame import ABSENT, BAD, OK, Framer  # noqa: E402
from dsmr.obis import text  # noqa: E402
from dsmr.telegram import Telegram  # noqa: E402
from plain_aes import encryptor  # noqa: E402

_CRC = {OK: "ok", ABSENT: "absent", BAD: "bad"}
_EASTERN = ("ESO",)  # manufacturers' codes of meters that live in Eastern European Time
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
        if hours is None:
            hours = 2 if line[:3].decode("latin-1") in _EASTERN else 1
        self._hours = hours
        self._header = line.decode("latin-1")
        self._obis: dict = {}
        self._time = None
        self._values: dict = {}
        self._telegram = Telegram(self._complete, _Everything(), hours, self._sealed)
        self._telegram.begin(line)

    def line(self, line: bytes) -> None:
        self._telegram.line(line)
        code, groups = obis.split(line)
        if not groups:
            return
        name = code.decode("latin-1")
        if name == "0-0:1.0.0":
            self._time = stamp.utc(groups[0], self._hours)
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
            shown = value if isinstance(value, str) else exact.text(value, channel[exact.DECIMALS])
            self._values[channel[exact.KEY]] = shown

    def _print(self) -> None:
        if not self._obis and self._crc != OK:
            return  # noise that looked like a telegram
        self._show(
            {
                "crc": _CRC[self._crc],
                "header": self._header,
                "time": None if self._time is None else iso(self._time),
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
    if len(groups) > 1 and _is_time(groups[0]):
        when = _time(groups[0], hours)
        items = [dict(_item(name, group), time=when) for group in groups[1:]]
    else:
        items = [_item(name, group) for group in groups]
        if _time(groups[0], hours):
            items[0]["time"] = _time(groups[0], hours)
    return items[0] if len(items) == 1 else items


def _profile(groups: list, hours: int) -> list:
    """A buffer, (entries)(codes)… and then per entry (time)[(time it occurred)](value)."""
    items: list = []
    times: list = []
    complete = True  # the entry before has its value
    for group in groups[1:]:
        if b":" in group or not group:
            continue
        if _is_time(group):
            times = [group] if complete else [*times, group]
            complete = False
            continue
        item = dict(_item("", group), time=_time(times[0], hours) if times else None)
        if len(times) > 1:
            item["occurred"] = _time(times[1], hours)
        items.append(item)
        complete = True
    return items


def _is_time(group: bytes) -> bool:
    return len(group) in (12, 13, 17) and group[:8].isdigit() and not set(group) & set(b".*")


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
    framer = Framer(bytearray(8192), Collector(show, utc_offset, key is not None))
    decoder = framer
    if key is not None:
        from dsmr import dlms

        ecb = encryptor(dlms.parse_key(key))
        decoder = dlms.Decryptor(ecb, framer, dlms.parse_key(auth_key) if auth_key else None)
    for chunk in chunks:
        decoder.feed(chunk, 0, len(chunk))
    decoder.flush()


def _chunks(file):
    """Yield what the file holds, as it comes; text of hexadecimal digits as the bytes it means."""
    first = file.read1(4096)
    if first and not first.strip(b"0123456789abcdefABCDEF \t\r\n"):
        first += file.read()
        first = _from_hexadecimal(first)
    while first:
        yield first
        first = file.read1(4096)


def _from_hexadecimal(data: bytes) -> bytes:
    """The bytes that a text of hexadecimal digits stands for; other data as it is."""
    try:
        return bytes.fromhex(data.decode("ascii")) or data
    except ValueError:
        return data


def main() -> int:
    parser = argparse.ArgumentParser(description="Decode captured bytes of a meter.")
    parser.add_argument("protocol", choices=["dsmr", "x10a", "pzem", "modbus", "pulse"])
    parser.add_argument("files", nargs="*", help="files (none, or -: standard input)")
    parser.add_argument("--pulse-ms", type=int, default=10, help="pulse: the shortest flash")
    parser.add_argument("--key", help="decryption key, 32 hexadecimal digits")
    parser.add_argument("--auth-key", help="authentication key: then the tag is checked too")
    parser.add_argument("--utc-offset", type=int, help="winter offset of the meter, in hours")
    parser.add_argument("--model", default="core", help="x10a, modbus: which meter")
    arguments = parser.parse_intermixed_args()
    if arguments.auth_key and not arguments.key:
        parser.error("--auth-key checks what --key decrypts: give both")
    count = 0
    encrypted = False

    def show(telegram: dict) -> None:
        nonlocal count
        count += 1
        print(json.dumps(telegram, ensure_ascii=False), flush=True)

    def watched(chunks):
        nonlocal encrypted
        for chunk in chunks:
            encrypted = encrypted or b"\xdb\x08" in chunk
            yield chunk

    for name in arguments.files or ["-"]:
        try:
            with sys.stdin.buffer if name == "-" else open(name, "rb") as file:
                chunks = watched(_chunks(file))
                if arguments.protocol == "pulse":
                    import decode_pulse

                    for told in decode_pulse.decode(file.read(), arguments.pulse_ms):
                        show(told)
                    continue
                if arguments.protocol == "x10a":
                    import decode_x10a

                    for answer in decode_x10a.decode(b"".join(chunks), arguments.model):
                        show(answer)
                    continue
                if arguments.protocol in ("pzem", "modbus"):
                    import decode_modbus

                    data = b"".join(chunks)
                    for frame in decode_modbus.decode(data, arguments.protocol, arguments.model):
                        show(frame)
                    continue
                key, auth_key = arguments.key, arguments.auth_key
                decode_stream(chunks, show, key, auth_key, arguments.utc_offset)
        except BrokenPipeError:  # whoever read our lines has enough, as `head` has
            sys.stdout = None
            return 0
        except OSError as error:
            parser.error(f"{name}: {error.strerror}")
        except ValueError as error:
            parser.error(str(error))
        except KeyboardInterrupt:  # a live line has no other end
            break
    if not count:
        advice = "is it the right protocol, and all of a telegram?"
        if not arguments.key and encrypted:
            advice = "it looks encrypted: give the key of your grid operator with --key"
        print("no telegram found: " + advice, file=sys.stderr)
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
