"""Publish readings to an MQTT broker, QoS 1, in one of three layouts.

    {"type": "mqtt", "host": "broker.example", "user": "logger", "password": "..."}

json     <topic>/<source>/state    {"id":"5f-1c2","time":"2026-11-20T10:00:00Z","power_import":421}
         <topic>/<source>/backlog  {"readings":[{...},{...}]}: what waited while a newer one went to
                                   state; not retained
         An id belongs to one reading for ever: who has seen it has a duplicate, which happens only
         across a reconnect. Numbers have the meter's digits.
topics   <topic>/<source>/<key>    45678.123; no time, so only the newest reading is sent
emoncms  <topic>/<source>/<key>    the same for EmonCMS, which stores it as of now: <topic> is "emon",
                                   nothing is retained, texts are left out

<topic>/status is "online", and "offline" when the connection is lost (retained, last will). A
reading is confirmed when the broker has acknowledged all that was made of it and of those before.
"""

import asyncio
import binascii
import json

from exact import DECIMALS, KEY, KIND, text
from micropython import const

from .. import clock
from ..errors import ConfigError
from ..net import tls
from ..reading import SOURCE, TIME, VALUES
from .batch import BatchSink

SCHEMA = (
    """\
host | text | required | name or address of the broker
port | int 1..65535 | null | null: 1883, with tls 8883
tls | bool | false | encrypt the connection
user | text | "" | "": without
password | secret | "" |
client_id | name | null | null: the device's name and the end of the chip's number
topic | text | null | what all topics begin with; null: the device's name, in layout emoncms "emon"
layout | choice json topics emoncms | "json" | see the README
retain | bool | null | the broker keeps the newest; null: yes, in layout emoncms no
keepalive | int 5..3600 | 60 | seconds after which the broker misses a silent logger
in_flight | int 1..8 | 8 | messages on their way at the same time
batch | int 256..8192 | 1024 | largest message in bytes
timeout | int 1..120 | 10 | seconds that the broker may take for an answer
"""
    + tls.SCHEMA
)

_SERIAL = const(0)  # an entry on its way: [serial of the last reading in it or None, state]
_STATE = const(1)
_ON_WAY = const(0)
_ACKED = const(1)
_UNSENT = const(2)  # set aside, or without a value
_WRAPPER = const(16)  # bytes around the readings in a backlog message
_LOOK_BACK = const(16)  # readings among which a live one is looked for while a backlog goes out
_TOPIC_ROOM = const(72)  # bytes for source, key and packet header: more costs a second write


class Sink(BatchSink):
    """Keeps several messages on their way; counters, state and buffer are those of all batch sinks."""

    def __init__(self, name: str, entry: dict, app, cursor) -> None:
        super().__init__(name, entry, app, cursor)
        layout = entry["layout"]
        self.carries_time = layout == "json"
        self.order = "any" if self.carries_time else "strict"
        topic = entry["topic"] or ("emon" if layout == "emoncms" else app.device)
        _check_topic(topic)
        self._base = topic.encode()
        self._retain = entry["retain"] if entry["retain"] is not None else layout != "emoncms"
        self._texts = layout != "emoncms"
        self._compose = self._compose_json if self.carries_time else self._compose_values
        self._topic = b""  # of the message in the buffer
        self._kept = False  # it is to be retained
        self._flight: list = []  # entries in the order of their readings
        self._on_way = 0  # messages that are not acknowledged
        self._early: list = []  # serials ahead of the cursor that went to state already
        self._looked = -1  # newest serial that was looked at for being live
        self._failure: Exception | None = None  # that ended the client
        self._set = None  # what is left of the readings that are being sent value by value

    async def run(self) -> None:
        """Send for ever."""
        # Imported here: mqtt_as takes 6 kB, and a config can be checked without it.
        import mqtt_as

        from ..net import mqtt_client

        if mqtt_as.VERSION != mqtt_client.VERSION:
            versions = _dotted(mqtt_client.VERSION), _dotted(mqtt_as.VERSION)
            self._say("denied", "mqtt_as %s is needed, not %s: run `make deps`" % versions)
            while True:
                await clock.sleep_ms(3600000)
        client = self._new_client(mqtt_client)
        self._failure = None
        keeper = asyncio.create_task(self._keep(client))
        try:
            await self._send(client)
        finally:
            keeper.cancel()
            client.close()

    async def _keep(self, client) -> None:
        try:
            await client.run()
        except Exception as failure:  # noqa: BLE001 - run() raises it: the supervisor restarts both
            self._failure = failure
            self.cursor.wake()

    def acked(self, entry: list) -> None:
        """The broker has this message."""
        entry[_STATE] = _ACKED
        self._on_way -= 1
        self._settle()
        self.cursor.wake()

    def changed(self, state: str, why: str) -> None:
        """The connection's state is another."""
        self._say(state, why)
        self.cursor.wake()

    def _new_client(self, mqtt_client):
        entry = self.entry
        status = self._base + b"/status"
        user = entry["user"].encode()
        password = entry["password"].encode()
        client_id = (entry["client_id"] or "%s-%s" % (self.app.device, _chip())).encode()
        settings = {
            "client_id": client_id,
            "user": user,
            "password": password,
            "port": entry["port"] or (8883 if entry["tls"] else 1883),
            "keepalive": entry["keepalive"],
            "response_time": entry["timeout"],
            "will": (status, b"offline", True, 1),
            "birth": (status, b"online"),
        }
        return mqtt_client.Client(
            entry["host"],
            settings,
            tls.context(entry) if entry["tls"] else None,
            self.app.network,
            entry["batch"] + len(status) + _TOPIC_ROOM,
            self.acked,
            self.changed,
        )

    async def _send(self, client) -> None:
        """Keep as many messages on their way as are allowed."""
        self._give_back()
        while self._failure is None:
            if not client.ready:
                if self._flight or self._set:
                    self._give_back()
            elif self._on_way < self.entry["in_flight"]:
                entry = await self._compose()
                if entry is not None:
                    self._flight.append(entry)
                    self._on_way += 1
                    try:
                        await client.send(self._topic, self._out.view(), self._kept, entry)
                    except OSError:
                        pass  # the client is not ready any more
                    continue
            await self.cursor.wait()
        raise self._failure

    def _give_back(self) -> None:
        """Without a connection nothing is on its way: the cursor will give it again."""
        self.retried += self._on_way
        self._flight = []
        self._on_way = 0
        self._set = None
        self._early = []
        self._looked = -1
        self.cursor.rewind()

    def _settle(self) -> None:
        """Confirm the readings at the front that are done."""
        flight = self._flight
        while flight and flight[0][_STATE] != _ON_WAY:
            serial, state = flight.pop(0)
            if serial is None:
                continue
            if state == _ACKED:
                self.cursor.confirm(serial)
            else:
                self.cursor.set_aside(serial)

    def _done(self, serial: int, state: int) -> None:
        """A reading that needs no message (any more)."""
        self._flight.append([serial, state])
        self._settle()

    def _too_large(self, source, serial: int | None) -> None:
        self.set_aside += 1
        self.log.error("a reading of %s is larger than `batch`: it was set aside", source.name)
        if serial is not None:
            self._done(serial, _UNSENT)

    # Layout json

    async def _compose_json(self) -> list | None:
        """Write the next message; return its entry, or None when there is nothing to send."""
        while True:
            found = self.cursor.next()
            if found is None:
                return None
            serial, time, reading = found
            if self._sent_early(serial):
                self._done(serial, _ACKED)  # by its state message, which stands before it
            elif self._is_newest(time, reading):
                entry = self._compose_state(serial, time, reading)
                if entry is not None:
                    return entry
            else:
                entry = self._compose_live(serial)
                if entry is not None:
                    return entry
                entry = await self._compose_backlog(found)
                if entry is not None:
                    return entry

    def _compose_state(self, serial: int, time: int, reading: tuple) -> list | None:
        out = self._out
        out.cut(0)
        values = self._put_reading(serial, time, reading)
        if not values:
            self.cursor.skip()
            return None
        if out.overrun or out.room() < _WRAPPER:  # alone in a backlog message it must fit, too
            self._too_large(reading[SOURCE], serial)
            return None
        self._address(reading[SOURCE], b"state", self._retain)
        return [serial, _ON_WAY]

    def _compose_live(self, behind: int) -> list | None:
        """Write the state message of a reading that has just come, past the ones that wait.

        Its own turn comes later; the entry is not the one that confirms it. With `every` the
        newest reading is seldom a wanted one: then they all wait for their turn.
        """
        if self.entry.get("every"):
            return None
        queue = self.app.queue
        newest = queue.newest
        for serial in range(newest, max(behind, self._looked, newest - _LOOK_BACK), -1):
            reading = queue.get(serial)
            if reading is None or serial in self._early or not self._is_live(reading):
                continue
            time = queue.clock.resolve(reading[TIME])
            self._out.cut(0)
            if time is None or not self._put_reading(serial, time, reading):
                continue
            if self._out.overrun or self._out.room() < _WRAPPER:
                continue
            self.cursor.unread()
            self._early.append(serial)
            self._early.sort()
            self._address(reading[SOURCE], b"state", self._retain)
            return [None, _ON_WAY]
        self._looked = newest
        return None

    def _is_live(self, reading: tuple) -> bool:
        """True for the newest reading of a source that this sink wants."""
        name = reading[SOURCE].name
        wanted = self.entry.get("sources")
        return (wanted is None or name in wanted) and self.app.queue.latest.get(name) is reading

    def _sent_early(self, serial: int) -> bool:
        """True for a reading that has overtaken those before it; asked in the order of serials."""
        early = self._early
        while early and early[0] < serial:
            early.pop(0)
        return bool(early) and early[0] == serial

    async def _compose_backlog(self, found: tuple) -> list | None:
        """Write as many readings of one source as fit; found is the first."""
        out = self._out
        source = found[2][SOURCE]
        last = None
        out.cut(0)
        out.put('{"readings":[')
        while True:
            serial, time, reading = found
            mark = out.length
            if last is not None:
                out.put(",")
            values = self._put_reading(serial, time, reading)
            if not values:
                out.cut(mark)
                self.cursor.skip()
            elif not out.overrun and out.room() >= 2:
                last = serial
            elif last is None:
                self._too_large(source, serial)
                return None
            else:
                out.cut(mark)
                self.cursor.unread()
                break
            await clock.sleep_ms(0)  # a reading takes some ms of a chip
            found = self.cursor.next()
            if found is None:
                break
            if found[2][SOURCE].name != source.name or not self._is_old(found):
                self.cursor.unread()
                break
        if last is None:
            return None
        out.put("]}")
        self._address(source, b"backlog", False)
        return [last, _ON_WAY]

    def _is_old(self, found: tuple) -> bool:
        """True for a reading that belongs into the backlog."""
        return not self._sent_early(found[0]) and not self._is_newest(found[1], found[2])

    def _is_newest(self, time: int, reading: tuple) -> bool:
        """True where no reading of the same source that this sink wants waits behind."""
        latest = self.app.queue.latest.get(reading[SOURCE].name)
        if latest is reading:
            return True
        every = self.entry.get("every")
        if not every or latest is None:
            return False
        latest_time = self.app.queue.clock.resolve(latest[TIME])
        return latest_time is not None and latest_time // every == time // every

    def _put_reading(self, serial: int, time: int, reading: tuple) -> int:
        """Write a reading as a JSON object; return how many values it has."""
        out = self._out
        source = reading[SOURCE]
        values = reading[VALUES]
        count = 0
        out.put('{"id":"%s-%x","time":"%s"' % (self.app.boot_id, serial, clock.iso(time)))
        for index in self.cursor.columns(source):
            value = values[index]
            if value is None:
                continue
            channel = source.channels[index]
            # Never a number through json: the digits are those of the meter.
            number = (
                json.dumps(value) if isinstance(value, str) else text(value, channel[DECIMALS])
            )
            out.put(',"%s":%s' % (channel[KEY], number))
            count += 1
        out.put("}")
        return count

    def _address(self, source, last: bytes, retain: bool) -> None:
        self._topic = b"%s/%s/%s" % (self._base, source.name.encode(), last)
        self._kept = retain

    # Layouts without time: the newest readings, one message per value

    async def _compose_values(self) -> list | None:
        """Write the next value; None until the broker has all those of the readings before."""
        while True:
            if self._set is None:
                if self._on_way:
                    return None
                found = self.cursor.newest()
                if not found:
                    return None
                self._set = self._values(found)
            for _ in self._set:
                return [None, _ON_WAY]
            self._set = None

    def _values(self, found: list):
        """Write one value after the other into the buffer."""
        for serial, _, reading in found:
            source = reading[SOURCE]
            sent = False
            for index in self.cursor.columns(source):
                value = reading[VALUES][index]
                channel = source.channels[index]
                if value is None or (channel[KIND] == "text" and not self._texts):
                    continue
                self._out.cut(0)
                self._out.put(value if isinstance(value, str) else text(value, channel[DECIMALS]))
                if self._out.overrun:
                    self._too_large(source, None)
                    continue
                self._address(source, channel[KEY].encode(), self._retain)
                sent = True
                yield
            self._done(serial, _ACKED if sent else _UNSENT)


def _check_topic(topic: str) -> None:
    """Raise ConfigError for a topic that a broker would cut the connection for."""
    for char in topic:
        if char in "+#" or ord(char) < 32:
            raise ConfigError("topic: %r is not possible; + and # are for subscribers" % topic)
    if topic.startswith("$") or topic.endswith("/"):
        raise ConfigError("topic: %r is not possible; no $ at the start, no / at the end" % topic)


def _chip() -> str:
    """The last six digits of the chip's number."""
    import machine

    return binascii.hexlify(machine.unique_id()).decode()[-6:]


def _dotted(version: tuple) -> str:
    return ".".join([str(number) for number in version])
