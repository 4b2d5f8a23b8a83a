"""A simulated P1 meter on a pty, as slow as the real line, with a clock, a house and faults.

    python3 -m tools.sim.p1 --model be                  # prints the device, serves until Ctrl-C
    SPEED=10 python3 -m tools.sim.p1 --count 100 --log sent.jsonl --link /tmp/p1

    meter = Meter("nl50", seed=1, clock=lambda: 1795000000)
    meter.telegram()                                    # bytes, and meter.values: {OBIS: text}

    device = start("nl50")                              # served by a child process

Needs the standard library only; the encrypted models need PyPI's `cryptography`.
The log has one JSON line per telegram: `n`, `time` (UTC), `sent` ("whole", or the fault that
spoiled it) and `obis` (the text of every number, without leading zeros and unit).
"""

import argparse
import json
import os
import threading
import time as _time
from collections.abc import Callable
from pathlib import Path

from tools.sim import child, telegrams
from tools.sim.house import House
from tools.sim.port import Faults, Pty, Ticks, serve

MODELS = tuple(telegrams.MODELS)


class Meter:
    """Makes telegrams, and touches nothing outside.

    clock() gives UTC in Unix seconds; key and auth_key (hex) encrypt, key "" does not. Without
    a key the model "lu" uses a well-known one.
    """

    def __init__(
        self,
        model: str = "nl50",
        seed: int = 1,
        clock: Callable[[], int] = lambda: int(_time.time()),
        key: str | None = None,
        auth_key: str | None = None,
    ) -> None:
        self.model = model
        self.about = telegrams.MODELS[model]
        self.values: dict[str, str] = {}  # the numbers of the latest telegram
        self.house: House | None = None
        self._seed = seed
        self._clock = clock
        encrypted = model == "lu"
        self._key = key if key is not None else telegrams.DEMO_KEY if encrypted else ""
        self._auth_key = auth_key if auth_key is not None else telegrams.DEMO_AUTH_KEY

    def plain(self, crc_ok: bool = True) -> bytes:
        """The next telegram before encryption, at the clock's time."""
        now = self._clock()
        if self.house is None:
            self.house = House(self._seed, now, telegrams.tariff_of(self.model))
        self.house.advance(now)
        text, self.values = telegrams.write(self.model, self.house)
        telegram = telegrams.finish(self.model, text)
        if crc_ok or not self.about.crc:
            return telegram
        return text + b"%04X\r\n" % (telegrams.crc16(text) ^ 0x0100)

    def telegram(self, crc_ok: bool = True) -> bytes:
        """The next telegram as it goes over the wire."""
        telegram = self.plain(crc_ok)
        if not self._key or self.house is None:
            return telegram
        counter = self.house.time & 0x7FFFFFFF
        return telegrams.encrypt(telegram, counter, self._key, self._auth_key)


def start(model: str = "nl50", speed: int = 1, arguments: tuple[str, ...] = ()) -> str:
    """Serve a meter from a child process, and return the device that it can be read from.

    The child ends with this process, however that ends. Raises OSError where it cannot start.
    """
    return child.start("tools.sim.p1", ("--model", model, "--speed", str(speed), *arguments))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="A simulated P1 meter on a pty.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="models:\n"
        + "\n".join("  %-5s %s" % (name, m.about) for name, m in telegrams.MODELS.items()),
    )
    add = parser.add_argument
    add("--model", choices=MODELS, default="nl50", help="which meter (default nl50)")
    add("--seed", type=int, default=1, help="another house and other faults")
    add("--start", metavar="UTC", help="the meter's clock, as 2026-06-21T10:00:00Z (default now)")
    add("--speed", type=int, default=int(os.environ.get("SPEED", "1")), help="default: $SPEED")
    add("--count", type=int, default=0, metavar="N", help="stop after N telegrams")
    add("--key", help="encrypt with this key, 32 hex digits (lu always encrypts)")
    add("--auth-key", help="authentication key, 32 hex digits; '' for none")
    add("--log", metavar="FILE", help="write what was sent, one JSON line per telegram")
    add("--link", metavar="PATH", help="make PATH a symbolic link to the device")
    add("--strict-line", action="store_true", help="a listener at a wrong baud rate hears garbage")
    add("--patient", action="store_true", help="wait until the telegram before has been read")
    add("--drop-bytes", type=int, default=0, metavar="N", help="lose one byte in N")
    add("--noise", type=int, default=0, metavar="N", help="N random bytes before each telegram")
    add("--cut", type=int, default=0, metavar="N", help="break off every Nth telegram")
    add("--pause", type=int, default=0, metavar="MS", help="a pause inside each telegram")
    add("--silent-after", type=int, default=0, metavar="N", help="fall silent after N telegrams")
    add("--bad-crc-every", type=int, default=0, metavar="N", help="a wrong CRC in every Nth one")
    add("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 on success and after Ctrl-C."""
    parser = _arguments()
    options = parser.parse_args(arguments)
    if options.bad_crc_every and not telegrams.MODELS[options.model].crc:
        parser.error("--bad-crc-every: model %s has no CRC" % options.model)
    if options.speed < 1:
        parser.error("--speed (or SPEED): %d is not 1 or more" % options.speed)
    ticks = Ticks(_utc(parser, options.start))
    meter = Meter(options.model, options.seed, ticks, options.key, options.auth_key)
    faults = Faults(
        options.seed,
        options.drop_bytes,
        options.noise,
        options.cut,
        options.pause,
        options.silent_after,
        options.bad_crc_every,
    )
    pty = Pty()
    stop = threading.Event()
    if options.child:
        threading.Thread(target=child.wait_for_parent, args=(stop,), daemon=True).start()
    log_file = open(options.log, "w") if options.log else None  # noqa: SIM115
    try:
        if options.link:
            _link(parser, Path(options.link), pty.device)
        print(pty.device, flush=True)
        log = _json_lines(log_file) if log_file else None
        serve(
            pty,
            meter,
            ticks,
            faults,
            options.speed,
            options.count,
            log,
            stop,
            options.strict_line,
            options.patient,
        )
        if options.count and not stop.is_set():
            _time.sleep(0.2)  # let the listener take the end before the device goes away
    except KeyboardInterrupt:
        pass
    finally:
        if options.link and os.path.islink(options.link):
            os.unlink(options.link)
        if log_file:
            log_file.close()
        pty.close()
    return 0


def _utc(parser: argparse.ArgumentParser, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        fields = _time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        parser.error("--start: %r is not like 2026-06-21T10:00:00Z" % text)
    from calendar import timegm

    return timegm(fields)


def _json_lines(file) -> Callable[[dict], None]:
    def write(entry: dict) -> None:
        file.write(json.dumps(entry) + "\n")
        file.flush()

    return write


def _link(parser: argparse.ArgumentParser, path: Path, device: str) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        parser.error("--link: %s exists and is no symbolic link" % path)
    path.symlink_to(device)


if __name__ == "__main__":
    raise SystemExit(main())
