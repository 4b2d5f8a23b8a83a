"""The MQTT sink's layouts `topics` and `emoncms`: one message per value, without a time.

    <topic>/<source>/<key>    45678.123

Whoever receives such a message takes it for a value of now, so only the newest reading of each
source is sent; older ones count as superseded. The values of one set of readings may be on their
way together, since each has a topic of its own; the next set waits until the broker has them all.
EmonCMS makes an empty input of a text, so that layout leaves texts out.
"""

from exact import DECIMALS, KEY, KIND, text

from ..reading import SOURCE, VALUES

CARRIES_TIME = False
ORDER = "strict"


class Layout:
    """Writes the next value; a message is (topic, retain, serial)."""

    def __init__(self, sink) -> None:
        self._sink = sink
        self._texts = sink.entry["layout"] != "emoncms"
        self._messages = None  # what is left of the set that is being sent

    def reset(self) -> None:
        """The connection was lost: the cursor has gone back to what is not confirmed."""
        self._messages = None

    async def compose(self) -> tuple | None:
        """Write the next message; None when there is nothing to send before the broker answers."""
        while True:
            if self._messages is None:
                if self._sink.on_way:
                    return None
                found = await self._sink.cursor.newest()
                if not found:
                    return None
                self._messages = self._of(found)
            for message in self._messages:
                return message
            self._messages = None

    def _of(self, found: list):
        """Write one value after the other, each when the one before is gone."""
        for serial, _, reading, _ in found:
            sent = False
            source = reading[SOURCE]
            for index in self._sink.cursor.columns(source):
                topic = self._put(source, source.channels[index], reading[VALUES][index])
                if topic is not None:
                    sent = True
                    yield topic, self._sink.retain, None
            if sent:
                self._sink.done(serial)
            else:
                self._sink.empty(serial)

    def _put(self, source, channel: tuple, value) -> bytes | None:
        """Write a value and return its topic; None where there is nothing to send."""
        if value is None or (channel[KIND] == "text" and not self._texts):
            return None
        out = self._sink.out
        out.cut(0)
        out.put(value if isinstance(value, str) else text(value, channel[DECIMALS]))
        if out.overrun:
            key = channel[KEY]
            self._sink.log.warning("%s of %s is longer than `batch`: left out", key, source.name)
            return None
        return b"%s/%s/%s" % (self._sink.topic, source.name.encode(), channel[KEY].encode())
