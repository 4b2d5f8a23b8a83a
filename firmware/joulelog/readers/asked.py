"""What all readers share that ask a meter on a schedule: when, how often, what is believed.

    class Reader(asked.Asked): ...        # with who, channels(), and
    async def _read(self): ...            # one poll: the values, None where nothing came

After `misses` polls without any answer all values are None, once, and the state says so. The first
answer after a start or a silence is asked for twice. When is asked says schedule.py, and which
counters are believed ../flow/counters.py.
"""

import logging

from .. import clock
from ..flow.counters import Counters
from .schedule import Schedule


class Asked:
    """One meter that is asked."""

    # Of the class until they are counted.
    polls = 0
    answers = 0
    implausible = 0
    counter_events = 0
    late = 0
    who = ""  # as the log calls it: "address 7"

    def __init__(self, name: str, entry: dict, output, app_clock, channels, most) -> None:
        """channels: what is known of them; most: that a counter grows in an hour (0: any)."""
        self.name = name
        self._output = output
        output.say("waiting")
        self._entry = entry
        self._clock = app_clock
        self._log = logging.getLogger(name)
        self._counters = Counters(channels, most)

    def channels(self) -> tuple:
        """Those of the values that _read() gave last."""
        return ()

    async def _read(self) -> list | None:
        """One poll: the values, None of those that did not come; None where none came."""

    def _why(self) -> str:
        """What the log says when it has fallen silent."""
        return "is it powered, is the address right?"

    def _pause(self, ms: int):
        """Until the next poll, or less long; to be awaited at once."""
        return clock.sleep_ms(ms)

    async def _poll_on(self) -> None:
        self._schedule = Schedule(self._entry["interval"], self._entry["misses"])
        while True:
            await self._poll()
            self.late += await self._schedule.wait(self._pause)

    async def _poll(self) -> None:
        """Ask once, and publish what is to be believed."""
        self.polls += 1
        values = await self._read()
        if values is not None and self._schedule.new:
            before = values
            self._counters.adopt(self.channels())
            self.polls += 1
            values = await self._read()
            if values is not None and not self._counters.agree(before, values):
                self.implausible += 1
                if self._output.state != "implausible":
                    self._output.say("implausible")
                    self._log.warning("the first two answers do not agree: not believed")
                values = None
        if values is None:
            self._missed()
            return
        if self._schedule.heard():
            self._log.info("%s answers again", self.who)
        self._output.say("ok")
        channels = self.channels()
        self._counters.adopt(channels)
        self.counter_events += self._counters.judge(values, self._log)
        self._output.publish(self._clock.stamp(), channels, values)

    def _missed(self) -> None:
        if not self._schedule.missed():
            return
        self._counters.forget()
        if self._output.state not in ("implausible", "refused"):  # that was said
            self._output.say("no answer")
            told = "no answer from %s, %d times: %s"
            self._log.warning(told, self.who, self._entry["misses"], self._why())
        channels = self.channels()
        if channels:
            self._output.publish(self._clock.stamp(), channels, [None] * len(channels))
