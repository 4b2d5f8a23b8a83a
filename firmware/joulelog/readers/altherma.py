"""Daikin Altherma heat pumps on the service connector X10A.

    readers = [{"type": "altherma", "uart": 2}]

The reader finds out by itself which protocol the unit speaks (I, or S of older ones), asks for
one register after the other, and publishes one reading per interval. What did not answer is
None. A register that the unit says it has not is left out for hours; of one that has answered
before it has to say so twice, as a request that noise has damaged gets the same answer.
"""

import gc
import logging

from micropython import const
from x10a import frame, table

from .. import clock, registry
from .schedule import Schedule
from .x10a_line import X10a

SCHEMA = """\
uart     | uart            | required | of the board; on a computer a device path, or "sim"
tx       | pin             | null     | another pin than the board's
rx       | pin             | null     | another pin than the board's
model    | text            | "core"   | your unit, for more channels; core: what most units have
labels   | list text       | null     | only these channels of the model; null: all
protocol | choice auto I S | "auto"   | auto: find it
interval | int 2..3600     | 30       | seconds between two readings
"""
NEEDS = ("clock", "board")

_REST_MS = const(5)
_ABSENT_MS = const(6 * 3600 * 1000)  # "no such register" is believed for so long
_PATIENCE = const(3)  # rounds without an answer, before another protocol is tried
_LISTED = const(6)
_VALUE_BYTES = const(5)  # of a value in the queue; some take an object of their own
# What tells that a unit speaks a protocol: it has one of these registers.
_PROBES = (("I", 0x10), ("I", 0x60), ("S", 0x55), ("S", 0x53))
_ROWS = ("rows_outdoor", "rows_s", "rows_indoor", "rows_more")  # of all models
_ROTEX = const(0x56)  # only Rotex units have this register of protocol S


def problems(entry: dict, _board):
    """Yield what the table cannot say."""
    model = table.model_name(entry["model"])
    if model is None:
        from ..config.types import nearest, shown

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

    def __init__(self, name: str, entry: dict, output, app_clock, board) -> None:
        self.name = name
        self._output = output
        output.say("searching")
        self.protocol = ""  # once it is known
        self.silences = 0  # times that the whole unit fell silent
        self._entry = entry
        self._clock = app_clock
        self._log = logging.getLogger(name)
        self._line = X10a(board, entry)
        self._table = table.Table("")  # until it is known which
        self._absent: dict = {}  # register -> uptime until which it is not asked for
        self._present: set = set()  # registers that have answered

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        line = self._line
        return (
            ("answers", line.answers),
            ("timeouts", line.timeouts),
            ("frame_errors", line.frame_errors),
            ("refused", line.refused),
            ("silences", self.silences),
        )

    def describe(self) -> str:
        """For the start report."""
        where = self._line.describe("rx", "tx")
        return "%s, model %s, every %d s" % (where, self._entry["model"], self._entry["interval"])

    def run(self):
        """Read for ever; OSError when the UART is not there, or goes away."""
        return self._line.hold(self._output, "searching", self._read)

    async def _read(self) -> None:
        schedule = self._schedule = Schedule(self._entry["interval"], _PATIENCE)
        while True:
            if not self.protocol and await self._search():
                schedule.heard()
            if self.protocol:
                if await self._round():
                    schedule.heard()
                elif schedule.missed():
                    self._lose()
            await schedule.wait()

    async def _search(self) -> bool:
        """Find the protocol, and with it the table; one try."""
        wanted = self._entry["protocol"]
        model = table.model_name(self._entry["model"]) or table.CORE
        if wanted == "auto":
            wanted = table.protocol(model)
        for protocol, register in _PROBES:
            if wanted and wanted != protocol:
                continue
            if await self._line.ask(protocol, register) >= 0:
                if protocol == "S" and model == table.CORE:
                    rotex = await self._line.ask(protocol, _ROTEX) >= 0
                    model = "protocol-s-rotex" if rotex else "protocol-s"
                await self._prepare(model)
                self._output.identify("Daikin", None if model == table.CORE else model, None)
                self.protocol = protocol
                self._output.say("ok")
                channels = len(self._table.channels)
                self._log.info("protocol %s, model %s, %d channels", protocol, model, channels)
                return True
        self._say_silent()
        return False

    async def _prepare(self, model: str) -> None:
        if self._table.model == model:
            return
        made = table.Table(model, self._entry["labels"])
        for _ in made.build():
            await clock.sleep_ms(0)
        registry.drop(*["x10a." + name for name in _ROWS])  # what was chosen is in the table
        self._table = made
        self._weigh(len(made.channels))
        if made.missing:
            missing = ", ".join(made.missing[:_LISTED])
            self._log.warning("`labels`: the model %s has no %s", model, missing)

    def _weigh(self, channels: int) -> None:
        """Say so where the queue will need more memory than there is: it keeps its readings."""
        if not hasattr(gc, "mem_free"):
            return
        slots = self._output.slots()
        need = channels * _VALUE_BYTES * slots
        free = gc.mem_free()
        if need > free // 2:
            text = (
                "%d channels in %d slots of `queue` need %d kB of %d; take `labels`, or %d slots"
            )
            fine = max(4, free // (2 * channels * _VALUE_BYTES))
            self._log.warning(text, channels, slots, need // 1000, free // 1000, fine)

    async def _round(self) -> bool:
        """Ask for all registers, and publish; False where none of them answered."""
        made = self._table
        values: list = [None] * len(made.channels)
        answers = self._line.answers
        silent = []
        now = clock.uptime_ms()
        spoiled = [one for one in made.registers if self._absent.get(one, 0) <= now]
        for last in (False, True):  # once more: noise seldom comes twice
            asked, spoiled = spoiled, []
            for register in asked:
                found = await self._take(register, values)
                if found == frame.REFUSED and (last or register not in self._present):
                    self._miss(register)
                elif found == frame.NOTHING or (last and found < 0):
                    silent.append(register)
                elif found < 0:  # a damaged answer, or what is answered to a damaged request
                    spoiled.append(register)
        if self._line.answers == answers:
            self._absent = {}  # a unit that has nothing at all is starting, or speaks otherwise
            return False
        self._schedule.tell(silent, _named, self._log)
        self._output.publish(self._clock.stamp(), made.channels, values)
        return True

    def _miss(self, register: int) -> None:
        self._absent[register] = clock.uptime_ms() + _ABSENT_MS
        self._present.discard(register)
        self._log.info("the unit has no register %02X", register)

    async def _take(self, register: int, values: list) -> int:
        """Ask for a register and decode it; what frame.find() said."""
        found = await self._line.ask(self.protocol, register)
        if found >= 0:
            end = self._line.count - 1
            self._present.add(register)
            await clock.sleep_ms(0)
            for _ in self._table.decode(register, self._line.buffer, found, end, values):
                await clock.sleep_ms(0)
        await clock.sleep_ms(_REST_MS)
        return found

    def _lose(self) -> None:
        """The unit has gone: its last values must not look like those of now."""
        self._say_silent()
        self.protocol = ""
        channels = self._table.channels
        self._output.publish(self._clock.stamp(), channels, [None] * len(channels))

    def _say_silent(self) -> None:
        if self._output.state != "no answer":
            self.silences += 1
            advice = "is it powered, GND connected, TX and RX the right way round?"
            line = self._line
            if line.frame_errors > line.answers + line.timeouts:
                advice = (
                    "bytes come, but no answer; check GND, the level of 5 V, and the connector"
                )
            self._log.warning("the heat pump does not answer: %s", advice)
        self._output.say("no answer")


def _named(register: int) -> str:
    return "%02X" % register
