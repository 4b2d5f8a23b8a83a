"""Simulated PZEM and Eastron meters on one RS485 bus: a pty as slow as the line, and faults.

    python3 -m tools.sim.pzem 1=ac 2=ac 7=sdm120       # prints the device, serves until Ctrl-C
    python3 -m tools.sim.pzem 1=ac --silent 1          # nobody at home
    python3 -m tools.sim.pzem 1=ac --late-every 5      # every fifth answer comes after 0.4 s

    device = start({"type": "pzem", "address": 1}, speed=1)     # a child process serves it

`start` puts all meters of a config on one line. Needs the standard library only.
"""

import argparse
import json
import os
import random
import select
import sys
import threading
import time

from tools.sim import child, slaves
from tools.sim.terminal import Terminal

_CHUNK = 4  # bytes that an adapter hands over at once
_LATE_S = 0.4
_child: list = []  # the process that serves this one's config, and its device


class Faults:
    """What goes wrong on request; every choice follows from the seed. 0 is never."""

    def __init__(self, seed: int = 1, **given: int) -> None:
        self.silent: set[int] = set()
        self.deaf_ms = 0  # so long behind each answer nobody hears anything
        self.bad_crc_every = 0
        self.cut_every = 0
        self.late_every = 0
        self.noise = 0  # random bytes before each answer
        self.split_ms = 0  # a pause in the midst of each answer
        self.echo = 0  # 1: the adapter hears what it sends
        self.garbage_first = 0  # so many first answers of a PZEM hold nonsense
        vars(self).update(given)
        self._dice = random.Random(seed)

    def garbled(self, number: int) -> bool:
        return number <= self.garbage_first

    def spoil(self, frame: bytes, number: int) -> bytes:
        """What answer number (1, 2, ...) becomes."""
        if self.bad_crc_every and number % self.bad_crc_every == 0:
            frame = frame[:-1] + bytes((frame[-1] ^ 0x10,))
        if self.cut_every and number % self.cut_every == 0:
            frame = frame[: self._dice.randrange(1, len(frame))]
        return self._dice.randbytes(self.noise) + frame

    def delay_s(self, number: int) -> float:
        return _LATE_S if self.late_every and number % self.late_every == 0 else 0


class Server:
    """A line of meters on a pty, in real time or `speed` times as fast."""

    def __init__(
        self,
        meters: dict[int, slaves.Meter],
        faults: Faults | None = None,
        speed: int = 1,
        baud: int = 9600,
        bits: int = 10,
        think_s: float = 0.0,
    ) -> None:
        self.meters = meters
        self.faults = faults or Faults()
        self.requests = 0
        self.answers = 0
        self.log = None  # called with a dict per answer
        self._line = slaves.Line(meters, lambda: time.monotonic() * speed)
        self._character_s = bits / baud / speed
        self._think_s = think_s / speed
        self._late_s = 1 / speed
        self._deaf_until = 0.0
        self._stop = threading.Event()
        self._terminal = Terminal()
        self._master = self._terminal.master
        self.device = self._terminal.device
        self._thread = threading.Thread(target=self.serve, daemon=True)

    def start(self) -> "Server":
        """Serve from a thread."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Hang up."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._terminal.close()

    def serve(self) -> None:
        """Answer until close()."""
        held = b""
        while not self._stop.is_set():
            ready = select.select([self._master], [], [], 0.05 if held else 0.2)[0]
            if not ready:
                held = b""  # a pause ends every frame
                continue
            held += os.read(self._master, 256)
            arrived = time.monotonic()
            while len(held) >= 2:
                size = slaves.request_length(held)
                if not size:
                    held = b""
                elif len(held) < size:
                    break
                else:
                    request, held = held[:size], held[size:]
                    self._handle(request, arrived)

    def _handle(self, request: bytes, arrived: float) -> None:
        self.requests += 1
        if self.faults.echo:
            os.write(self._master, request)
        # The pty brought it at once; a line would have taken its time, and then 3.5 characters.
        due = arrived + (len(request) + 3.5) * self._character_s + self._think_s
        if request[0] in self.faults.silent or arrived < self._deaf_until:
            return
        number = self.answers + 1
        garbled = self.faults.garbled(number)
        if garbled:
            for meter in self.meters.values():
                meter.fixed = [0xA73A] * 10
        answer = self._line.answer(request)
        if garbled:
            for meter in self.meters.values():
                meter.fixed = None
        if answer is None:
            return
        self.answers = number
        sent = self.faults.spoil(answer, number)
        self._send(sent, due + self.faults.delay_s(number) * self._late_s)
        self._deaf_until = time.monotonic() + self.faults.deaf_ms / 1000 * self._late_s
        if self.log:
            state = "garbled" if garbled else "whole" if sent == answer else "spoilt"
            entry = {"n": number, "request": request.hex(), "answer": answer.hex(), "sent": state}
            self.log(entry)

    def _send(self, data: bytes, due: float) -> None:
        """Each byte is there when its last bit would be."""
        middle = len(data) // 2 if self.faults.split_ms else -1
        for at in range(0, len(data), _CHUNK):
            chunk = data[at : at + _CHUNK]
            if 0 <= middle < at + len(chunk):
                middle = -1
                due += self.faults.split_ms / 1000 * self._late_s
            due += len(chunk) * self._character_s
            left = due - time.monotonic()
            if left > 0:
                time.sleep(left)
            os.write(self._master, chunk)


def start(entry: dict, speed: int = 1) -> str:
    """The device of the one bus that all simulated meters of this process share.

    An entry that is wrong gets nobody on it: the firmware's check says what is wrong.
    """
    if not _child:
        _child.extend(child.launch("tools.sim.pzem", ("--speed", str(speed))))
    process, device = _child
    model = entry.get("model", "ac") if entry.get("type") == "pzem" else entry.get("meter")
    if entry.get("registers"):
        print("a table of your own: the simulated meter is an SDM72D")
        model = "sdm72d"
    text = f"{entry.get('address', 1)}={model}"
    try:
        _add({}, text)
    except ValueError:
        return device
    process.stdin.write(f"{text}\n".encode())
    process.stdin.flush()
    return device


def _add(meters: dict[int, slaves.Meter], text: str) -> None:
    """Put "7=sdm120" on the line; ValueError says what is wrong."""
    address, _, model = text.partition("=")
    model = model or "ac"
    if not address.isdigit() or not 1 <= int(address) <= 248 or model not in slaves.MODELS:
        allowed = ", ".join(slaves.MODELS)
        raise ValueError(f"{text!r} is no meter; allowed: 1 to 247, '=', one of {allowed}")
    number = 1 if address == "248" else int(address)
    meters[number] = slaves.make(model, number)


def _follow_parent(server: Server) -> None:
    """Take more meters from standard input; its end is that of the parent, and ours."""
    for text in sys.stdin:
        _add(server.meters, text.strip())
    server._stop.set()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 on success and after Ctrl-C."""
    parser = argparse.ArgumentParser(description="Simulated Modbus meters on a pty.")
    add = parser.add_argument
    add("meters", nargs="*", help="ADDRESS=MODEL: " + ", ".join(slaves.MODELS) + " (default 1=ac)")
    add("--speed", type=int, default=int(os.environ.get("SPEED", "1")), help="default: $SPEED")
    add("--baud", type=int, default=9600)
    add("--think", type=int, default=5, metavar="MS", help="how long a meter thinks")
    add("--log", metavar="FILE", help="write requests and answers, one JSON line each")
    add("--silent", type=int, action="append", default=[], metavar="ADDRESS")
    add("--deaf", type=int, default=0, metavar="MS", help="hear nothing behind each answer")
    add("--bad-crc-every", type=int, default=0, metavar="N")
    add("--cut-every", type=int, default=0, metavar="N")
    add("--late-every", type=int, default=0, metavar="N", help="0.4 s after the request")
    add("--noise", type=int, default=0, metavar="N", help="random bytes before each answer")
    add("--split", type=int, default=0, metavar="MS", help="a pause inside each answer")
    add("--echo", action="store_true", help="the adapter hears what it sends")
    add("--garbage-first", type=int, default=0, metavar="N", help="N answers of nonsense first")
    add("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.speed < 1:
        parser.error(f"--speed (or SPEED): {options.speed} is not 1 or more")
    meters: dict[int, slaves.Meter] = {}
    try:
        for text in options.meters or ([] if options.child else ["1=ac"]):
            _add(meters, text)
    except ValueError as problem:
        parser.error(str(problem))
    faults = Faults(
        deaf_ms=options.deaf,
        bad_crc_every=options.bad_crc_every,
        cut_every=options.cut_every,
        late_every=options.late_every,
        noise=options.noise,
        split_ms=options.split,
        echo=int(options.echo),
        garbage_first=options.garbage_first,
    )
    faults.silent = set(options.silent)
    server = Server(meters, faults, options.speed, options.baud, think_s=options.think / 1000)
    if options.child:
        threading.Thread(target=_follow_parent, args=(server,), daemon=True).start()
    print(server.device, flush=True)
    log = open(options.log, "w") if options.log else None  # noqa: SIM115
    if log:
        server.log = lambda entry: print(json.dumps(entry), file=log, flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    finally:
        if log:
            log.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
