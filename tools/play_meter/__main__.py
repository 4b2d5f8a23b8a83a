"""Play a P1 meter over a USB cable, a second board or a pty: try a setup without a meter.

    python3 -m tools.play_meter /dev/ttyUSB0                          # a simulated DSMR 5 meter
    python3 -m tools.play_meter --model nl22 --every 5 /dev/ttyUSB0   # another one, 9600 7E1
    python3 -m tools.play_meter --loop --now /dev/ttyUSB0 a.txt b.txt # recorded telegrams
    python3 -m tools.play_meter --board --tx 4 --invert /dev/ttyUSB1 a.txt
    python3 -m tools.play_meter pty a.txt                             # prints the device to read

A file holds one telegram or several, as a meter sent them; *.hex holds the digits of a binary
one. --now writes the present time into 0-0:1.0.0; else the readings get the time of the
recording. A telegram without CRC goes out at 9600 7E1 (DSMR 2 and 3), others at 115200 8N1.

Wiring of a USB serial cable: TX of the cable to RX of the logger, GND to GND, and nothing else.
It must be a cable with 3.3 V levels: 5 V or RS-232 destroy the board. A cable sends upright, a P1
port upside down: leave `invert` out of the logger's entry and the transistor out of the line
while the cable is on (or set a cable with an FTDI chip to an inverted TXD). A second board can
invert (--invert): the logger stays as it will be at the meter. See board.py.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import civil
import posixtz
from crc16 import update
from serialport import SerialPort

from tools import ROOT
from tools.sim import telegrams as sim
from tools.sim.p1 import MODELS, Meter
from tools.sim.port import Pty, Ticks, serve

LINES = {"115200-8N1": (115200, "8N1"), "9600-7E1": (9600, "7E1")}

_TELEGRAM = re.compile(rb"/.*?\r\n!(?:[0-9A-Fa-f]{4})?\r\n", re.DOTALL)
_TIME = re.compile(rb"(0-0:1\.0\.0\()\d{12}[SW](\))")
_EVERY_S = 10
_CENTRAL_EUROPE = "CET-1CEST,M3.5.0,M10.5.0/3"
_BOARD_BYTES = 8192  # what a second board can hold beside the script


def read(path: Path) -> list[bytes]:
    """The telegrams of a file. Raises ValueError where there is none."""
    data = path.read_bytes()
    if path.suffix == ".hex":
        try:
            return [bytes.fromhex(data.decode("ascii"))]
        except ValueError:
            raise ValueError("%s: something in it is no hex digit" % path) from None
    if not data.lstrip().startswith(b"/"):
        raise ValueError("%s: no telegram: the first character is not '/'" % path)
    if b"\r\n" not in data:  # an editor or git took the carriage returns; the CRC counts them
        data = data.replace(b"\n", b"\r\n")
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    found = _TELEGRAM.findall(data)
    if not found:
        raise ValueError("%s: no whole telegram: the line with '!' is missing" % path)
    return found


def has_crc(telegram: bytes) -> bool:
    """Whether the dialect has a CRC; binary frames have their own checks."""
    return not telegram.endswith(b"!\r\n")


def meter_time(zone: posixtz.Zone) -> tuple[tuple[int, ...], str]:
    """What a meter's clock shows now: (year, month, day, hour, minute, second), "S" or "W"."""
    local, summer = zone.local(int(time.time()) - civil.UNIX_2000)
    return civil.fields(local), "S" if summer else "W"


def at_time(telegram: bytes, now: tuple[int, ...], season: str) -> bytes:
    """The telegram with another time in 0-0:1.0.0, and its CRC made good."""
    text = b"%02d%02d%02d%02d%02d%02d" % (now[0] % 100, *now[1:]) + season.encode()
    changed, count = _TIME.subn(rb"\g<1>" + text + rb"\g<2>", telegram, count=1)
    if not count or not has_crc(telegram):
        return changed
    body = changed[: changed.rindex(b"!") + 1]
    return body + b"%04X\r\n" % update(0, body, 0, len(body))


class Recording:
    """A meter made of recorded telegrams: what the simulator's serve() wants of one.

    With a zone they get the present time.
    """

    def __init__(
        self,
        telegrams: list[bytes],
        baud: int,
        mode: str,
        every_s: int,
        zone: posixtz.Zone | None = None,
    ) -> None:
        self.about = sim.Model("", baud, mode, every_s, True, "", "recorded telegrams")
        self.values: dict[str, str] = {}
        self._telegrams = telegrams
        self._zone = zone
        self._next = 0

    def telegram(self, crc_ok: bool = True) -> bytes:
        """The next one; after the last comes the first."""
        telegram = self._telegrams[self._next % len(self._telegrams)]
        self._next += 1
        return at_time(telegram, *meter_time(self._zone)) if self._zone else telegram


class Cable:
    """A serial device to send to, in place of the simulator's pty."""

    def __init__(self, device: str, baud: int, mode: str) -> None:
        self.device = device
        self.lost = 0
        self._port = SerialPort(device)
        bits, parity = (7, 0) if mode == "7E1" else (8, None)
        self._port.configure(baud, bits, parity, 1)

    def waiting(self) -> int:
        """Nobody can say what the other end has read."""
        return 0

    def flush(self) -> None:
        """There is nothing to take back."""

    def baud(self) -> int:
        """Unknown here."""
        return 0

    def write(self, data: bytes) -> None:
        """Send everything. Raises OSError when the device goes away or takes nothing."""
        view = memoryview(data)
        give_up = time.monotonic() + 5
        while len(view):
            taken = self._port.write(view)
            view = view[taken or 0 :]
            if not taken:
                if time.monotonic() > give_up:
                    raise OSError("%s takes no bytes: does a pty have no reader?" % self.device)
                time.sleep(0.002)

    def close(self) -> None:
        """Close the device."""
        self._port.close()


def board_script(telegrams: list[bytes], settings: dict) -> str:
    """The script for a second board, with settings and telegrams before it."""
    size = sum(len(telegram) for telegram in telegrams)
    if size > _BOARD_BYTES:
        raise ValueError(
            "%d bytes of telegrams: a board takes %d; name fewer files" % (size, _BOARD_BYTES)
        )
    lines = ["%s = %r\n" % item for item in sorted(settings.items())]
    lines += ["telegrams = (\n", *["    %r,\n" % item for item in telegrams], ")\n"]
    return "".join(lines) + (ROOT / "tools/play_meter/board.py").read_text()


def run_on_board(device: str, script: str) -> int:
    """Run a script with mpremote; return its exit status."""
    if not find_spec("mpremote"):
        raise OSError("--board needs mpremote: pip install mpremote")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "play_meter.py"
        path.write_text(script)
        command = [sys.executable, "-m", "mpremote", "connect", device, "run", str(path)]
        return subprocess.run(command, check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Play a P1 meter over a USB cable, a second board or a pty.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(__doc__ or "").split("\n\n", 3)[3],
    )
    add = parser.add_argument
    add("device", help="the cable's or board's device, such as /dev/ttyUSB0, or the word pty")
    add("files", nargs="*", type=Path, help="recorded telegrams; without: a simulated meter")
    add("--model", choices=MODELS, default=None, help="which simulated meter (default nl50)")
    add("--line", choices=LINES, help="baud rate and mode (default: what goes with the telegram)")
    add("--every", type=int, metavar="S", help="seconds between telegrams (default 10 or model's)")
    add("--count", type=int, default=0, metavar="N", help="stop after N telegrams")
    add("--loop", action="store_true", help="begin again after the last recorded telegram")
    add("--now", action="store_true", help="write the present time into recorded telegrams")
    add("--tz", metavar="TZ", default=_CENTRAL_EUROPE, help="the meter's zone (%(default)s)")
    add("--board", action="store_true", help="the device is a MicroPython board; needs mpremote")
    add("--tx", type=int, metavar="GPIO", help="with --board: the pin that sends (default 17)")
    add("--uart", type=_uart, metavar="N", help="with --board: number of the UART (default 1)")
    add("--invert", action="store_true", help="with --board: as a P1 port, which rests low")
    return parser


def _uart(text: str) -> int | str:
    return int(text) if text.isdigit() else text  # the VM names a UART by its device path


def main(arguments: list[str] | None = None, say: Callable = print) -> int:
    """Run the command line; 0 on success and after Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.every is not None and options.every < 1:
        parser.error("--every: %d is not 1 or more" % options.every)
    if options.model and options.files:
        parser.error("--model is for a simulated meter: leave it out, or the files")
    if not options.board and (options.invert or options.tx is not None or options.uart):
        parser.error("--invert, --tx and --uart are for a second board: add --board")
    try:
        recorded = [telegram for path in options.files for telegram in read(path)]
        if options.board:
            return _play_board(parser, options, recorded)
        return _play(options, recorded, say)
    except (OSError, ValueError) as error:
        print("play_meter: %s" % error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _play(options, recorded: list[bytes], say: Callable) -> int:
    ticks = Ticks()
    count = options.count
    if recorded:
        baud, mode = _line(options, recorded)
        every_s = options.every or _EVERY_S
        zone = posixtz.Zone(options.tz) if options.now else None
        meter = Recording(recorded, baud, mode, every_s, zone)
        if not options.loop:
            count = min(count, len(recorded)) if count else len(recorded)
    else:
        meter = Meter(options.model or "nl50", 1, ticks)
        baud, mode = LINES.get(options.line, (meter.about.baud, meter.about.mode))
        every_s = options.every or meter.about.interval_s
        meter.about = meter.about._replace(baud=baud, mode=mode, interval_s=every_s)
    port = Pty() if options.device == "pty" else Cable(options.device, baud, mode)
    say("%s: %s, %d %s, every %d s" % (port.device, meter.about.about, baud, mode, every_s))
    sys.stdout.flush()
    try:
        sent = serve(port, meter, ticks, count=count, log=lambda entry: _tell(entry["n"], say))
        if options.device == "pty":
            time.sleep(0.2)  # let the listener take the end before the device goes away
    finally:
        port.close()
    say("%d telegrams sent" % sent)
    return 0


def _tell(number: int, say: Callable) -> None:
    say("telegram %d" % number)
    sys.stdout.flush()


def _line(options, recorded: list[bytes]) -> tuple[int, str]:
    fitting = {"115200-8N1" if has_crc(telegram) else "9600-7E1" for telegram in recorded}
    if options.line:
        return LINES[options.line]
    if len(fitting) > 1:
        raise ValueError(
            "some telegrams have a CRC and some have none: those are of meters with different"
            " lines; play them one after the other, or choose with --line"
        )
    return LINES[fitting.pop()]


def _play_board(parser: argparse.ArgumentParser, options, recorded: list[bytes]) -> int:
    if options.model:
        parser.error("--model: a board plays its own invented meter, or files")
    baud, mode = _line(options, recorded) if recorded else LINES[options.line or "115200-8N1"]
    settings = {"baud": baud, "seven_bits": mode == "7E1", "invert": options.invert}
    settings["every_s"] = options.every or _EVERY_S
    settings["count"] = options.count
    if recorded and not options.loop:
        settings["count"] = min(options.count or len(recorded), len(recorded))
    if options.tx is not None:
        settings["tx"] = options.tx
    if options.uart is not None:
        settings["uart"] = options.uart
    if options.now or not recorded:
        settings["begin"], settings["season"] = meter_time(posixtz.Zone(options.tz))
    return run_on_board(options.device, board_script(recorded, settings))


if __name__ == "__main__":
    raise SystemExit(main())
