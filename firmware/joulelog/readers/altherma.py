"""Daikin Altherma heat pumps on the service connector X10A.

    readers = [{"type": "altherma", "uart": 2}]

The reader finds out by itself which protocol the unit speaks (I, or S of older ones), asks for
one register after the other, and publishes one reading per interval. What did not answer is
None. A register that the unit says it has not is left out for hours; of one that has answered
before it has to say so twice, as a request that noise has damaged gets the same answer.
"""

import gc
import logging
import sys

from micropython import const
from x10a import frame, table

from .. import clock
from ..uart import open_uart
from .x10a_line import Line

SCHEMA = """\
uart     | uart            | required | of the board; on a computer a device path, or "sim"
tx       | pin             | null     | another pin than the board's
rx       | pin             | null     | another pin than the board's
model    | text            | "core"   | your unit, for more channels; core: what all units have
labels   | list text       | null     | only these channels of the model; null: all
protocol | choice auto I S | "auto"   | auto: find it
interval | int 2..3600     | 30       | seconds between two readings
"""

_BAUD = const(9600)
_BITS = const(8)
_EVEN = const(0)
_REST_MS = const(5)
_ABSENT_MS = const(6 * 3600 * 1000)  # "no such register" is believed for so long
_PATIENCE = const(3)  # rounds without an answer, before another protocol is tried
_LISTED = const(6)
_VALUE_BYTES = const(5)  # of a value in the queue; some take an object of their own
# What tells that a unit speaks a protocol: it has one of these registers.
_PROBES = (("I", 0x10), ("I", 0x60), ("S", 0x55), ("S", 0x53))
_ROTEX = const(0x56)  # only Rotex units have this register of protocol S


def problems(entry: dict, _board):
    """Yield what the table cannot say."""
    model = table.model_name(entry["model"])
    if model is None:
        from ..kinds import nearest, shown

        known = table.names()
        near = nearest(entry["model"], known)
        hint = 'did you mean "%s"?' % near if near else "allowed: " + ", ".join(known)
        yield "`model` is %s; %s" % (shown(entry["model"]), hint)
    elif entry["protocol"] != "auto" and table.protocol(model) not in ("", entry["protocol"]):
        yield '`protocol` is "%s", but this model speaks %s; leave `protocol` out' % (
            entry["protocol"],
            table.protocol(model),
        )


class Reader:
    """One heat pump."""

    COUNTERS = ("answers", "timeouts", "frame_errors", "refused", "silences")

    def __init__(self, name: str, entry: dict, app, output) -> None:
        self.name = name
        self.state = "searching"
        self.protocol = ""  # once it is known
        self.silences = 0  # times that the whole unit fell silent
        self._entry = entry
        self._app = app
        self._output = output
        self._log = logging.getLogger(name)
        self._line = Line()
        self._table = table.Table("")  # until it is known which
        self._absent: dict = {}  # register -> uptime until which it is not asked for
        self._present: set = set()  # registers that have answered
        self._silent: list[int] = []  # registers that did not answer last time

    def __getattr__(self, name: str) -> int:
        """The counters of the line."""
        if name in self.COUNTERS:
            return getattr(self._line, name)
        raise AttributeError(name)

    def describe(self) -> str:
        """For the start report."""
        where = "UART %s, 9600 8E1" % self._entry["uart"]
        pins = self._app.board.UARTS.get(self._entry["uart"])
        if pins:
            for key in ("rx", "tx"):
                pin = self._entry[key]
                where += ", %s on GPIO %d" % (key.upper(), pins[key] if pin is None else pin)
        return "%s, model %s, every %d s" % (where, self._entry["model"], self._entry["interval"])

    async def run(self) -> None:
        """Read for ever; OSError when the UART is not there, or goes away."""
        self.state = "no device"
        uart = open_uart(self._app.board, self._entry, _BAUD, _BITS, _EVEN)
        try:
            self.state = "searching"
            await self._read(uart)
        except OSError:
            self.state = "no device"
            raise
        finally:
            uart.deinit()

    async def _read(self, uart) -> None:
        interval_ms = self._entry["interval"] * 1000
        due = clock.uptime_ms()
        failed = 0  # rounds without any answer, one after the other
        while True:
            if not self.protocol:
                await self._search(uart)
            if self.protocol and not await self._round(uart):
                failed += 1
                if failed >= _PATIENCE:
                    failed = 0
                    self._lose()
            else:
                failed = 0
            due += interval_ms
            late = clock.uptime_ms() - due
            if late > 0:  # a reading that is late does not shift those after it
                due += late // interval_ms * interval_ms + interval_ms
            await clock.sleep_ms(due - clock.uptime_ms())

    async def _search(self, uart) -> None:
        """Find the protocol, and with it the table; one try."""
        wanted = self._entry["protocol"]
        model = table.model_name(self._entry["model"]) or table.CORE
        if wanted == "auto":
            wanted = table.protocol(model)
        for protocol, register in _PROBES:
            if wanted and wanted != protocol:
                continue
            if await self._line.ask(uart, protocol, register) >= 0:
                if protocol == "S" and model == table.CORE:
                    rotex = await self._line.ask(uart, protocol, _ROTEX) >= 0
                    model = "protocol-s-rotex" if rotex else "protocol-s"
                await self._prepare(model)
                self.protocol = protocol
                self.state = "ok"
                channels = len(self._table.channels)
                self._log.info("protocol %s, model %s, %d channels", protocol, model, channels)
                return
        self._say_silent()

    async def _prepare(self, model: str) -> None:
        if self._table.model == model:
            return
        made = table.Table(model, self._entry["labels"])
        for _ in made.build():
            await clock.sleep_ms(0)
        _drop_rows()
        await clock.sleep_ms(0)
        gc.collect()
        self._table = made
        self._weigh(len(made.channels))
        if made.missing:
            missing = ", ".join(made.missing[:_LISTED])
            self._log.warning("`labels`: the model %s has no %s", model, missing)

    def _weigh(self, channels: int) -> None:
        """Say so where the queue will need more memory than there is: it keeps its readings."""
        if not hasattr(gc, "mem_free"):
            return
        slots = self._app.config.queue["slots"]
        need = channels * _VALUE_BYTES * slots
        free = gc.mem_free()
        if need > free // 2:
            text = (
                "%d channels in %d slots of `queue` need %d kB of %d; take `labels`, or %d slots"
            )
            fine = max(4, free // (2 * channels * _VALUE_BYTES))
            self._log.warning(text, channels, slots, need // 1000, free // 1000, fine)

    async def _round(self, uart) -> bool:
        """Ask for all registers, and publish; False where none of them answered."""
        made = self._table
        values: list = [None] * len(made.channels)
        spoiled = b""
        silent = []
        answered = False
        for register in made.registers:
            if self._absent.get(register, 0) > clock.uptime_ms():
                continue
            found = await self._take(uart, register, values)
            if found >= 0:
                answered = True
            elif found == frame.REFUSED and register not in self._present:
                self._miss(register)
            elif found == frame.NOTHING:
                silent.append(register)
            else:  # a damaged answer, or what a unit answers to a damaged request
                spoiled += bytes((register,))
        for register in spoiled:  # once more: noise seldom comes twice
            found = await self._take(uart, register, values)
            if found >= 0:
                answered = True
            elif found == frame.REFUSED:
                self._miss(register)
            else:
                silent.append(register)
        if not answered:
            self._absent = {}  # a unit that has nothing at all is starting, or speaks otherwise
            return False
        self._tell(silent)
        self._output.publish(self._app.clock.stamp(), made.channels, values)
        return True

    def _miss(self, register: int) -> None:
        self._absent[register] = clock.uptime_ms() + _ABSENT_MS
        self._present.discard(register)
        self._log.info("the unit has no register %02X", register)

    async def _take(self, uart, register: int, values: list) -> int:
        """Ask for a register and decode it; what frame.find() said."""
        found = await self._line.ask(uart, self.protocol, register)
        if found >= 0:
            end = self._line.count - 1
            self._present.add(register)
            await clock.sleep_ms(0)
            for _ in self._table.decode(register, self._line.buffer, found, end, values):
                await clock.sleep_ms(0)
        await clock.sleep_ms(_REST_MS)
        return found

    def _tell(self, silent: list[int]) -> None:
        """Log what has changed: each register that falls silent, or is back, once."""
        if silent != self._silent:
            if silent:
                which = ", ".join(["%02X" % register for register in silent])
                self._log.warning("no answer for the registers %s", which)
            else:
                self._log.info("all registers answer again")
            self._silent = silent

    def _lose(self) -> None:
        """The unit has gone: its last values must not look like those of now."""
        self._say_silent()
        self._silent = []
        self.protocol = ""
        channels = self._table.channels
        self._output.publish(self._app.clock.stamp(), channels, [None] * len(channels))

    def _say_silent(self) -> None:
        if self.state != "no answer":
            self.silences += 1
            advice = "is it powered, GND connected, TX and RX the right way round?"
            if self.frame_errors > self.answers + self.timeouts:
                advice = (
                    "bytes come, but no answer; check GND, the level of 5 V, and the connector"
                )
            self._log.warning("the heat pump does not answer: %s", advice)
        self.state = "no answer"


def _drop_rows() -> None:
    """Forget the rows of all models: what was chosen is in the table."""
    package = sys.modules["x10a"]
    for name in ("rows_outdoor", "rows_s", "rows_indoor", "rows_more"):
        if sys.modules.pop("x10a." + name, None) is not None and hasattr(package, name):
            delattr(package, name)
