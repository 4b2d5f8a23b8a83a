"""Publish readings to an MQTT broker, QoS 1, in one of three layouts.

    {"type": "mqtt", "host": "broker.example", "user": "logger", "password": "..."}

json     <topic>/<source>/state and /backlog, with time and id: see mqtt_json.py
topics   <topic>/<source>/<key>, one value each, only of now: see mqtt_values.py
emoncms  the same for EmonCMS's MQTT input: <topic> is "emon", nothing is retained, no texts

<topic>/status is "online", and "offline" when the connection is lost (retained, last will).

Several messages are on their way at a time. A reading is confirmed when the broker has
acknowledged all that was made of it and of the readings before. When the connection is lost
nothing is repeated blindly: the cursor goes back, and the layout decides anew what is of now and
what is backlog.
"""

import binascii

from micropython import const

from ..errors import ConfigError
from ..net import tls
from .sink import ServerSink

SCHEMA = (
    """\
host | text | required | name or address of the broker
port | int 1..65535 | null | null: 1883, with tls 8883
tls | bool | false | encrypt the connection
user | text | "" | "": none
password | secret | "" | of this user
client_id | name | null | null: the device's name and the end of the chip's number
topic | text | null | what all topics begin with; null: the device's name, in layout emoncms "emon"
layout | choice json topics emoncms | "json" | json: with time and backlog; topics: one value each
retain | bool | null | the broker keeps the newest; null: yes, in layout emoncms no
keepalive | int 5..3600 | 60 | seconds after which the broker misses a silent logger
in_flight | int 1..8 | 8 | messages on their way at the same time
batch | int 256..8192 | 1024 | largest message in bytes
backfill | choice in_order live_first | "live_first" | layout json: new readings pass a backlog
rate | int 0..1000 | 0 | layout json: most readings of a backlog per second; 0: no limit
timeout | int 1..120 | 10 | seconds that the broker may take for an answer
""",
    tls.SCHEMA,  # not joined: the texts stay in ROM
)

_STATE = const(1)  # of an entry in _flight: [serial or None, state, item where it is too large]
_ON_WAY = const(0)
_DONE = const(1)
_EMPTY = const(2)  # without a value for this sink
_TOO_LARGE = const(3)
_TOPIC_ROOM = const(72)  # bytes for source, key and packet header: more costs a second write


class Sink(ServerSink):
    """Keeps several messages on their way; see the module's text."""

    def __init__(self, name: str, entry: dict, app, cursor) -> None:
        ServerSink.__init__(self, name, entry, app, cursor)
        emoncms = entry["layout"] == "emoncms"
        topic = entry["topic"] or ("emon" if emoncms else app.device)
        _check_topic(topic)
        _check_user(entry)
        self.topic = topic.encode()
        self.retain = not emoncms if entry["retain"] is None else entry["retain"]
        self.on_way = 0  # messages that are not acknowledged
        self._flight: list = []  # in the order of the readings, those without a message included
        self._failure: Exception | None = None  # that ended the client
        # Each layout is a module of its own: a board loads one.
        if entry["layout"] == "json":
            from . import mqtt_json as layout
        else:
            from . import mqtt_values as layout
        # mqtt_as is large: not above, because a config is checked without it; not in run(), for
        # what stays for ever should lie side by side.
        from ..net import mqtt_client

        self._client_class = mqtt_client.Client
        self._layout = layout.Layout(self)
        self.carries_time = self.durable = layout.CARRIES_TIME
        self.order = layout.ORDER

    async def run(self) -> None:
        """Send for ever."""
        client = self._new_client()
        self._failure = None
        keeper = self.app.supervisor.child(self.name, self._keep(client))
        try:
            await self._send(client)
        finally:
            keeper.cancel()
            client.close()

    def acked(self, entry: list) -> None:
        """The broker has this message."""
        entry[_STATE] = _DONE
        self.on_way -= 1
        self._settle()
        self.cursor.wake()

    def changed(self, state: str, why: str) -> None:
        """The connection's state is another."""
        self.say(state, why)
        self.cursor.wake()

    def done(self, serial: int) -> None:
        """A layout has sent this reading, with messages that stand before."""
        self._flight.append([serial, _DONE])
        self._settle()

    def empty(self, serial: int) -> None:
        """A layout found nothing to send in this reading."""
        self._flight.append([serial, _EMPTY])
        self._settle()

    def too_large(self, item: tuple) -> None:
        """A layout can never send this item of the cursor's."""
        self._flight.append([item[0], _TOO_LARGE, item])
        self._settle()

    def _new_client(self):
        entry = self.entry
        status = self.topic + b"/status"
        client_id = entry["client_id"] or "%s-%s" % (self.app.device, _chip())
        if not entry["client_id"] and self.name != "mqtt":
            client_id += "-" + self.name  # two with the same id would push each other out
        settings = {
            "client_id": client_id.encode(),
            "user": entry["user"].encode(),
            "password": entry["password"].encode(),
            "port": entry["port"] or (8883 if entry["tls"] else 1883),
            "keepalive": entry["keepalive"],
            "response_time": entry["timeout"],
            "will": (status, b"offline", True, 1),
            "birth": (status, b"online"),
        }
        room = entry["batch"] + len(status) + _TOPIC_ROOM
        return self._client_class(
            entry["host"],
            settings,
            tls.context(entry) if entry["tls"] else None,
            self.app.network,
            # A small heap has no room for two of them: then a payload is a write of its own.
            min(room, getattr(self.app.board, "SEND_BUFFER", room)),
            self.acked,
            self.changed,
        )

    async def _keep(self, client) -> None:
        try:
            await client.run()
        except Exception as failure:  # _send() raises it, so that both are started again
            self._failure = failure
            self.cursor.wake()

    async def _send(self, client) -> None:
        """Keep as many messages on their way as are allowed."""
        self._give_back()
        while self._failure is None:
            if not client.ready:
                self._give_back()
            elif self.on_way < self.entry["in_flight"]:
                message = await self._layout.compose()
                if message is not None:
                    await self._start(client, message)
                    continue
            await self.cursor.wait()
        raise self._failure

    async def _start(self, client, message: tuple) -> None:
        topic, retain, serial = message
        entry = [serial, _ON_WAY]
        self._flight.append(entry)
        self.on_way += 1
        try:
            await client.send(topic, self.out.view(), retain, entry)
        except OSError:
            pass  # then the client is not ready any more

    def _give_back(self) -> None:
        """Without a connection nothing is on its way: the cursor will give it again."""
        if self._flight or self.cursor.in_flight:
            self.retried += self.on_way
            self._flight = []
            self.on_way = 0
            self.cursor.rewind()
        self._layout.reset()

    def _settle(self) -> None:
        """Confirm the readings at the front that are done."""
        flight = self._flight
        while flight and flight[0][_STATE] != _ON_WAY:
            entry = flight.pop(0)
            serial, state = entry[0], entry[_STATE]
            if serial is None:
                continue
            if state == _DONE:
                self.cursor.confirm(serial)
            elif state == _EMPTY:
                self.cursor.dismiss(serial)
            else:
                self.put_aside(entry[2], "it is larger than `batch`")


def live_first(entry: dict) -> bool:
    """Whether new readings may overtake a backlog: the layout says which is which."""
    return entry["layout"] == "json" and entry["backfill"] == "live_first" and not entry["every"]


def _check_topic(topic: str) -> None:
    """Raise ConfigError for a topic that a broker would cut the connection for."""
    for char in topic:
        if char in "+#" or ord(char) < 32:
            raise ConfigError("topic: %r is not possible; + and # are for subscribers" % topic)
    if topic.startswith("$") or topic.endswith("/"):
        raise ConfigError("topic: %r is not possible; no $ at the start, no / at the end" % topic)


def _check_user(entry: dict) -> None:
    if entry["password"] and not entry["user"]:
        raise ConfigError("user: missing; MQTT has no password without a user")


def _chip() -> str:
    """The last six digits of the chip's number."""
    import machine

    return binascii.hexlify(machine.unique_id()).decode()[-6:]
