"""The MQTT sink's layouts `topics` and `emoncms`: one message per value, without a time.

    <topic>/<source>/<key>    45678.123

Whoever receives such a message takes it for a value of now, so only the newest reading of each
source is sent; older ones count as superseded. The values of one set of readings may be on their
way together, since each has a topic of its own; the next set waits until the broker has them all.
EmonCMS makes an empty input of a text, so that layout leaves texts out.

A value that the meter does not give any more is taken back: an empty message, once, which removes
what the broker has retained. EmonCMS keeps nothing, and would make an input of it.
"""

from exact import KEY

from .. import clock
from ..flow.reading import SOURCE, VALUES, texts


class Layout:
    """Writes the next value; a message is (topic, retain, serial)."""

    def __init__(self, sink, _queue) -> None:
        self._sink = sink
        self._words = (str, clock.iso)  # texts, times
        if sink.entry["layout"] == "emoncms":
            self._words = (None, clock.unix)
        self._messages = None  # what is left of the set that is being sent
        self._shown: dict = {}  # Source -> bits of the channels whose topic may hold a value

    def reset(self) -> None:
        """The connection was lost: the cursor has gone back to what is not confirmed."""
        self._messages = None
        self._shown.clear()

    async def compose(self) -> tuple | None:
        """Write the next message; None when there is nothing to send before the broker answers."""
        while True:
            if self._messages is None:
                if self._sink.on_way:
                    return None
                found = self._sink.cursor.newest()
                if not found:
                    return None
                self._messages = self._of(found)
            for message in self._messages:
                return message
            self._messages = None

    def _of(self, items: list):
        """Write one value after the other, each when the one before is gone."""
        out = self._sink.out
        for number, _, reading, _ in items:
            sent = False
            source = reading[SOURCE]
            columns = self._sink.cursor.columns(source)
            found = texts(reading[VALUES], source.channels, columns, *self._words)
            for key, text in zip(found, found):
                out.cut(0)
                out.put(text)
                if out.overrun:
                    warning = "%s of %s is longer than `batch`: left out"
                    self._sink.log().warning(warning, key, source.name)
                    if not self._sink.retain:
                        continue
                    out.cut(0)
                sent = True
                yield self._topic(source, key), self._sink.retain, None
            if self._sink.retain:
                shown = self._shown.get(source, -1)
                self._shown[source] = bits = _bits(reading[VALUES], columns)
                for index in columns:
                    if shown & ~bits & 1 << index:
                        sent = True
                        out.cut(0)
                        yield self._topic(source, source.channels[index][KEY]), True, None
            if sent:
                self._sink.done(number)
            else:
                self._sink.empty(number)

    def _topic(self, source, key: str) -> bytes:
        return b"%s/%s/%s" % (self._sink.topic, source.name.encode(), key.encode())


def _bits(values: tuple, columns) -> int:
    """A bit per wanted value that is there."""
    found = 0
    for index in columns:
        if values[index] is not None:
            found |= 1 << index
    return found
