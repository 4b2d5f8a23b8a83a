"""Memory runs out in any statement of store and forward: nothing is lost or altered unseen.

    memory_story.py COUNT [STORY NUMBER…]

On a chip memory ends before anything else does. Here every statement of the firmware's that can
take memory has a call in front of it, which raises MemoryError when it is told to: once, and then
again so many calls later, as memory that is out stays out for a while. Tracing, which
ctrl_c_story.py uses, is switched off by the first exception that it raises.

What fails is started again by the real supervisor and the story goes on. At its end all servers
are well, and each reading has come to each of them, unaltered, in order and with one id and time,
or is counted in `dropped`; no task has ended, nothing waits for ever. COUNT: so many statements
of a fixed seed in each story, each in one of its runs. Prints how many there were, of how many.
For test_memory_error.py; a process of its own, as it changes what is imported.
"""

import ast
import asyncio
import builtins
import calendar
import importlib.machinery
import json
import logging
import random
import sys
import time as clock_time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, SimpleNamespace

_FOLDERS = ("backlog", "device", "flow", "joulelog", "ringlog", "sinks")
_OTHERS = (  # modules that have nothing to do with readings on their way
    *("app", "board", "build", "clock", "console", "errors", "guard", "led", "logging_setup"),
    *("reading", "registry", "repl", "report", "start", "state", "timekeeper", "uart", "webrepl"),
)
# These take no memory on MicroPython: their results are small integers, or were there before.
_FREE = (
    *("len", "min", "max", "isinstance", "hasattr", "abs", "range", "set", "clear", "pop", "find"),
    *("sleep_ms", "print", "collect"),
)
_AGAIN = ((), (1,), (2,), (3, 7), (20,), (100, 101), (1000,))  # so many calls later
_NOT_PART = ("_Timed", "ticks_us", "ticks_diff")  # run around everything, and take none
_LISTS = ("_ring", "data", "groups", "_changed")  # and bytearrays: they do not grow
_TAKES = (ast.List, ast.Dict, ast.ListComp, ast.JoinedStr, ast.Slice)


class Memory:
    """Says before each statement that takes memory whether there is any."""

    def __init__(self) -> None:
        self.places: list[str] = []  # where it was asked, in the order of the run
        self.empty: tuple = ()  # the calls at which there is none, counted from 0
        self.failed: list[str] = []
        self.on = False

    def begin(self, empty: tuple) -> None:
        """Another run."""
        self.places, self.empty, self.failed, self.on = [], empty, [], False

    def take(self, place: str) -> None:
        """Called in front of the statement there."""
        if not self.on:
            return
        self.places.append(place)
        if len(self.places) - 1 in self.empty:
            self.failed.append(place)
            raise MemoryError(place)


def _plain(tree: ast.Module) -> list[str]:
    """A module's own functions that are no generators: a call takes none, what they do may."""
    own = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    makers = (ast.Yield, ast.YieldFrom)
    return [f.name for f in own if not any(isinstance(part, makers) for part in ast.walk(f))]


def _takes_memory(statement: ast.stmt, own: list[str]) -> bool:
    """Whether MicroPython may have to find memory for it; what a block holds is asked apart."""
    parts: list = [statement]
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try)):
        return False
    if isinstance(statement, (ast.If, ast.While)):
        parts = [statement.test]
    elif isinstance(statement, (ast.For, ast.AsyncFor)):
        parts = [statement.iter]
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        parts = [item.context_expr for item in statement.items]
    elif isinstance(statement, ast.Raise):
        return True
    return any(_is_taker(node, own) for part in parts for node in ast.walk(part))


def _is_taker(node: ast.AST, own: list[str]) -> bool:
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name):
            return function.id not in (*_FREE, *own)
        if not isinstance(function, ast.Attribute) or function.attr in _FREE:
            return not isinstance(function, ast.Attribute)
        is_self = isinstance(function.value, ast.Name) and function.value.id == "self"
        return not (is_self and function.attr in own)
    if isinstance(node, ast.BinOp):  # of integers, which are small, or of texts
        texts = isinstance(node.op, (ast.Add, ast.Mult))
        sides = [side.value for side in (node.left, node.right) if isinstance(side, ast.Constant)]
        if texts or any(isinstance(side, (str, bytes)) for side in sides):
            return not any(isinstance(side, int) for side in sides)
        return False
    if isinstance(node, ast.Tuple):
        return isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Subscript):  # a dict may grow
        is_list = getattr(node.value, "id", getattr(node.value, "attr", "")) in _LISTS
        return isinstance(node.ctx, ast.Store) and not is_list
    return isinstance(node, _TAKES)


class _Asking(ast.NodeTransformer):
    """Puts `take_memory("file:line")` in front of each such statement of a function."""

    def __init__(self, name: str, own: list[str]) -> None:
        self._name = name
        self._own = own
        self._inside = False

    def visit_FunctionDef(self, node):
        if node.name in _NOT_PART:
            return node
        before, self._inside = self._inside, True
        self.generic_visit(node)
        self._inside = before
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's name

    def visit_ClassDef(self, node):
        return node if node.name in _NOT_PART else self.generic_visit(node)

    def generic_visit(self, node):
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if self._inside and isinstance(block, list):
                setattr(node, field, [made for each in block for made in self._made(each)])
        return node

    def _made(self, statement: ast.stmt) -> list[ast.stmt]:
        docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if docstring or not _takes_memory(statement, self._own):
            return [statement]
        place = ast.Constant(f"{self._name}:{statement.lineno}")
        asked = ast.Expr(ast.Call(ast.Name("take_memory", ast.Load()), [place], []))
        return [ast.copy_location(asked, statement), statement]


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles our modules anew, with the calls."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = Path(self.get_filename(fullname))
        if path.parent.name not in _FOLDERS or path.stem in _OTHERS:
            return super().get_code(fullname)
        tree = ast.parse(path.read_bytes(), str(path))
        tree = _Asking(path.name, _plain(tree)).visit(tree)
        return compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)


memory = Memory()
builtins.take_memory = memory.take  # type: ignore[attr-defined]
_hook = importlib.machinery.FileFinder.path_hook(
    (_Loader, importlib.machinery.SOURCE_SUFFIXES),
    (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
)
sys.path_hooks.insert(0, _hook)
sys.path_importer_cache.clear()

from ramfolder import RamFolder  # noqa: E402
from virtual_clock import VirtualClock  # noqa: E402

from joulelog import clock, registry, supervisor  # noqa: E402
from joulelog.backlog.opening import open_spool  # noqa: E402
from joulelog.flow.live_first import LiveFirst  # noqa: E402
from joulelog.flow.queue import Queue  # noqa: E402
from joulelog.flow.reading import Source  # noqa: E402
from joulelog.sinks import emoncms, influxdb, mqtt  # noqa: E402

START = 848000000
UNIX = 946684800
EVERY_MS = 10000
SLOTS = 8
P1 = Source(
    "p1",
    (
        ("energy", "Wh", 0, "total_increasing", "energy"),
        ("power", "W", 0, "measurement", "power"),
        ("note", "", 0, "text", ""),
    ),
)
WATER = Source("water", (("energy", "m³", 0, "total_increasing", "water"),))
ENTRY = {
    **{"sources": None, "channels": None, "every": 0, "rate": 0, "ca": None, "verify": True},
    **{"url": "http://127.0.0.1", "interval": 0, "timeout": 10, "backfill": "live_first"},
    **{"database": "", "user": "", "password": "", "retention_policy": "", "bucket": "b"},
    **{"org": "o", "token": "t", "measurement": "m", "tags": {}, "node": "n", "key": "k"},
    **{"version_tags": False},
    **{"host": "127.0.0.1", "port": 1883, "tls": False, "client_id": "c", "topic": "t"},
    **{"layout": "json", "retain": None, "keepalive": 60, "in_flight": 3},
}


def values_of(number: int, source: Source) -> tuple:
    """What a meter measures; its texts soon fill a small flash."""
    if source is WATER:
        return (number,)
    return number, 7 * number % 3000, "n%d" % number * 24 if number % 4 else "short"


class Flash(RamFolder):
    """Memory may run out before a write, in its middle, and behind it."""

    def append(self, name: str, data) -> None:
        memory.take("flash:before")
        half = len(data) // 2
        RamFolder.append(self, name, data[:half])
        memory.take("flash:middle")
        RamFolder.append(self, name, data[half:])
        memory.take("flash:behind")


class Server:
    """What one server has got."""

    def __init__(self, name: str, board: "Board") -> None:
        self.name = name
        self.board = board
        self.up = True
        self.got: dict[int, tuple] = {}  # number -> (its time, its id where it has one)
        self.order: list[int] = []  # of the numbers, as they came first

    def take(self, number: int, when: int, source: str, values: tuple, ident: str = "") -> None:
        """A reading has come: it must be one that was put, the same each time that it comes."""
        truth = self.board.truth.get(number)
        if truth != (source, values, when):
            self.board.faults.append(f"{self.name}: {number} is {truth}, not {values} at {when}")
        if self.got.setdefault(number, (when, ident)) != (when, ident):
            self.board.faults.append(f"{self.name}: {number} came with another time or id")
        if number not in self.order:
            self.order.append(number)

    async def influx(self, _method, _url, body, _headers, _tls, _timeout_ms, _limit):
        """A write request."""
        await self._connect()
        for line in bytes(body).decode().strip().split("\n"):
            tags, fields, when = line.split(" ")
            source = tags.split("source=")[1].split(",")[0]
            given = dict(field.split("=") for field in fields.split(","))
            values = [int(given["energy"])]
            if source == "p1":
                values += [int(given["power"]), given["note"].strip('"')]
            self.take(int(given["energy"]), int(when) - UNIX, source, tuple(values))
        memory.take("server:behind")
        return 204, {}, b""

    async def emoncms(self, _method, _url, body, _headers, _tls, _timeout_ms, _limit):
        """A bulk request: texts are not for it."""
        await self._connect()
        text = bytes(body).decode()[len("time=0&data=") :]
        for code, char in (("%5B", "["), ("%5D", "]"), ("%7B", "{"), ("%7D", "}"), ("%22", '"')):
            text = text.replace(code, char)
        for when, _node, given in json.loads(text):
            source = "p1" if "power" in given else "water"
            number = given["energy" if source == "p1" else "water_energy"]
            values = values_of(number, P1 if source == "p1" else WATER)
            assert source == "water" or given["power"] == values[1], given
            self.take(number, when - UNIX, source, values)
        memory.take("server:behind")
        return 200, {}, b"ok"

    async def _connect(self) -> None:
        memory.take("server:before")
        await clock.sleep_ms(20)
        if not self.up:
            raise OSError(113)


class Connection:
    """Stands for net/mqtt_client.Client: acknowledges what a broker that is up has got."""

    def __init__(self, sink, server: Server) -> None:
        self.ready = False
        self._sink = sink
        self._server = server
        self._out: list = []

    async def run(self) -> None:
        while True:
            await clock.sleep_ms(100)
            if self.ready and not self._server.up:
                self._lose()
            elif not self.ready and self._server.up:
                self.ready = True
                self._sink.changed("ok", "")
            try:
                while self._out:
                    self._sink.acked(self._out.pop(0))
            except Exception:  # as in _handle_msg()
                self._lose()

    async def send(self, _topic, payload, _retain, ticket) -> None:
        try:
            memory.take("broker:before")
            await clock.sleep_ms(0)
            if not self.ready:
                raise OSError(-1, "not connected")
            given = json.loads(bytes(payload).decode())
            for reading in given.get("readings", [given]):
                source = "p1" if "power" in reading else "water"
                values = (reading["energy"],)
                if source == "p1":
                    values += (reading["power"], reading["note"])
                number = reading["energy"]
                time = calendar.timegm(clock_time.strptime(reading["time"], "%Y-%m-%dT%H:%M:%SZ"))
                when = time - UNIX
                self._server.take(number, when, source, values, reading["id"])
            self._out.append(ticket)
            memory.take("broker:behind")
        except (OSError, MemoryError):
            self._lose()
            raise

    def close(self) -> None:
        self.ready = False

    def _lose(self) -> None:
        self._out = []
        if self.ready:
            self.ready = False
            self._sink.changed("waiting", "lost")


class Mqtt(mqtt.Sink):
    """With such a connection."""

    server: Server

    def _new_client(self):
        return Connection(self, self.server)


class Board:
    """The firmware's queue, spool and sinks, run after run, with the same flash."""

    def __init__(self, capacity: int, sync_s: int) -> None:
        self.virtual = VirtualClock()
        self.flash = Flash()
        self.capacity, self.sync_s = capacity, sync_s
        self.truth: dict[int, tuple] = {}  # number -> (source, values, time)
        self.number = 0
        self.boots = 0
        self.servers = [Server(name, self) for name in ("influx", "emon", "mqtt")]
        self.dropped = dict.fromkeys(("influx", "emon", "mqtt"), 0)
        self.aside: list = []
        self.faults: list[str] = []

    def start(self, known: bool = True) -> None:
        """A new run, and again where memory runs out in it: as the board restarts."""
        while True:
            try:
                return self._start(known)
            except MemoryError:
                self.virtual.forget()

    def _start(self, known: bool) -> None:
        self.boots += 1
        self.clock = clock.Clock()
        if known:
            self.tell()
        self.queue = Queue(SLOTS, self.clock, self.boots)
        self.queue.aside = lambda cursor, item, why: self.aside.append((cursor.name, item, why))
        self.supervisor = supervisor.Supervisor()
        self.supervisor.note = self._note  # type: ignore[assignment]
        network = SimpleNamespace(up=True)
        self.app = SimpleNamespace(
            device="d", clock=self.clock, queue=self.queue, supervisor=self.supervisor
        )
        self.app.network, self.app.board = network, None
        self.app.readers = [SimpleNamespace(name="p1"), SimpleNamespace(name="water")]
        self.cursors = []
        self.sinks: list = []
        influx, emon, broker = self.servers
        self._sink(LiveFirst, influxdb, influx, influx.influx)
        self._sink(None, emoncms, emon, emon.emoncms)
        Mqtt.server = broker
        self._sink(LiveFirst, mqtt, broker)
        self.spool = open_spool(self.queue, self.flash, self.capacity, 256, self.sync_s)
        for sink in self.sinks:
            self.supervisor.start(sink.name, sink.run)
        self.supervisor.start("spool", self.spool.run)
        self.supervising = asyncio.create_task(self.supervisor.wait())

    def _note(self, text: str) -> None:
        if "MemoryError" not in text:
            self.faults.append(text)

    def _sink(self, kind, module, server: Server, *more) -> None:
        made = Mqtt if module is mqtt else module.Sink
        entry = ENTRY | {"name": server.name, "batch": 256 if made is Mqtt else 512}
        if kind:
            cursor = self.queue.use(kind(self.queue, server.name, None, None, 0))
        else:
            cursor = self.queue.cursor(server.name)
        sink = made(server.name, entry, cursor, *registry.needed(module, self.app), *more)
        cursor.durable = True
        self.sinks.append(sink)
        self.cursors.append(cursor)

    async def stop(self) -> None:
        """A planned restart; guard.tick() tries again where memory runs out."""
        while True:
            try:
                self.spool.close()
                break
            except MemoryError:
                pass
        for cursor in self.cursors:
            self.dropped[cursor.name] += cursor.dropped
        self.supervising.cancel()
        await asyncio.gather(self.supervising, return_exceptions=True)
        self.virtual.forget()

    def tell(self) -> None:
        """Somebody tells the time."""
        self.clock.set(START + self.virtual.ms // 1000, "ntp")
        self.known = True

    async def measure(self, count: int) -> None:
        """So many readings, one each ten seconds; each eighth is another meter's."""
        for _ in range(count):
            await self.virtual.advance(EVERY_MS)
            source = WATER if self.number % 8 == 5 else P1
            values = values_of(self.number, source)
            when = START + self.virtual.ms // 1000
            self.truth[self.number] = (source.name, values, when)
            self.queue.put((self.clock.stamp(), source, values))
            self.number += 1

    def up(self, up: bool) -> None:
        """All servers go, or come."""
        for server in self.servers:
            server.up = up

    async def finish(self) -> None:
        """All is well, and everything arrives."""
        memory.on = False
        self.up(True)
        await self.measure(1)  # whom put() could not wake learns of it now
        assert not self.faults, self.faults[:3]
        for _ in range(30):
            await self.virtual.advance(EVERY_MS)
            if not any(cursor.waiting for cursor in self.cursors):
                break
        assert not self.faults, self.faults[:3]
        for cursor, server in zip(self.cursors, self.servers, strict=True):
            assert not cursor.waiting, f"{cursor.name}: {cursor.waiting} wait for ever"
            missing = sorted(set(self.truth) - set(server.got))
            dropped = self.dropped[server.name] + cursor.dropped
            assert len(missing) == dropped, f"{server.name}: {missing}, dropped {dropped}"
        assert not self.aside, self.aside
        assert self.spool.log.removed or self.capacity > 8192
        strict = self.servers[1].order
        assert strict == sorted(strict), strict
        ended = [task for task in self.supervisor._tasks if task.done()]
        assert not ended and not self.supervising.done(), ended
        await self.stop()


async def _steady(board: Board) -> None:
    """All is well."""
    board.start()
    memory.on = True
    await board.measure(24)


async def _outage(board: Board) -> None:
    """All servers are away, and come back."""
    board.start()
    await board.measure(3)
    memory.on = True
    board.up(False)
    await board.measure(45)
    board.up(True)
    await board.measure(12)


async def _full(board: Board) -> None:
    """The flash is full: the oldest go."""
    board.start()
    board.up(False)
    await board.measure(130)
    memory.on = True
    await board.measure(30)
    board.up(True)
    await board.measure(4)


async def _restarts(board: Board) -> None:
    """A run that never learns the time, a restart, the time, another restart, and the servers."""
    board.up(False)
    memory.on = True
    board.start(known=False)
    await board.measure(20)
    await board.stop()
    board.start(known=False)
    await board.measure(12)
    board.tell()
    await board.measure(12)
    await board.stop()
    board.start()
    board.up(True)
    await board.measure(6)


STORIES: dict[str, tuple[Callable, int, int]] = {
    "steady": (_steady, 65536, 0),
    "always": (_outage, 65536, 60),
    "outage": (_outage, 65536, 0),
    "full": (_full, 8192, 0),
    "restarts": (_restarts, 65536, 0),
}


def play(name: str, empty: tuple) -> None:
    """One run of a story, with no memory at these calls; AssertionError tells what is wrong."""
    story, capacity, sync_s = STORIES[name]
    memory.begin(empty)
    board = Board(capacity, sync_s)
    clock.backoff_ms = lambda failures: min(1000 << failures, 60000)  # without its jitter
    clock.board_offset = lambda: 5000  # it goes on over restarts, as the virtual uptime does

    async def whole() -> None:
        try:
            await story(board)
            await board.finish()
        finally:
            memory.on = False

    try:
        board.virtual.play(whole())
    except Exception as error:
        raise AssertionError(
            f"{name} {empty}, memory out at {memory.failed}: {error!r}"
        ) from error


def sweep(name: str, count: int) -> tuple[int, int]:
    """So many statements of a story, each at one of its runs: (how many, of how many)."""
    play(name, ())
    runs: dict[str, list[int]] = {}
    for index, place in enumerate(memory.places):
        runs.setdefault(place, []).append(index)
    chance = random.Random(f"{name} 20261120")
    places = chance.sample(sorted(runs), min(count, len(runs)))
    for place in places:
        first = chance.choice(runs[place])
        play(name, (first, *[first + later for later in chance.choice(_AGAIN)]))
    return len(places), len(runs)


def main(count: int, name: str = "", *empty: str) -> None:
    """Sweep all stories, or one; or play one run of one story."""
    logging.disable(logging.CRITICAL)
    supervisor.gc = SimpleNamespace(collect=lambda: None)  # type: ignore[assignment] - it is slow
    if empty:
        play(name, tuple(map(int, empty)))
        return
    done = [sweep(story, count) for story in STORIES if name in ("", story)]
    print(sum(had for had, _ in done), "of", sum(there for _, there in done), "statements")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
