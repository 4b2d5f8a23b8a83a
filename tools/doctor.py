"""Listen to a P1 port for half a minute, and say in plain words what is on the line.

    python3 tools/doctor.py /dev/ttyUSB0
    python3 tools/doctor.py --seconds 60 /dev/ttyUSB0

Standard library only. What the words rest on is in p1_analysis.py.
"""

import argparse
import os
import select
import sys
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from time import monotonic

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT / "lib"), str(_ROOT / "tools/host/shims"), str(_ROOT / "tools")]

from p1_analysis import BAD_CRC, ENCRYPTED, OK, PARITY, SILENT, analyse  # noqa: E402

SETTINGS = ((115200, "8N1"), (9600, "7E1"), (115200, "7E1"), (9600, "8N1"))

_TRIAL_S = 12  # meters before DSMR 5 speak every 10 seconds
_GAP_S = 0.3  # a pause this long ends a telegram
_FLOOD = 16384  # so many bytes without a telegram are enough to judge


def listen(device: str, seconds: int, say: Callable) -> tuple[dict, dict]:
    """Listen with one setting after the other until one gives telegrams: (samples, seconds)."""
    samples: dict = {}
    times: dict = {}
    port = _open(device)
    try:
        for setting in SETTINGS:
            say("listening at %d %s ..." % setting)
            _set(port, *setting)
            began = monotonic()
            data = _collect(port, began + min(_TRIAL_S, seconds), 2, b"")
            verdict = analyse({setting: data}).verdict
            if verdict in (OK, BAD_CRC, ENCRYPTED, SILENT):
                data = _collect(port, began + seconds, 0, data)
            samples[setting] = data
            times[setting] = int(monotonic() - began + 0.5)
            # A line that is silent at one setting is silent at all of them.
            if analyse({setting: data}).verdict in (OK, BAD_CRC, ENCRYPTED, PARITY, SILENT):
                break
    finally:
        os.close(port)
    return samples, times


def _open(device: str) -> int:
    try:
        port = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise OSError(
            "%s does not exist: is the cable plugged in? (ls /dev/tty*)" % device
        ) from None
    except PermissionError:
        raise OSError(
            "%s may not be opened: join its group (sudo usermod -aG dialout $USER), log in again"
            % device
        ) from None
    try:
        termios.tcgetattr(port)
    except termios.error:
        os.close(port)
        raise OSError("%s is no serial port" % device) from None
    return port


def _set(port: int, baud: int, mode: str) -> None:
    """Raw, with these settings; bytes with a wrong parity or stop bit are kept."""
    tty.setraw(port)
    settings = termios.tcgetattr(port)
    settings[2] &= ~(termios.CSIZE | termios.PARENB | termios.PARODD | termios.CSTOPB)
    settings[2] |= termios.CLOCAL | termios.CREAD
    settings[2] |= termios.CS7 | termios.PARENB if mode == "7E1" else termios.CS8
    settings[4] = settings[5] = termios.B9600 if baud == 9600 else termios.B115200
    settings[6][termios.VMIN] = settings[6][termios.VTIME] = 0
    termios.tcsetattr(port, termios.TCSANOW, settings)
    termios.tcflush(port, termios.TCIFLUSH)


def _collect(port: int, until: int | float, bursts: int, data: bytes) -> bytes:
    """Add to data until a moment; sooner after some bursts of bytes (0: never), or a flood."""
    ended = 0
    fresh = False
    while monotonic() < until:
        if select.select([port], [], [], _GAP_S)[0]:
            try:
                chunk = os.read(port, 4096)
            except OSError:
                chunk = b""
            if not chunk and not data:
                raise OSError("the serial port is gone: was the cable pulled out?")
            if not chunk:
                return data
            data += chunk
            fresh = True
        elif fresh:
            fresh = False
            ended += 1
        if bursts and (ended >= bursts or len(data) > _FLOOD):
            break
    return data


def main() -> int:
    """Run the command line: 0 where good telegrams come in, else 1; 2 without a port."""
    parser = argparse.ArgumentParser(description="Say what is on a P1 line.")
    parser.add_argument("device", help="serial port, for example /dev/ttyUSB0")
    parser.add_argument("--seconds", type=int, default=30, help="how long to listen (default 30)")
    options = parser.parse_args()
    if options.seconds < 1:
        parser.error("--seconds: %d is not 1 or more" % options.seconds)
    try:
        samples, times = listen(options.device, options.seconds, print)
    except OSError as error:
        print("doctor: %s" % error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
        return 1
    report = analyse(samples, times, options.device)
    print()
    for line in report.lines:
        print(line)
    if report.entry:
        print('\nFor the readers in config.py (on an ESP32 "uart": 2, on an ESP8266 0):\n')
        print("    " + report.entry)
    return 0 if report.verdict == OK else 1


if __name__ == "__main__":
    raise SystemExit(main())
