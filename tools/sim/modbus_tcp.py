"""Simulated Modbus TCP gateways and devices: meters behind a port of 127.0.0.1, and bad days.

    python3 -m tools.sim.modbus_tcp 1=sdm630 2=sunspec-103+203 --port 5020

    gateway = Gateway({1: slaves.Sdm("sdm630"), 2: SunSpec((103,))})
    gateway.mode = "half"            # from now on; or "ok", "hang", "reset", "garbage", "late",
                                     # "wrong" (transaction), 6 (that exception)
    gateway.silent = {2}             # nobody there: exception 11, or nothing at all as rtu
    gateway.rate_s = 1.5             # how long each answer takes
    gateway.close()

`framing` "rtu" is a serial server that passes the frames of a line on. Its bytes come from no code
of lib/modbus.
"""

import argparse
import os
import random
import socket
import struct
import sys
import threading
import time

from tools.sim import child, slaves
from tools.sim.sunspec import SunSpec

_LINGER = struct.pack("ii", 1, 0)  # close with a reset
_children: dict = {}  # framing -> (process, place), of this one's config


class Gateway:
    """Meters by their unit, behind one port."""

    def __init__(
        self, meters: dict, framing: str = "tcp", port: int = 0, speed: int = 1, host="127.0.0.1"
    ) -> None:
        self.meters = meters
        self.mode: str | int = "ok"
        self.silent: set[int] = set()
        self.rate_s = 0.0
        self.requests: list[tuple[float, int]] = []  # (monotonic seconds, unit)
        self.connections = 0
        self._framing = framing
        self._line = slaves.Line(meters, lambda: time.monotonic() * speed)
        self._closing = threading.Event()
        self._open: list[socket.socket] = []
        self._server = socket.create_server((host, port))
        self.port: int = self._server.getsockname()[1]
        self._answering = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more, and what is open is cut."""
        self._closing.set()
        try:
            self._server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Cut what is open."""
        for one in list(self._open):
            try:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(client)
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = b""
        try:
            while True:
                data = client.recv(300)
                if not data:
                    break
                held += data
                held = self._answer_all(client, held)
        except OSError:
            pass
        finally:
            self._open.remove(client)
            client.close()

    def _answer_all(self, client: socket.socket, held: bytes) -> bytes:
        """Answer the requests that are whole; what is left."""
        while True:
            if self._framing == "tcp":
                if len(held) < 6:
                    return held
                transaction, protocol, size = struct.unpack(">HHH", held[:6])
                if protocol or size > 254:
                    raise OSError
                if len(held) < 6 + size:
                    return held
                request, held = held[6 : 6 + size], held[6 + size :]
            else:
                size = slaves.request_length(held)
                if not size or len(held) < size:
                    return held if size else b""
                transaction, request, held = 0, held[: size - 2], held[size:]
            # One after the other, as on the line behind it.
            with self._answering:
                self.requests.append((time.monotonic(), request[0]))
                time.sleep(self.rate_s)
                self._spoil(client, transaction, self._answer(request))

    def _answer(self, request: bytes) -> bytes | None:
        """Unit and what follows; None where nobody answers."""
        unit, function = request[0], request[1] | 0x80
        if isinstance(self.mode, int):
            return bytes((unit, function, self.mode))
        if unit in self.silent or unit not in self.meters:
            return bytes((unit, function, 11)) if self._framing == "tcp" else None
        found = self._line.answer(request + slaves.crc(request))
        return None if found is None else found[:-2]

    def _spoil(self, client: socket.socket, transaction: int, answer: bytes | None) -> None:
        if answer is None or self.mode == "hang":
            return
        if self.mode == "garbage":
            client.sendall(random.Random(1).randbytes(300))
            return
        if self._framing == "tcp":
            transaction = transaction + (self.mode == "wrong") & 0xFFFF
            frame = struct.pack(">HHH", transaction, 0, len(answer)) + answer
        else:
            frame = answer + slaves.crc(answer)
        if self.mode in ("half", "reset"):
            client.sendall(frame[: len(frame) // 2])
            if self.mode == "reset":
                time.sleep(0.05)  # they are read before the reset throws them away
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                raise OSError
            return
        if self.mode == "slowly":
            for at in range(len(frame)):
                client.sendall(frame[at : at + 1])
                time.sleep(0.002)
            return
        client.sendall(frame)


def make(text: str) -> tuple[int, slaves.Meter]:
    """The unit and the meter of "7=sdm120" or "1=sunspec-103+203"; ValueError for what is none."""
    unit, _, model = text.partition("=")
    if not unit.isdigit() or int(unit) > 255:
        raise ValueError(f"{text!r} does not begin with 0 to 255 and '='")
    number = int(unit)
    if model.startswith("sunspec"):
        models = tuple(int(one) for one in model.partition("-")[2].split("+") if one)
        return number, SunSpec(models or (103, 203), seed=number)
    if model not in slaves.MODELS:
        raise ValueError(f"{text!r}: allowed: sunspec-103+203, {', '.join(slaves.MODELS)}")
    return number, slaves.make(model, number or 1)


def start(entry: dict, speed: int = 1) -> str:
    """The place of the gateway that all simulated meters of a config share, by their framing."""
    framing = entry.get("framing", "tcp")
    if framing not in ("tcp", "rtu"):
        framing = "tcp"  # the firmware's check says what is wrong
    if framing not in _children:
        arguments = ("--framing", framing, "--speed", str(speed))
        _children[framing] = child.launch("tools.sim.modbus_tcp", arguments)
    process, place = _children[framing]
    model = entry.get("meter") or "sdm72d"
    if entry.get("registers"):
        print("a table of your own: the simulated meter is an SDM72D")
    text = f"{entry.get('address', 1)}={model}"
    try:
        make(text)
    except ValueError:
        return place
    process.stdin.write(f"{text}\n".encode())
    process.stdin.flush()
    return place


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 on success and after Ctrl-C."""
    parser = argparse.ArgumentParser(description="Simulated Modbus TCP devices.")
    add = parser.add_argument
    add("meters", nargs="*", help="UNIT=MODEL: sunspec-103+203, " + ", ".join(slaves.MODELS))
    add("--port", type=int, default=0)
    add("--framing", choices=("tcp", "rtu"), default="tcp")
    add("--speed", type=int, default=int(os.environ.get("SPEED", "1")), help="default: $SPEED")
    add("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    meters: dict = {}
    try:
        meters = dict(make(text) for text in options.meters)
    except ValueError as problem:
        parser.error(str(problem))
    gateway = Gateway(meters, options.framing, options.port, options.speed)
    print(f"127.0.0.1:{gateway.port}", flush=True)
    try:
        if not options.child:
            threading.Event().wait()
        for text in sys.stdin:  # more meters; its end is that of the parent, and ours
            unit, meter = make(text.strip())
            meters.setdefault(unit, meter)
    except KeyboardInterrupt:
        pass
    gateway.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
