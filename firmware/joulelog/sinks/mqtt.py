"""Publish readings to an MQTT broker, QoS 1, in one of three layouts.

    {"type": "mqtt", "host": "broker.example", "user": "logger", "password": "..."}

json     <topic>/<source>/state and /backlog, with time and id: see mqtt_json.py
topics   <topic>/<source>/<key>, one value each, only of now: see mqtt_values.py
emoncms  the same for EmonCMS's MQTT input: <topic> is "emon", nothing is retained, no texts

<topic>/status is "online", and "offline" when the connection is lost (last will), and
<topic>/<source>/status "online", "silent" or "error": whether the meter answers. They are retained
where `retain` is on. EmonCMS would take them for inputs: that layout has none.

Several messages are on their way at a time. A reading is confirmed when the broker has
acknowledged all that was made of it and of the readings before. When the connection is lost
nothing is repeated blindly: the cursor goes back, and the layout decides anew what is of now and
what is backlog.

MQTT 3.1.1 has no words for why a broker cuts a connection. What is said of it follows from when it
was: behind the first message, which is retained; behind one and the same message again and again,
which may be too large (the next backlog messages are half as large); or soon, three times in a row
with a broker that takes the next connection at once.
"""

from micropython import const

from .. import clock
from ..device import chip
from ..net import tls
from .sink import ServerSink

SCHEMA = (
    """\
host | host | required | name or address of the broker
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
NEEDS = ("device", "network", "supervisor", "queue", "board")
DESTINATION = ("host", "port", "topic")

_STATE = const(1)  # of an entry in _flight: [serial or None, state, item where it is too large]
_ON_WAY = const(0)
_DONE = const(1)
_EMPTY = const(2)  # without a value for this sink
_TOO_LARGE = const(3)
_STARTING = ("", "idle", "searching", "waiting")  # states of a meter that say nothing yet
_SILENT = ("silent", "no answer", "no telegram", "no source", "done")
_SOON_MS = const(300000)  # a connection that is cut so soon three times has a reason
_TOPIC_ROOM = const(72)  # bytes for source, key and packet header: more costs a second write


class Sink(ServerSink):
    """Keeps several messages on their way; see the module's text."""

    def __init__(
        self, name: str, entry: dict, cursor, device: str, network, supervisor, queue, board
    ) -> None:
        ServerSink.__init__(self, name, entry, cursor)
        emoncms = entry["layout"] == "emoncms"
        topic = entry["topic"] or ("emon" if emoncms else device)
        self._device = device
        self._network = network
        self._supervisor = supervisor
        self._board = board
        self.topic = topic.encode()
        self.retain = not emoncms if entry["retain"] is None else entry["retain"]
        self.on_way = 0  # messages that are not acknowledged
        self._flight: list = []  # in the order of the readings, those without a message included
        self._failure: Exception | None = None  # that ended the client
        self.most = entry["batch"]  # bytes of a backlog message that are not the broker's limit
        self._acks = 0  # in this connection
        self._connected_ms = 0  # uptime at its beginning
        self._cuts = 0  # in a row, behind one and the same message
        self._soon = 0  # in a row, soon
        self._rows: dict = {} if emoncms else queue.latest.rows
        self._told: dict = {}  # source name -> status that subscribers know
        # Each layout is a module of its own: a board loads one.
        if entry["layout"] == "json":
            from . import mqtt_json as layout
        else:
            from . import mqtt_values as layout
        # mqtt_as is large: not above, because a config is checked without it; not in run(), for
        # what stays for ever should lie side by side.
        from ..net import mqtt_client

        self._client_class = mqtt_client.Client
        self._layout = layout.Layout(self, queue)
        if cursor not in queue.latest.watchers:  # for the meters' states
            queue.latest.watchers.append(cursor)

    async def run(self) -> None:
        """Send for ever."""
        client = self._new_client()
        self._failure = None
        keeper = self._supervisor.child(self.name, self._keep(client))
        try:
            await self._send(client)
        finally:
            keeper.cancel()
            client.close()

    def acked(self, entry: list | None) -> None:
        """The broker has this message; None: that of the connection's beginning."""
        self._acks += 1
        self.say("ok", "")
        if entry is None:
            return
        self._cuts = 0
        entry[_STATE] = _DONE
        self.on_way -= 1
        self._settle()
        self.cursor.wake()

    def changed(self, state: str, why: str) -> None:
        """The connection's state is another: "ok", "lost", "waiting" or "denied"."""
        if state == "ok":
            self._acks = 0
            self._connected_ms = clock.uptime_ms()
        elif state == "lost":
            self.say("waiting", why + self._cause())
        else:
            self._soon = 0  # it is not that the broker is there and wants no more of us
            self.say(state, why)
        self.cursor.wake()

    def _cause(self) -> str:
        """What is to be said of the connection's loss: see the module's text."""
        soon = clock.uptime_ms() - self._connected_ms < _SOON_MS
        self._soon = self._soon + 1 if soon else 0
        if not self._acks and self.retain:
            return " behind a retained message; a broker that allows none needs `retain`: False"
        if self.on_way and self._acks < 2:
            self._cuts += 1
            if self._cuts > 1:
                self.most //= 2
                size = self.out.length
                return " behind a message of %d bytes; does the broker allow that many?" % size
        elif self._soon > 2:
            return " again and again; has another client the same `client_id`?"
        return ""

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
        client_id = entry["client_id"]
        if not client_id:  # two with the same id would push each other out
            client_id = self._device
            if not client_id.endswith(chip.digits()):
                client_id += "-" + chip.digits()
            if self.name != "mqtt":
                client_id += "-" + self.name
        settings = {
            "client_id": client_id.encode(),
            "user": entry["user"].encode(),
            "password": entry["password"].encode(),
            "port": entry["port"] or (8883 if entry["tls"] else 1883),
            "keepalive": entry["keepalive"],
            "response_time": entry["timeout"],
            "will": (status, b"offline", self.retain, 1) if entry["layout"] != "emoncms" else None,
        }
        room = entry["batch"] + len(status) + _TOPIC_ROOM
        return self._client_class(
            entry["host"],
            settings,
            tls.context(entry) if entry["tls"] else None,
            self._network,
            # A small heap has no room for two of them: then a payload is a write of its own.
            min(room, getattr(self._board, "SEND_BUFFER", room)),
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
                message = self._status() or await self._layout.compose()
                if message is not None:
                    await self._start(client, message)
                    continue
            await self.cursor.wait()
        raise self._failure

    def _status(self) -> tuple | None:
        """Write the status of a meter that is another than subscribers know; None: they know."""
        wanted = self.entry["sources"]
        for name in self._rows:
            state = self._rows[name].state
            if state in _STARTING or (wanted and name not in wanted):
                continue
            word = "online" if state == "ok" else "silent" if state in _SILENT else "error"
            if self._told.get(name) != word:
                self._told[name] = word
                self.out.cut(0)
                self.out.put(word)
                return b"%s/%s/status" % (self.topic, name.encode()), self.retain, None
        return None

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
        self._told.clear()
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


def reads(entry: dict, terminal: bool) -> str:
    """The layouts without a time tell what is now; json says what is of now, and what backlog."""
    if entry["layout"] != "json":
        return "table"
    return entry["backfill"] if not entry["every"] else "in_order"


def problems(entry: dict, board):
    """Yield what the table cannot say: topics that a broker would cut the connection for."""
    topic = entry["topic"]
    if topic is not None:
        wrong = [char for char in "+#\\\"'" if char in topic]
        if not topic or wrong or topic[0] in "$@" or topic[-1] == "/" or topic.strip() != topic:
            text = "`topic` has no + # \" ' \\, no $ or @ first, no / last, no blank at its ends"
            yield text + "; + and # are for subscribers"
    if entry["password"] and not entry["user"]:
        yield "`user` is missing; MQTT has no password without a user"
    if entry["port"] == 8883 and not entry["tls"]:
        yield "`port` is 8883, where brokers speak TLS; give `tls`: True, or another port"
