"""What the readers of devices on the LAN share: what went wrong with one, told once.

    class Reader(on_lan.OnLan): ...       # with who, channels(), _read()
    return self._refuse("it is no Shelly")        # it answers, but not with values
    return self._fail("no answer within 5 s")     # it does not

Both return None, which is what _read() gives then: see asked.py.
"""

from . import asked


class OnLan(asked.Asked):
    """One device that is asked over the network."""

    failures = 0  # times without its values
    _trouble = ""  # why, the last time

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (
            ("polls", self.polls),
            ("answers", self.answers),
            ("failures", self.failures),
            ("implausible", self.implausible),
            ("counter_events", self.counter_events),
            ("late", self.late),
        )

    def describe(self) -> str:
        """For the start report."""
        return "%s, every %d s" % (self.who, self._entry["interval"])

    async def run(self) -> None:
        """Poll for ever."""
        await self._poll_on()

    def _fail(self, why: str) -> None:
        """Nothing that can be used came: after `misses` times it is told."""
        self.failures += 1
        self._trouble = why

    def _refuse(self, why: str) -> None:
        """It answers, but not with values: a state of its own, told once."""
        if self._output.state != "refused" or self._trouble != why:
            self._output.say("refused")
            self._log.warning("%s: %s", self.who, why)
        self._fail(why)
        host = self._entry["host"]
        if host:  # something else may have its address by now
            from ..net import address

            address.forget(host)

    def _why(self) -> str:
        return self._trouble


def plain(data: bytes) -> str | None:
    """A name as a device sends it; None where there is none, or it is no UTF-8."""
    try:
        return data.decode() or None
    except UnicodeError:
        return None
