"""Listen to a P1 port for half a minute, and say in plain words what is on the line.

    python3 -m tools.doctor /dev/ttyUSB0
    python3 -m tools.doctor --seconds 60 COM3

A port may be Windows' (COM3) or in the network (socket://host:port): that takes PyPI's pyserial.
What the words rest on is in analysis.py.
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable
from time import monotonic, sleep

from serialport import SerialPort

from tools.doctor.analysis import BAD_CRC, ENCRYPTED, OK, PARITY, SILENT, analyse
from tools.flash import ports

SETTINGS = ((115200, "8N1"), (9600, "7E1"), (115200, "7E1"), (9600, "8N1"))

_TRIAL_S = 12  # meters before DSMR 5 speak every 10 seconds
_GAP_S = 0.3  # a pause this long ends a telegram
_LOOK_S = 0.01
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
        port.close()
    return samples, times


def _open(device: str):
    if os.name == "posix" and device[:1] == "/":
        if not os.path.exists(device):
            raise OSError("%s does not exist: is the cable plugged in? (ls /dev/tty*)" % device)
        if not os.access(device, os.R_OK | os.W_OK):
            raise OSError(
                "%s may not be opened: join its group (sudo usermod -aG dialout $USER), log in"
                " again" % device
            )
    try:
        return SerialPort(device)
    except OSError as error:
        if error.errno == errno.ENOTTY:
            raise OSError("%s is no serial port" % device) from None
        raise OSError(error.strerror) from None


def _set(port, baud: int, mode: str) -> None:
    """Raw, with these settings; bytes with a wrong parity or stop bit are kept."""
    port.configure(baud, 7 if mode == "7E1" else 8, 0 if mode == "7E1" else None, 1)
    while port.readinto(bytearray(4096)):  # what came before
        pass


def _collect(port, until: int | float, bursts: int, data: bytes) -> bytes:
    """Add to data until a moment; sooner after some bursts of bytes (0: never), or a flood."""
    ended = 0
    heard_at = 0.0  # when the last bytes of a burst came
    chunk = bytearray(4096)
    while monotonic() < until:
        try:
            count = port.readinto(chunk)
        except OSError:
            if not data:
                raise OSError("the serial port is gone: was the cable pulled out?") from None
            return data
        if count:
            data += chunk[:count]
            heard_at = monotonic()
        elif heard_at and monotonic() - heard_at > _GAP_S:
            heard_at = 0.0
            ended += 1
        else:
            sleep(_LOOK_S)
        if bursts and (ended >= bursts or len(data) > _FLOOD):
            break
    return data


def main() -> int:
    """Run the command line: 0 where good telegrams come in, else 1; 2 without a port."""
    parser = argparse.ArgumentParser(description="Say what is on a P1 line.")
    parser.add_argument("device", nargs="?", help="serial port, such as /dev/ttyUSB0 or COM3")
    parser.add_argument("--seconds", type=int, default=30, help="how long to listen (default 30)")
    options = parser.parse_args()
    if not options.device:
        print("doctor: %s" % ports.fault(None), file=sys.stderr)
        return 2
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
