"""Decode captured bytes of a meter: one JSON object per telegram.

    python3 -m tools.decode dsmr capture.txt
    python3 -m tools.decode dsmr --key 0123…ef --auth-key 0011…ff smarty.bin
    cat /dev/ttyUSB0 | python3 -m tools.decode dsmr
    python3 -m tools.decode x10a --model altherma-hybrid capture.bin
    python3 -m tools.decode pzem capture.bin         # or modbus --model sdm630
    python3 -m tools.decode pulse light.u16

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

from tools.decode import dsmr, modbus, pulse, x10a


def _chunks(file):
    """Yield what the file holds, as it comes; text of hexadecimal digits as the bytes it means."""
    first = file.read1(4096)
    if first and not first.strip(b"0123456789abcdefABCDEF \t\r\n"):
        first += file.read()
        first = dsmr.from_hexadecimal(first)
    while first:
        yield first
        first = file.read1(4096)


def main() -> int:
    parser = argparse.ArgumentParser(description="Decode captured bytes of a meter.")
    parser.add_argument("protocol", choices=["dsmr", "x10a", "pzem", "modbus", "pulse"])
    parser.add_argument("files", nargs="*", help="files (none, or -: standard input)")
    parser.add_argument("--pulse-ms", type=int, default=10, help="pulse: the shortest flash")
    parser.add_argument(
        "--active", choices=["high", "low"], default="high", help="pulse: the light in a pulse"
    )
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
                    for told in pulse.decode(file.read(), arguments.pulse_ms, arguments.active):
                        show(told)
                    continue
                if arguments.protocol == "x10a":
                    for answer in x10a.decode(b"".join(chunks), arguments.model):
                        show(answer)
                    continue
                if arguments.protocol in ("pzem", "modbus"):
                    data = b"".join(chunks)
                    for frame in modbus.decode(data, arguments.protocol, arguments.model):
                        show(frame)
                    continue
                key, auth_key = arguments.key, arguments.auth_key
                dsmr.decode_stream(chunks, show, key, auth_key, arguments.utc_offset)
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
