"""The MQTT sink's layout `json`: whole readings, with their time and an id.

    <topic>/<source>/state    {"id":"1f0c1a22-1c2","time":"2026-11-20T10:00:00Z","power_import":42}
    <topic>/<source>/backlog  {"readings":[{...},{...}]}

<topic>: `topic`, else the name of the device that it was read on, also where that is another now.

The newest reading of each source goes to state; those that something newer has followed go to
backlog (not retained), several in a message. An id belongs to one reading for ever: whoever meets
it again has a duplicate, which happens only across a reconnect. Numbers have the meter's digits; a
value that the meter did not give is left out. When it gives none any more, each is null, once.
"""

import json

from exact import KEY
from micropython import const

from .. import clock
from ..flow.reading import DEVICE, SOURCE, TIME, VALUES, texts

_WRAPPER = const(16)  # bytes around the readings in a backlog message
_RATE_PAUSE_MS = const(100)


class Layout:
    """Decides what the next message is and writes it; a message is (topic, retain, serial)."""

    def __init__(self, sink, queue) -> None:
        self._sink = sink
        self._cursor = sink.cursor
        self._queue = queue
        self._every = sink.entry["every"]
        self._rate = sink.entry["rate"]
        self._next_ms = 0  # uptime before which no backlog is sent
        self._unknown: list = []  # names of sources whose newest reading has no value

    def reset(self) -> None:
        """The connection was lost: the cursor has gone back to what is not confirmed."""
        self._unknown.clear()

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
        if self._put_alone(item):
            if source.name in self._unknown:
                self._unknown.remove(source.name)
        elif source.name in self._unknown:
            self._cursor.skip()
            return None
        else:
            self._unknown.append(source.name)
            self._put_unknown(source)
        if not self._fits():
            self._sink.too_large(item)
            return None
        return self._topic(source, b"state"), self._sink.retain, item[0]

    async def _backlog(self, item: tuple) -> tuple | None:
        """Write as many readings of one source as fit; item is the first."""
        out = self._sink.out
        source = item[2][SOURCE]
        most = self._sink.most
        last = None
        count = 0
        out.cut(0)
        out.put('{"readings":[')
        while True:
            mark = out.length
            if count:
                out.put(",")
            values = self._put(item, json.dumps)
            if out.overrun and not count:
                out.cut(mark)
                values = self._put(item, _too_long)
            if not values:
                out.cut(mark)
                self._cursor.skip()
            elif not out.overrun and out.room() >= 2 and (not count or out.length < most):
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
            other = item[2][SOURCE]
            is_other = (
                other.name != source.name or other.identity[DEVICE] != source.identity[DEVICE]
            )
            if is_other or self._is_newest(item):
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
        latest = self._queue.latest.of(reading[SOURCE].name)
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
        values = self._put(item, json.dumps)
        if self._fits():
            return values
        out.cut(0)
        return self._put(item, _too_long)

    def _put_unknown(self, source) -> None:
        """Write null for each channel behind the id and the time of a reading without a value."""
        out = self._sink.out
        mark = out.length - 1
        out.cut(mark)
        for index in self._cursor.columns(source):
            out.put(',"%s":null' % source.channels[index][KEY])
        if out.overrun or out.room() < _WRAPPER + 1:
            out.cut(mark)
        out.put("}")

    def _fits(self) -> bool:
        """Whether the reading would also fit alone into a backlog message, if it has to."""
        out = self._sink.out
        return not out.overrun and out.room() >= _WRAPPER

    def _put(self, item: tuple, words) -> int:
        """Write a reading as a JSON object; return how many values it has.

        words: as of texts(); "" leaves a text out. A meter may show its owner a message of 1024
        characters: it must not stop the numbers.
        """
        put = self._sink.out.put
        serial, time, reading, boot = item
        source = reading[SOURCE]
        count = 0
        put('{"id":"%08x-%x","time":"%s"' % (boot, serial, clock.iso(time)))
        columns = self._cursor.columns(source)
        found = texts(reading[VALUES], source.channels, columns, words, _moment)
        for pair in zip(found, found):
            if pair[1]:
                put(',"%s":%s' % pair)
                count += 1
            else:
                self._sink.log().warning("%s of %s is left out: too long", pair[0], source.name)
        put("}")
        return count

    def _topic(self, source, last: bytes) -> bytes:
        device = source.identity[DEVICE]
        topic = self._sink.topic if self._sink.entry["topic"] or not device else device.encode()
        return b"%s/%s/%s" % (topic, source.name.encode(), last)


def _moment(time: int) -> str:
    return '"%s"' % clock.iso(time)


def _too_long(_text: str) -> str:
    return ""
