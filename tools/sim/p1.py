"""A simulated P1 meter on a pty, as slow as the real line, with a clock, a house and faults.

    python3 tools/sim/p1.py --model be                  # prints the device, serves until Ctrl-C
    SPEED=10 python3 tools/sim/p1.py --count 100 --log sent.jsonl --link /tmp/p1

    meter = Meter("nl50", seed=1, clock=lambda: 1795000000)
    meter.telegram()                                    # bytes, and meter.values: {OBIS: text}

    device = start("nl50")                              # "/dev/pts/7", served by a child process

Needs the standard library only; the encrypted models need PyPI's `cryptography`.
The log has one JSON line per telegram: `n`, `time` (UTC), `sent` ("whole", or the fault that
spoiled it) and `obis` (the text of every number, without leading zeros and unit).
"""

import argparse
import array
import atexit
import fcntl
import json
import os
import random
import subprocess
import sys
import termios
import threading
import time as _time
import tty
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":  # started as a file: find the package beside us
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.sim import line, telegrams  # noqa: E402
from tools.sim.house import House  # noqa: E402

MODELS = tuple(telegrams.MODELS)
_UART_BUFFER = 4096  # what a listener that does not read can lag behind
_CHUNK_S = 0.004  # a UART hands over its FIFO about this often
_children: list[subprocess.Popen] = []


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


class Faults:
    """What goes wrong on request; every choice follows from the seed."""

    def __init__(
        self,
        seed: int = 1,
        drop_bytes: int = 0,
        noise: int = 0,
        cut: int = 0,
        pause_ms: int = 0,
        silent_after: int = 0,
        bad_crc_every: int = 0,
    ) -> None:
        self.drop_bytes = drop_bytes
        self.noise = noise
        self.cut = cut
        self.pause_ms = pause_ms
        self.silent_after = silent_after
        self.bad_crc_every = bad_crc_every
        self._random = random.Random(seed)

    def crc_ok(self, number: int) -> bool:
        """Whether telegram number (1, 2, ...) keeps its right CRC."""
        return not self.bad_crc_every or number % self.bad_crc_every != 0

    def spoil(self, telegram: bytes, number: int) -> tuple[bytes, str]:
        """Return what goes over the wire, and "whole" or the name of the fault."""
        state = "whole" if self.crc_ok(number) else "bad_crc"
        if self.drop_bytes:
            kept = bytes(b for b in telegram if self._random.randrange(self.drop_bytes))
            if kept != telegram:
                telegram, state = kept, "dropped_bytes"
        if self.cut and number % self.cut == 0:
            at = len(telegram) // 4 + self._random.randrange(len(telegram) // 2)
            telegram, state = telegram[:at], "cut"
        if self.noise:
            telegram = self._random.randbytes(self.noise) + telegram
        return telegram, state


class Pty:
    """A pseudo terminal that loses what nobody reads, as a UART does."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self.lost = 0

    def waiting(self) -> int:
        """Bytes that the listener has not read yet."""
        count = array.array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, count)
        return count[0]

    def flush(self) -> None:
        """Forget what nobody read."""
        termios.tcflush(self._slave, termios.TCIFLUSH)

    def baud(self) -> int:
        """The speed that the listener has set, or 0 where nobody has."""
        speed = termios.tcgetattr(self._slave)[5]
        return {termios.B9600: 9600, termios.B115200: 115200}.get(speed, 0)

    def write(self, data: bytes) -> None:
        """Send, or lose what does not fit."""
        if self.waiting() + len(data) > _UART_BUFFER:
            self.lost += len(data)
            return
        try:
            sent = os.write(self._master, data)
        except BlockingIOError:
            sent = 0
        self.lost += len(data) - sent

    def close(self) -> None:
        """Hang up: the listener gets an error or an end of file."""
        os.close(self._master)
        os.close(self._slave)


class Ticks:
    """A clock that stands still between telegrams, so that each has the time it is due at."""

    def __init__(self, start: int | None = None) -> None:
        self.time = int(_time.time()) if start is None else start

    def __call__(self) -> int:
        return self.time


def serve(
    pty: Pty,
    meter: Meter,
    ticks: Ticks,
    faults: Faults | None = None,
    speed: int = 1,
    count: int = 0,
    log: Callable[[dict], None] | None = None,
    stop: threading.Event | None = None,
    strict_line: bool = False,
) -> int:
    """Send telegrams at the meter's pace until stop or count; return how many were sent.

    ticks is the meter's clock and moves by one interval per telegram. With speed n the
    interval, the clock and the line all run n times as fast. strict_line: a listener that has
    set another baud rate hears what a UART would make of it.
    """
    faults = faults or Faults()
    stop = stop or threading.Event()
    interval_s = meter.about.interval_s / speed
    due = _time.monotonic()
    number = 0
    before = -1
    while not (count and number >= count) and not stop.is_set():
        number += 1
        if faults.silent_after and number > faults.silent_after:
            stop.wait()
            break
        if before >= 0 and pty.waiting() >= before:  # nobody listens: a wire has no memory
            pty.flush()
        clean = meter.telegram(faults.crc_ok(number))
        data, state = faults.spoil(clean, number)
        if log:
            shown = _time.strftime("%Y-%m-%dT%H:%M:%SZ", _time.gmtime(ticks.time))
            log({"n": number, "time": shown, "sent": state, "obis": meter.values})
        seconds = len(data) * line.bits_per_byte(meter.about.mode) / meter.about.baud / speed
        if strict_line and pty.baud() not in (0, meter.about.baud):
            wire = line.levels(data, meter.about.mode)
            data = line.hear(wire, meter.about.baud, pty.baud(), "8N1")
        _send(pty, data, seconds, faults.pause_ms / 1000 / speed, stop)
        before = max(1, pty.waiting())
        ticks.time += meter.about.interval_s
        due += interval_s
        left = due - _time.monotonic()
        if left > 0:
            stop.wait(left)
        else:
            due = _time.monotonic()  # the line is slower than the interval asks
    return number


def _send(pty: Pty, data: bytes, seconds: float, pause_s: float, stop: threading.Event) -> None:
    """Write data evenly over some seconds, and pause in the middle."""
    if not data:
        return
    rate = len(data) / seconds
    size = max(1, int(rate * _CHUNK_S))
    began = _time.monotonic()
    middle = len(data) // 2 if pause_s else -1
    for at in range(0, len(data), size):
        if 0 <= middle < at + size:
            middle = -1
            stop.wait(pause_s)
            began += pause_s
        pty.write(data[at : at + size])
        left = began + min(at + size, len(data)) / rate - _time.monotonic()
        if left > 0:
            _time.sleep(left)
        if stop.is_set():
            return


def start(model: str = "nl50", speed: int = 1, arguments: tuple[str, ...] = ()) -> str:
    """Serve a meter from a child process, and return the device that it can be read from.

    The child ends with this process, however that ends. Raises OSError where it cannot start.
    """
    command = [sys.executable, str(Path(__file__).resolve()), "--model", model, "--child"]
    command += ["--speed", str(speed), *arguments]
    # A session of its own: Ctrl-C ends the firmware first, which then finds its meter alive.
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None
    device = child.stdout.readline().decode().strip()
    if not device:
        raise OSError(
            "the simulated meter %r did not start, exit status %s" % (model, child.wait())
        )
    _children.append(child)
    atexit.register(_end, child)
    return device


def _end(child: subprocess.Popen) -> None:
    if child.stdin:
        child.stdin.close()
    child.wait(5)


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
        threading.Thread(target=_wait_for_parent, args=(stop,), daemon=True).start()
    log_file = open(options.log, "w", encoding="utf-8") if options.log else None
    try:
        if options.link:
            _link(parser, Path(options.link), pty.device)
        print(pty.device, flush=True)
        log = _json_lines(log_file) if log_file else None
        serve(
            pty, meter, ticks, faults, options.speed, options.count, log, stop, options.strict_line
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


def _wait_for_parent(stop: threading.Event) -> None:
    """The parent holds the other end of our standard input: it ends when the parent does."""
    while os.read(0, 64):
        pass
    stop.set()


if __name__ == "__main__":
    raise SystemExit(main())
