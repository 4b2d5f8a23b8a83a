"""What every sink that talks to a server has: counters, a state for people, a buffer.

    class Sink(ServerSink):
        async def run(self): ...

The supervisor starts run() again when it raises. A sink says at class level or in __init__:

    carries_time   its messages say when the reading was taken; else only the newest is sent
    order          "strict": never newer before older; "any": the server sorts by time
    durable        readings wait for it on the flash, also over a restart
"""

import logging

from micropython import const

DENIED_PAUSE_MS = const(60000)  # somebody has to change something


class Writer:
    """Text appended to a buffer that never grows."""

    def __init__(self, size: int) -> None:
        self._buffer = bytearray(size)
        self._view = memoryview(self._buffer)
        self.length = 0
        self.overrun = False  # something did not fit since the last cut()

    def put(self, text: str | bytes) -> None:
        """Append text (as UTF-8), or remember that it did not fit."""
        data = text.encode() if isinstance(text, str) else text
        end = self.length + len(data)
        if self.overrun or end > len(self._buffer):
            self.overrun = True
            return
        self._view[self.length : end] = data
        self.length = end

    def cut(self, length: int) -> None:
        """Forget everything behind this length."""
        self.length = length
        self.overrun = False

    def room(self) -> int:
        """Bytes that still fit."""
        return len(self._buffer) - self.length

    def view(self) -> memoryview:
        """What was written; valid until the next cut()."""
        return self._view[: self.length]


class ServerSink:
    """See the module's text; entry["batch"] is the size of the buffer in bytes."""

    COUNTERS = ("sent", "retried", "superseded", "set_aside", "dropped")
    carries_time = True
    order = "any"
    durable = True

    def __init__(self, name: str, entry: dict, app, cursor) -> None:
        self.name = name
        self.entry = entry
        self.app = app
        self.cursor = cursor
        self.state = "idle"
        self.retried = 0
        self.log = logging.getLogger(name)
        self.out = Writer(entry["batch"])

    @property
    def sent(self) -> int:
        """Readings that the server confirmed."""
        return self.cursor.sent

    @property
    def superseded(self) -> int:
        """Readings that a newer one replaced, where messages carry no time."""
        return self.cursor.superseded

    @property
    def set_aside(self) -> int:
        """Readings that no server will ever take."""
        return self.cursor.refused

    @property
    def dropped(self) -> int:
        """Readings lost because neither RAM nor flash had room for them."""
        return self.cursor.dropped

    def describe(self) -> str:
        """Where it delivers to: for the start report."""
        return self.entry.get("url") or self.entry["host"]

    def put_aside(self, item: tuple, why: str) -> None:
        """The server will never take this item of the cursor's: keep it elsewhere."""
        self.cursor.set_aside(item, why)
        self.log.error("a reading was refused and set aside: %s", why)

    def say(self, state: str, text: str) -> None:
        """Remember the state ("ok", "waiting", "denied"), and log it when it changes."""
        new = state + (": " + text if text else "")
        if new == self.state:
            return
        if state == "ok":
            if self.state not in ("idle", "ok"):
                lost = self.dropped
                self.log.info("delivering again%s", " (%d readings lost)" % lost if lost else "")
        elif state == "denied":
            self.log.error("%s (%d readings wait)", text, self.cursor.waiting)
        else:
            self.log.warning("%s (%d readings wait)", text, self.cursor.waiting)
        self.state = new
