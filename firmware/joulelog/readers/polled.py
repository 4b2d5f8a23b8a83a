"""What the pzem and modbus readers share: ask on a schedule, believe what is plausible.

    class Reader(polled.Polled): ...         # with a register table and a bus

What was answered is published, None for the registers that were not, or that hold what cannot be.
How a meter is asked, and what is believed, says asked.py.

Some meters are deaf for a while behind an answer. Who is silent soon behind one is asked again
after a long pause; if that helps, the pause before all its requests grows until it is heard.
"""

from exact import DECIMALS, KEY, UNIT, text
from micropython import const
from modbus import rtu

from ..flow.counters import Counters
from . import asked

_REST_MS = const(100)  # the first pause that is tried for a meter that is deaf behind an answer
_FAILURE = const(4)  # exceptions from here on are of the moment
_LONG_MS = const(600)  # no meter is deaf for so long


class Polled(asked.Asked):
    """One meter on a bus."""

    # Of the class until they are counted.
    timeouts = 0
    damaged = 0
    refusals = 0
    _deaf = 0  # times in a row that only the long pause helped

    def __init__(self, name: str, entry: dict, output, app_clock, line, table, most: int) -> None:
        """most: that a counter grows in an hour (0: any)."""
        asked.Asked.__init__(self, name, entry, output, app_clock, (), most)
        self._line = line
        self._rest_ms = entry.get("rest_ms") or 0
        self._timeout_ms = entry["timeout_ms"] or line.patience_ms
        self.who = "address %d" % entry["address"]
        self._table = table
        if table:
            self._use(table, most)

    def _use(self, table, most: int) -> None:
        """Read the registers of this table from now on."""
        self._table = table
        self._told: list = []  # blocks that the meter has not, channels that cannot be: said once
        self._counters = Counters(table.channels, most)
        address = self._entry["address"]
        self._requests = [self._line.read(address, *block) for block in table.blocks]

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (
            ("polls", self.polls),
            ("answers", self.answers),
            ("timeouts", self.timeouts),
            ("damaged", self.damaged),
            ("refusals", self.refusals),
            ("implausible", self.implausible),
            ("counter_events", self.counter_events),
            ("late", self.late),
        )

    def describe(self) -> str:
        """For the start report."""
        entry = self._entry
        return "%s, address %d, every %d s" % (
            self._line.describe(),
            entry["address"],
            entry["interval"],
        )

    def run(self):
        """Poll for ever; OSError when the UART is not there, or goes away."""
        return self._line.hold(self._output, "waiting", self._poll_on)

    def channels(self) -> tuple:
        """Those of the table."""
        return self._table.channels if self._table else ()

    def _why(self) -> str:
        return self._line.why(self._entry["address"]) or asked.Asked._why(self)

    async def _read(self) -> list | None:
        """The values, None of those that did not come; None where none came."""
        count = len(self._requests)
        payloads: list = [None] * count
        lost = self._output.state == "no answer"
        # Of a meter that was silent one block is asked for, each in its turn.
        turn = self.polls % count if lost else 0
        order = [(index + turn) % count for index in range(count)]
        failed = set(order)
        for step, index in enumerate(order):
            nobody = len(failed) == count
            if nobody and step == count:
                break
            patient = (nobody and lost) or index in self._schedule.silent
            rest_ms = _LONG_MS if patient else self._rest_ms
            payload, exception, heard = await self._ask(self._requests[index], rest_ms)
            if payload is not None:
                failed.discard(index)
                if exception:
                    self._say_refused(index, exception)
                else:
                    payloads[index] = payload
                continue
            if heard:
                self.damaged += 1
            else:
                self.timeouts += 1
            if nobody and lost:
                return None
            if nobody and not patient:
                order.append(index)  # once more if others answer
        if payloads.count(None) == count:
            if not failed:
                self._output.say("refused")
            return None
        self._schedule.tell(sorted(failed), self._registers, self._log)
        self.answers += 1
        return self._decode(payloads)

    def _decode(self, payloads: list) -> list | None:
        implausible: list = []
        values = self._table.decode(payloads, implausible)
        self.implausible += len(implausible)
        for channel, value, least, most in implausible:
            if channel[KEY] not in self._told:
                self._told.append(channel[KEY])
                shown = [text(number, channel[DECIMALS]) for number in (value, least, most)]
                told = "%s %s %s cannot be (%s to %s): unknown; more are only counted"
                self._log.warning(told, channel[KEY], shown[0], channel[UNIT], shown[1], shown[2])
        if implausible and values.count(None) == len(values):
            self._output.say("implausible")
            return None
        return values

    async def _ask(self, request: bytes, rest_ms: int) -> tuple:
        """Once more for what came damaged, or did not come soon behind another answer."""
        line = self._line
        timeout_ms = self._timeout_ms
        answer = await line.ask(request, timeout_ms, rest_ms)
        soon = line.rested_ms < _LONG_MS
        if answer[0] is not None:
            if soon:
                self._deaf = 0
            return answer
        if answer[2]:
            self.damaged += 1
            return await line.ask(request, timeout_ms, rest_ms)
        if not soon:  # a silent meter is not asked again
            return answer
        self.timeouts += 1
        again = await line.ask(request, timeout_ms, _LONG_MS)
        if again[0] is not None:
            self._rest()
        return again

    def _rest(self) -> None:
        """Only behind the long pause it has answered: if that is the rule, its own grows."""
        self._deaf += 1
        rest_ms = self._rest_ms
        if self._deaf < (2 if rest_ms else 1) or self._entry.get("rest_ms") is not None:
            return
        self._deaf = 0
        self._rest_ms = min(2 * rest_ms or _REST_MS, _LONG_MS)
        if self._rest_ms > rest_ms:
            told = "address %d is deaf behind an answer: `rest_ms` is %d now"
            self._log.info(told, self._entry["address"], self._rest_ms)

    def _registers(self, index: int) -> str:
        _, first, count = self._table.blocks[index]
        last = first + count - 1
        return "%d to %d (0x%X to 0x%X)" % (first, last, first, last)

    def _say_refused(self, index: int, exception: int) -> None:
        self.refusals += 1
        if index in self._told:
            return
        self._told.append(index)
        why = rtu.REFUSALS.get(exception, "exception %d" % exception)
        told = "the meter refuses registers %s: %s"
        if exception < _FAILURE:
            told += "; is it another model?"
        self._log.warning(told, self._registers(index), why)
