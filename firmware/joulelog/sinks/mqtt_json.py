"""The MQTT sink's layout `json`: whole readings, with their time and an id.

    <topic>/<source>/state    {"id":"5f0c1a22-1c2","time":"2026-11-20T10:00:00Z","power_import":42}
    <topic>/<source>/backlog  {"readings":[{...},{...}]}

The newest reading of each source goes to state, at once even while older ones wait; these follow
in backlog (not retained), several in a message. An id belongs to one reading for ever: whoever
meets it again has a duplicate, which happens only across a reconnect. Numbers have the meter's
digits; a value that the meter did not give is left out.
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
_LOOK_BACK = const(16)  # newest readings among which a live one is looked for


class Layout:
    """Decides what the next message is and writes it; a message is (topic, retain, serial)."""

    def __init__(self, sink) -> None:
        self._sink = sink
        self._cursor = sink.cursor
        self._queue = sink.app.queue
        self._sources = sink.entry.get("sources")
        self._every = sink.entry.get("every")
        self._early: list = []  # serials ahead of the cursor that went to state already
        self._looked = -1  # newest serial that was looked at for being live

    def reset(self) -> None:
        """The connection was lost: the cursor has gone back to what is not confirmed."""
        self._early = []
        self._looked = -1

    async def compose(self) -> tuple | None:
        """Write the next message; None when there is nothing to send."""
        while True:
            found = self._cursor.next()
            if found is None:
                return None
            if self._went_early(found[0]):
                self._sink.done(found[0])
                continue
            if self._is_newest(found):
                message = self._state(found)
            else:
                message = self._live(found[0]) or await self._backlog(found)
            if message is not None:
                await clock.sleep_ms(0)  # what follows is a step of its own
                return message

    def _state(self, found: tuple) -> tuple | None:
        """Write a reading whose turn it is, and that is of now."""
        serial, time, reading = found
        source = reading[SOURCE]
        if not self._put_alone(serial, time, reading):
            self._cursor.skip()
            return None
        if not self._fits():
            self._sink.too_large(serial)
            return None
        return self._topic(source, b"state"), self._sink.retain, serial

    def _live(self, behind: int) -> tuple | None:
        """Write a reading that has just come, past those that wait; their cursor stays behind it.

        With `every` the newest reading is seldom a wanted one: then each waits for its turn.
        """
        if self._every:
            return None
        newest = self._queue.newest
        for serial in range(newest, max(behind, self._looked, newest - _LOOK_BACK), -1):
            reading = self._queue.get(serial)
            if reading is None or serial in self._early or not self._is_live(reading):
                continue
            time = self._queue.clock.resolve(reading[TIME])
            if time is None or not self._put_alone(serial, time, reading) or not self._fits():
                continue  # its own turn will show what is wrong
            self._cursor.unread()
            self._early.append(serial)
            self._early.sort()
            return self._topic(reading[SOURCE], b"state"), self._sink.retain, None
        self._looked = newest
        return None

    async def _backlog(self, found: tuple) -> tuple | None:
        """Write as many readings of one source as fit; found is the first."""
        out = self._sink.out
        source = found[2][SOURCE]
        last = None
        out.cut(0)
        out.put('{"readings":[')
        while True:
            serial, time, reading = found
            mark = out.length
            if last is not None:
                out.put(",")
            values = self._put(serial, time, reading, _ANY_TEXT)
            if out.overrun and last is None:
                out.cut(mark)
                values = self._put(serial, time, reading, 0)
            if not values:
                out.cut(mark)
                self._cursor.skip()
            elif not out.overrun and out.room() >= 2:
                last = serial
            elif last is None:
                self._sink.too_large(serial)
                return None
            else:
                out.cut(mark)
                self._cursor.unread()
                break
            await clock.sleep_ms(0)  # a reading takes some ms of a chip
            found = self._cursor.next()
            if found is None:
                break
            other = found[2][SOURCE].name != source.name
            if other or self._went_early(found[0]) or self._is_newest(found):
                self._cursor.unread()
                break
        if last is None:
            return None
        out.put("]}")
        return self._topic(source, b"backlog"), False, last

    def _is_newest(self, found: tuple) -> bool:
        """True where no reading of the same source that this sink wants waits behind."""
        _, time, reading = found
        latest = self._queue.latest.get(reading[SOURCE].name)
        if latest is reading:
            return True
        if not self._every or latest is None:
            return False
        latest_time = self._queue.clock.resolve(latest[TIME])
        return latest_time is not None and latest_time // self._every == time // self._every

    def _is_live(self, reading: tuple) -> bool:
        """True for the newest reading of a source that this sink wants."""
        name = reading[SOURCE].name
        wanted = self._sources is None or name in self._sources
        return wanted and self._queue.latest.get(name) is reading

    def _went_early(self, serial: int) -> bool:
        """True for a reading that has overtaken those before it; asked in the order of serials."""
        early = self._early
        while early and early[0] < serial:
            early.pop(0)
        return bool(early) and early[0] == serial

    def _put_alone(self, serial: int, time: int, reading: tuple) -> int:
        """Write one reading, without its texts where they are too long; return how many values."""
        out = self._sink.out
        out.cut(0)
        values = self._put(serial, time, reading, _ANY_TEXT)
        if self._fits():
            return values
        out.cut(0)
        return self._put(serial, time, reading, 0)

    def _fits(self) -> bool:
        """Whether the reading would also fit alone into a backlog message, if it has to."""
        out = self._sink.out
        return not out.overrun and out.room() >= _WRAPPER

    def _put(self, serial: int, time: int, reading: tuple, longest_text: int) -> int:
        """Write a reading as a JSON object; return how many values it has.

        A meter may show its owner a message of 1024 characters: it must not stop the numbers.
        """
        put = self._sink.out.put
        source = reading[SOURCE]
        channels = source.channels
        values = reading[VALUES]
        count = 0
        put('{"id":"%s-%x","time":"%s"' % (self._sink.app.boot_id, serial, clock.iso(time)))
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
