"""What every sink that talks to a server has: counters, a state for people, a buffer.

    class Sink(ServerSink):
        async def run(self): ...

The supervisor starts run() again when it raises. A sink's module may say in reads(entry, terminal)
what its cursor is; without that it is in_order. DESTINATION are the keys that tell where readings
go: address, database or topic, but no user, password and key. What waits belongs to that.

    in_order     the log, oldest first; what waits lies on the flash, also over a restart
    live_first   the same, but what has just come overtakes what waits
    ram          the log, without the flash
    table        what is newest of each source: for messages that do not say of when they are
"""

import logging

from micropython import const

DENIED_PAUSE_MS = const(60000)  # somebody has to change something


def waiting(count: int) -> str:
    """For the log: how many readings a sink has not delivered yet."""
    return "1 reading waits" if count == 1 else "%d readings wait" % count


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

    def __init__(self, name: str, entry: dict, cursor) -> None:
        self.name = name
        self.entry = entry
        self.cursor = cursor
        self.state = "idle"
        self.retried = 0
        self.out = Writer(entry["batch"])

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        cursor = self.cursor
        return (
            ("sent", cursor.sent),  # readings that the server confirmed
            ("retried", self.retried),
            ("superseded", cursor.superseded),
            ("set_aside", cursor.refused),  # readings that no server will ever take
            ("dropped", cursor.dropped),  # readings that neither RAM nor flash had room for
        )

    def log(self):
        """The logger; made when there is something to say, so that it takes no memory before."""
        return logging.getLogger(self.name)

    def describe(self) -> str:
        """Where it delivers to: for the start report."""
        url = self.entry.get("url")  # without its path, which may hold a key
        return "/".join(url.split("/", 3)[:3]) if url else self.entry["host"]

    def put_aside(self, item: tuple, why: str) -> None:
        """The server will never take this item of the cursor's: keep it elsewhere."""
        self.cursor.set_aside(item, why)
        self.log().error("a reading was refused and set aside: %s", why)

    def say(self, state: str, text: str) -> None:
        """Remember the state ("ok", "waiting", "denied"), and log it when it changes."""
        new = state + (": " + text if text else "")
        if new == self.state:
            return
        if state == "ok":
            if self.state not in ("idle", "ok"):
                lost = self.cursor.dropped
                self.log().info("delivering again%s", " (%d readings lost)" % lost if lost else "")
        elif state == "denied":
            self.log().error("%s (%s)", text, waiting(self.cursor.waiting))
        else:
            self.log().warning("%s (%s)", text, waiting(self.cursor.waiting))
        self.state = new
