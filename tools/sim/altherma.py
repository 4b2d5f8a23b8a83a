"""A simulated Daikin Altherma on a pty: answers requests on X10A, in protocol I or S.

    python3 -m tools.sim.altherma                        # prints the device, until Ctrl-C
    python3 -m tools.sim.altherma --protocol S --absent 50 --silent 54

    unit = Unit("I", clock=lambda: 0)
    unit.answer(bytes.fromhex("0340615b"))               # the bytes of the answer, or b""
    unit.values                                          # {"flow_temperature": 35.1, …}

    device = start({"protocol": "I"}, speed=1)           # "/tmp/joulelog-k2x9/meter"

Needs the standard library only. Requests that it does not understand are answered by 15 EA, as
units do. At 9600 baud 8E1 a byte takes 1.15 ms, and a unit thinks for some 10 ms.
"""

import argparse
import math
import os
import select
import threading
import time as _time
from collections.abc import Callable

from tools.sim import child
from tools.sim.terminal import Terminal

_BYTE_S = 11 / 9600
_THINKS_S = 0.010
_PERIOD_S = 1800  # from one start of the compressor to the next
_REFUSAL = b"\x15\xea"
_S_LENGTHS = {0x50: 4, 0x56: 4}


def checksum(data: bytes) -> bytes:
    """The last byte of a frame."""
    return bytes([~sum(data) & 0xFF])


class Unit:
    """A heat pump that heats a house; touches nothing outside.

    clock() gives seconds. payloads: register -> bytes to answer with instead of the house's.
    rotex: the register 56 of protocol S is there, 50 is not.
    """

    def __init__(
        self,
        protocol: str = "I",
        clock: Callable[[], float] = _time.time,
        payloads: dict[int, bytes] | None = None,
        rotex: bool = False,
    ) -> None:
        self.protocol = protocol
        self.rotex = rotex
        self.payloads = payloads or {}
        self.absent: set[int] = set()  # refused with 15 EA
        self.silent: set[int] = set()  # not answered at all
        self.values: dict[str, object] = {}  # what the registers say, by our channels' keys
        self._clock = clock

    def answer(self, request: bytes) -> bytes:
        """The bytes that a unit answers a request with; b"" for silence."""
        register = self.register(request)
        if register is None or register in self.absent:
            return _REFUSAL
        if register in self.silent:
            return b""
        payload = self.payloads.get(register)
        if payload is None:
            payload = self._payload(register)
        if payload is None:
            return _REFUSAL
        if self.protocol == "I":
            frame = bytes([0x40, register, len(payload) + 2]) + payload
        else:
            frame = bytes([register]) + payload
        return frame + checksum(frame)

    def register(self, request: bytes) -> int | None:
        """The register that a whole request asks for, or None."""
        if not request or request[-1:] != checksum(request[:-1]):
            return None
        if self.protocol == "I":
            return request[2] if len(request) == 4 and request[:2] == b"\x03\x40" else None
        return request[1] if len(request) == 3 and request[0] == 0x02 else None

    def _payload(self, register: int) -> bytes | None:
        seconds = self._clock()
        phase = seconds % _PERIOD_S / _PERIOD_S
        runs = phase < 0.7
        outdoor = round(5 + 6 * math.sin(seconds / 86400 * math.tau), 1)
        flow = 12.5 if phase < 0.8 else 0.0
        returned = round(29 + 2 * phase, 1)
        leaving = round(returned + (5.5 if runs else 0.3), 1)
        now = {
            "operation_mode": "Heating",
            "thermostat": int(runs),
            "defrost": 0,
            "error_type": "Normal",
            "error_code": "0",
            "outdoor_temperature": outdoor,
            "inverter_current": 6.4 if runs else 0.1,
            "compressor_speed": 48 if runs else 0,
            "flow_temperature": leaving,
            "return_temperature": returned,
            "dhw_temperature": 48.2,
            "flow": flow,
            "water_pressure": 1.6,
        }
        self.values.update(now)
        return (_payload_i if self.protocol == "I" else self._payload_s)(register, now)

    def _payload_s(self, register: int, now: dict) -> bytes | None:
        if register not in ((0x53, 0x54, 0x55) + ((0x56,) if self.rotex else (0x50,))):
            return None
        data = bytearray(_S_LENGTHS.get(register, 16))
        if register == 0x54 and self.rotex:
            for at, key in ((2, "return_temperature"), (4, "flow_temperature")):
                _put(data, at, now[key] * 256)
            _put(data, 8, now["dhw_temperature"] * 256)
        elif register == 0x54:
            _put(data, 4, now["outdoor_temperature"] * 256)
        elif register == 0x55:
            data[0] = 1  # heating
        elif register == 0x53:
            data[4] = int(now["compressor_speed"] > 0)
        return bytes(data)


def _payload_i(register: int, now: dict) -> bytes | None:
    lengths = {0x00: 10, 0x10: 16, 0x11: 8, 0x20: 21, 0x21: 16, 0x30: 14, 0x60: 17}
    lengths |= {0x61: 16, 0x62: 17, 0x63: 17, 0x64: 16}
    if register not in lengths:
        return None
    data = bytearray(lengths[register])
    if register == 0x10:
        data[0] = 1  # heating
        data[1] = 0x80 * now["thermostat"]
    elif register == 0x20:
        for at in range(0, 14, 2):
            _put(data, at, now["outdoor_temperature"] * 10)
        _put(data, 4, now["flow_temperature"] * 10 + 200)
    elif register == 0x21:
        _put(data, 0, now["inverter_current"] * 10)
        _put(data, 4, 231)
    elif register == 0x30:
        data[0] = now["compressor_speed"]
    elif register == 0x60:
        data[2] = 0x18  # heating, thermostat
        _put(data, 7, 500)
        _put(data, 9, 350)
        data[12] = 0x02 if now["flow"] else 0
    elif register == 0x61:
        _put(data, 2, now["flow_temperature"] * 10)
        _put(data, 4, now["flow_temperature"] * 10)
        _put(data, 8, now["return_temperature"] * 10)
        _put(data, 10, now["dhw_temperature"] * 10)
        _put(data, 12, 211)
    elif register == 0x62:
        _put(data, 9, now["flow"] * 10)
        data[11] = round(now["water_pressure"] * 10)
    return bytes(data)


def _put(data: bytearray, at: int, value: float) -> None:
    data[at : at + 2] = round(value).to_bytes(2, "little", signed=True)


class Line(Terminal):
    """The unit's end of a pty."""

    def hear(self, seconds: float) -> bytes:
        """What comes within some seconds, b"" for nothing."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        return os.read(self.master, 64)

    def say(self, data: bytes) -> None:
        """Send bytes."""
        os.write(self.master, data)


def serve(
    line: Line,
    unit: Unit,
    speed: int = 1,
    bad_every: int = 0,
    noise: bytes = b"",
    echo: bool = False,
    stop: threading.Event | None = None,
) -> int:
    """Answer requests until stop; return how many came.

    bad_every: each so manieth answer has a wrong bit; noise: bytes before each answer; echo: the
    request comes back before the answer, as with TX and RX on one wire.
    """
    stop = stop or threading.Event()
    length = 4 if unit.protocol == "I" else 3
    request = b""
    count = 0
    while not stop.is_set():
        heard = line.hear((0.02 if request else 0.2) / speed)
        request += heard
        if heard and len(request) < length:
            continue
        if not request:
            continue
        count += 1
        answer = unit.answer(request)
        if answer and bad_every and count % bad_every == 0:
            answer = answer[:-2] + bytes([answer[-2] ^ 0x10]) + answer[-1:]
        if answer:
            answer = (request if echo else b"") + noise + answer
        _time.sleep(_THINKS_S / speed)
        half = len(answer) // 2  # a UART hands over a frame in pieces
        for part in (answer[:half], answer[half:]):
            _time.sleep(len(part) * _BYTE_S / speed)
            if part:
                line.say(part)
        request = b""
    return count


def start(entry: dict, speed: int = 1) -> str:
    """Serve the unit that a reader's entry asks for from a child process; return its device."""
    protocol = "S" if entry.get("protocol") == "S" else "I"
    model = str(entry.get("model", "")).lower().replace("_", "-")
    if model.startswith("protocol-s"):
        protocol = "S"
    arguments = ["--protocol", protocol, "--speed", str(speed)]
    if "rotex" in model:
        arguments.append("--rotex")
    return child.start("tools.sim.altherma", tuple(arguments))


def _registers(text: str) -> set[int]:
    return {int(word, 16) for word in text.split(",") if word}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 on success and after Ctrl-C."""
    parser = argparse.ArgumentParser(description="A simulated Daikin Altherma on a pty.")
    add = parser.add_argument
    add("--protocol", choices=("I", "S"), default="I")
    add("--rotex", action="store_true", help="a Rotex unit (protocol S)")
    add("--speed", type=int, default=int(os.environ.get("SPEED", "1")), help="default: $SPEED")
    add("--absent", type=_registers, default=set(), metavar="65,A0", help="refused by 15 EA")
    add("--silent", type=_registers, default=set(), metavar="21", help="never answered")
    add("--bad-every", type=int, default=0, metavar="N", help="a wrong bit in every Nth answer")
    add("--noise", type=int, default=0, metavar="N", help="N bytes of noise before each answer")
    add("--echo", action="store_true", help="send each request back before its answer")
    add("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.speed < 1:
        parser.error("--speed (or SPEED): %d is not 1 or more" % options.speed)
    began = _time.time()
    unit = Unit(
        options.protocol,
        lambda: began + (_time.time() - began) * options.speed,
        rotex=options.rotex,
    )
    unit.absent = options.absent
    unit.silent = options.silent
    line = Line()
    stop = threading.Event()
    if options.child:
        threading.Thread(target=child.wait_for_parent, args=(stop,), daemon=True).start()
    try:
        print(line.device, flush=True)
        noise = b"\x80" * options.noise
        serve(line, unit, options.speed, options.bad_every, noise, options.echo, stop)
    except KeyboardInterrupt:
        pass
    finally:
        line.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
