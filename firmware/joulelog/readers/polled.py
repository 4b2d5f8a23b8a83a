"""What the pzem and modbus readers share: ask on a schedule, believe what is plausible.

    class Reader(polled.Polled): ...         # with a register table and a bus

- Polls are due at multiples of `interval` of the uptime: they do not drift, meters with the same
  interval are asked one after the other, and a silent one costs the others its time-out.
- After `misses` polls without an answer all values are None, once, and the state says so.
- The first answer after a start or a silence is asked for twice: what a meter sends when its power
  comes can be garbage.
- A counter that falls, or grows faster than the meter can measure, is an event: it is logged and
  counted, and its value is None until three polls in a row agree with each other.
"""

import logging

from exact import DECIMALS, KEY, KIND, UNIT, text
from micropython import const
from modbus import rtu
from modbus.registers import Implausible, Table

from .. import clock

_AGREE = const(3)  # polls after which a counter's new value is believed
_MARGIN = const(10)  # last digits that a counter may always grow


class Polled:
    """One meter on a bus."""

    COUNTERS = (
        "polls",
        "answers",
        "timeouts",
        "damaged",
        "refusals",
        "implausible",
        "counter_events",
        "late",
    )

    def __init__(self, name: str, entry: dict, app, output, line) -> None:
        self.name = name
        self.state = "waiting"
        for counter in self.COUNTERS:
            setattr(self, counter, 0)
        self._entry = entry
        self._app = app
        self._output = output
        self._line = line
        self._log = logging.getLogger(name)
        self._misses = 0
        self._new = True  # nothing was heard yet, or not for long
        self._refused: list = []  # blocks that the meter has not; said once
        self._last: dict = {}  # index of a counter -> (value, uptime in seconds)
        self._doubt: dict = {}  # the same, and how many polls agree

    def use(self, table: Table, function: int, most_per_hour: int) -> None:
        """Say what to read, and how much a counter can grow in an hour (its units; 0: any)."""
        address = self._entry["address"]
        self._table = table
        self._requests = [rtu.read(address, function, first, n) for first, n in table.blocks]
        self._most_per_hour = most_per_hour
        kinds = [channel[KIND] for channel in table.channels]
        self._counters = [i for i, kind in enumerate(kinds) if kind == "total_increasing"]

    def describe(self) -> str:
        """For the start report."""
        entry = self._entry
        return "%s, address %d, every %d s" % (
            self._line.describe(),
            entry["address"],
            entry["interval"],
        )

    async def run(self) -> None:
        """Poll for ever; OSError when the UART is not there, or goes away."""
        self.state = "no device"
        self._line.open()
        self.state = "waiting"
        interval_ms = self._entry["interval"] * 1000
        try:
            due = clock.uptime_ms()
            while True:
                await self._poll()
                now = clock.uptime_ms()
                self.late += max(0, (now - due) // interval_ms)
                due = (now // interval_ms + 1) * interval_ms
                while now < due:
                    await clock.sleep_ms(max(1, due - now))
                    now = clock.uptime_ms()
        except OSError:
            self.state = "no device"
            self._line.fail()
            raise
        finally:
            self._line.close()

    async def _poll(self) -> None:
        """Ask once, and publish what is to be believed."""
        values = await self._read()
        if values is not None and self._new:
            before = values
            values = await self._read()
            if values is not None and self._strange(before, values):
                self._imply("the first two answers do not agree")
                values = None
        if values is None:
            self._missed()
            return
        if self._misses >= self._entry["misses"]:
            self._log.info("address %d answers again", self._entry["address"])
        self._misses = 0
        self._new = False
        self.state = "ok"
        self._judge(values, clock.uptime_ms() // 1000)
        self._output.publish(self._app.clock.stamp(), self._table.channels, values)

    async def _read(self) -> list | None:
        """The values of all registers, or None."""
        self.polls += 1
        payloads = []
        for index, request in enumerate(self._requests):
            payload, exception, heard = await self._ask(request)
            if payload is None:
                if heard:
                    self.damaged += 1
                else:
                    self.timeouts += 1
                return None
            if exception:
                self._say_refused(index, exception)
            payloads.append(None if exception else payload)
        if not [payload for payload in payloads if payload is not None]:
            self.state = "refused"
            return None
        self.answers += 1
        try:
            return self._table.decode(payloads)
        except Implausible as error:
            self._imply("%s %d cannot be" % error.args)
            return None

    async def _ask(self, request: bytes) -> tuple:
        """One more try for an answer that came damaged; a silent meter is not asked again."""
        timeout_ms = self._entry["timeout_ms"]
        answer = await self._line.ask(request, timeout_ms)
        if answer[0] is None and answer[2]:
            self.damaged += 1
            answer = await self._line.ask(request, timeout_ms)
        return answer

    def _imply(self, text: str) -> None:
        self.implausible += 1
        if self.state != "implausible":
            self.state = "implausible"
            self._log.warning("%s: not believed (further ones are only counted)", text)

    def _say_refused(self, index: int, exception: int) -> None:
        self.refusals += 1
        if index in self._refused:
            return
        self._refused.append(index)
        first, count = self._table.blocks[index]
        why = rtu.REFUSALS.get(exception, "exception %d" % exception)
        text = "the meter refuses registers %d to %d (%s): is it another model?"
        self._log.warning(text, first, first + count - 1, why)

    def _missed(self) -> None:
        self._misses += 1
        if self._misses != self._entry["misses"]:
            return
        self._new = True
        self._doubt.clear()
        if self.state not in ("implausible", "refused"):  # that was said
            self.state = "no answer"
            text = "no answer from address %d, %d times: is it powered, is the address right?"
            self._log.warning(text, self._entry["address"], self._misses)
        channels = self._table.channels
        self._output.publish(self._app.clock.stamp(), channels, [None] * len(channels))

    def _strange(self, before: list, after: list) -> bool:
        """Whether two answers, one right behind the other, cannot both be true."""
        for index in self._counters:
            one, other = before[index], after[index]
            if one is None or other is None:
                continue
            if not self._grows(index, (one, 0), other, 2):
                return True
        return False

    def _grows(self, index: int, before: tuple, value: int, now: int) -> bool:
        grown = value - before[0]
        if grown < 0 or not self._most_per_hour:
            return grown >= 0
        most = self._most_per_hour * 10 ** self._table.channels[index][DECIMALS]
        return grown <= most * (now - before[1]) // 3600 + _MARGIN

    def _judge(self, values: list, now: int) -> None:
        """Put None in the place of counters that cannot be believed yet."""
        for index in self._counters:
            value = values[index]
            if value is None:
                continue
            last = self._last.get(index)
            if last is not None and not self._grows(index, last, value, now):
                doubt = self._doubt.get(index)
                agree = 1
                if doubt is not None and self._grows(index, doubt, value, now):
                    agree = doubt[2] + 1
                if doubt is None:
                    self._event(index, last[0], value)
                if agree < _AGREE:
                    self._doubt[index] = (value, now, agree)
                    values[index] = None
                    continue
                self._log.warning("%s: believed from now on", self._table.channels[index][KEY])
            self._doubt.pop(index, None)
            self._last[index] = (value, now)

    def _event(self, index: int, before: int, value: int) -> None:
        self.counter_events += 1
        channel = self._table.channels[index]
        self._log.warning(
            "%s %s from %s to %s %s: not believed before %d polls agree",
            channel[KEY],
            "fell" if value < before else "leapt",
            text(before, channel[DECIMALS]),
            text(value, channel[DECIMALS]),
            channel[UNIT],
            _AGREE,
        )
