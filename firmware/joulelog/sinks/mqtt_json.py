"""The MQTT sink's layout `json`: whole readings, with their time and an id.

    <topic>/<source>/state    {"id":"1f0c1a22-1c2","time":"2026-11-20T10:00:00Z","power_import":42}
    <topic>/<source>/backlog  {"readings":[{...},{...}]}

The newest reading of each source goes to state; those that something newer has followed go to
backlog (not retained), several in a message. An id belongs to one reading for ever: whoever meets
it again has a duplicate, which happens only across a reconnect. Numbers have the meter's digits; a
value that the meter did not give is left out.
"""

import json

from exact import DECIMALS, KEY, text
from micropython import const

from .. import clock
from ..reading import SOURCE, TIME, VALUES

CARRIES_TIME = True
ORDER = "any"

_WRAPPER = const(16)  # bytes around the readings in a backlog message
_ANY_TEXT = const(8192)  # characters
_RATE_PAUSE_MS = const(100)


class Layout:
    """Decides what the next message is and writes it; a message is (topic, retain, serial)."""

    def __init__(self, sink) -> None:
        self._sink = sink
        self._cursor = sink.cursor
        self._queue = sink.app.queue
        self._every = sink.entry["every"]
        self._rate = sink.entry["rate"]
        self._next_ms = 0  # uptime before which no backlog is sent

    def reset(self) -> None:
        """The connection was lost: the cursor has gone back to what is not confirmed."""

    async def compose(self) -> tuple | None:
        """Write the next message; None when there is nothing to send."""
        while True:
            item = await self._cursor.next()
            if item is None:
                return None
            if self._is_newest(item):
                message = self._state(item)
            elif clock.uptime_ms() < self._next_ms:
                self._cursor.unread()
                left_ms = self._next_ms - clock.uptime_ms()
                await clock.sleep_ms(min(max(1, left_ms), _RATE_PAUSE_MS))
                continue
            else:
                message = await self._backlog(item)
            if message is not None:
                await clock.sleep_ms(0)  # what follows is a step of its own
                return message

    def _state(self, item: tuple) -> tuple | None:
        """Write a reading that is of now."""
        source = item[2][SOURCE]
        if not self._put_alone(item):
            self._cursor.skip()
            return None
        if not self._fits():
            self._sink.too_large(item)
            return None
        return self._topic(source, b"state"), self._sink.retain, item[0]

    async def _backlog(self, item: tuple) -> tuple | None:
        """Write as many readings of one source as fit; item is the first."""
        out = self._sink.out
        source = item[2][SOURCE]
        last = None
        count = 0
        out.cut(0)
        out.put('{"readings":[')
        while True:
            mark = out.length
            if count:
                out.put(",")
            values = self._put(item, _ANY_TEXT)
            if out.overrun and not count:
                out.cut(mark)
                values = self._put(item, 0)
            if not values:
                out.cut(mark)
                self._cursor.skip()
            elif not out.overrun and out.room() >= 2:
                last = item[0]
                count += 1
            elif not count:
                self._sink.too_large(item)
                return None
            else:
                out.cut(mark)
                self._cursor.unread()
                break
            await clock.sleep_ms(0)  # a reading takes some ms of a chip
            if count == self._rate > 0:
                break
            item = await self._cursor.next()
            if item is None:
                break
            if item[2][SOURCE].name != source.name or self._is_newest(item):
                self._cursor.unread()
                break
        if not count:
            return None
        if self._rate:
            # From when it was due: what is late by a pause is made up for, no more.
            due_ms = max(self._next_ms, clock.uptime_ms() - _RATE_PAUSE_MS)
            self._next_ms = due_ms + count * 1000 // self._rate
        out.put("]}")
        return self._topic(source, b"backlog"), False, last

    def _is_newest(self, item: tuple) -> bool:
        """True where no reading of the same source that this sink wants waits behind."""
        _, time, reading, _ = item
        latest = self._queue.latest.get(reading[SOURCE].name)
        if latest is reading:
            return True
        if not self._every or latest is None:
            return False
        latest_time = self._queue.clock.resolve(latest[TIME])
        return latest_time is not None and latest_time // self._every == time // self._every

    def _put_alone(self, item: tuple) -> int:
        """Write one reading, without its texts where they are too long; return how many values."""
        out = self._sink.out
        out.cut(0)
        values = self._put(item, _ANY_TEXT)
        if self._fits():
            return values
        out.cut(0)
        return self._put(item, 0)

    def _fits(self) -> bool:
        """Whether the reading would also fit alone into a backlog message, if it has to."""
        out = self._sink.out
        return not out.overrun and out.room() >= _WRAPPER

    def _put(self, item: tuple, longest_text: int) -> int:
        """Write a reading as a JSON object; return how many values it has.

        A meter may show its owner a message of 1024 characters: it must not stop the numbers.
        """
        put = self._sink.out.put
        serial, time, reading, boot = item
        source = reading[SOURCE]
        channels = source.channels
        values = reading[VALUES]
        count = 0
        put('{"id":"%08x-%x","time":"%s"' % (boot, serial, clock.iso(time)))
        for index in self._cursor.columns(source):
            value = values[index]
            if value is None:
                continue
            channel = channels[index]
            if not isinstance(value, str):  # json would round: the digits are those of the meter
                put(',"%s":%s' % (channel[KEY], text(value, channel[DECIMALS])))
            elif len(value) <= longest_text:
                put(',"%s":%s' % (channel[KEY], json.dumps(value)))
            else:
                self._sink.log.warning("%s of %s is left out: too long", channel[KEY], source.name)
                continue
            count += 1
        put("}")
        return count

    def _topic(self, source, last: bytes) -> bytes:
        return b"%s/%s/%s" % (self._sink.topic, source.name.encode(), last)
