"""The heap of each part of the firmware, for joulelog/config/parts.py: `make size ONLY=parts`.

    with Stage(folder, micropython) as stage:
        stage.ways()                       # what can be measured here: ["romfs", "files", …]
        stage.measure("romfs", quick=False)   # {"core": [45000, 0], "dsmr": [21000, 3100], …}

A part's figure is the difference between two runs of the whole firmware, with and without it, from
what is in use when the start looks at the heap (start.py) until the servers have what was read:
(bytes of the first, bytes of each further one of its type). Meters are simulated, mosquitto is
real, InfluxDB and EmonCMS are contract servers, the P1 meter has 28 channels. What two parts share
(aiohttp, a Modbus line) is a part of its own; `slot` is what one reading takes in the ring.

The ways are those of firmware/joulelog/config/fits.py. Frozen ones are measured in a VM that has
everything frozen (tools/rig/frozen.py, with the chip's board), the others on Debian's. TLS and
encrypted telegrams need libraries that the frozen VM has not: "romfs" stands for them there, which
is more.

`make size ONLY=parts` compares with the table, which is the budget; with --lower (size.py) it
writes the table. A way that cannot be measured keeps its column.

    python3 -m tools.bench.parts WAY CASE CONFIG HEAP     # one run: its meters end with it
"""

import re
import ssl
import subprocess
import sys
import tempfile
import time
from multiprocessing.pool import ThreadPool
from pathlib import Path

from joulelog import registry
from tests.servers import certs
from tests.servers.contract import Answer, ContractServer, Request
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.log_php import KEY, LogPhp
from tests.servers.real_mosquitto import Mosquitto
from tools import ROOT, run, user_config
from tools.bench import axtls
from tools.host import deps
from tools.images import features
from tools.rig import frozen, run_vm
from tools.sim import p1, telegrams

FROZEN = {"small-frozen": "esp8266", "frozen": "esp32"}  # way -> chip of tools/rig/frozen.py
PROFILES = {
    "small-romfs": "esp8266",
    "romfs": "esp32",
    "files": "esp32-files",
}  # way -> profile of tools/rig/run_vm.py
WAYS = ("small-frozen", "small-romfs", "frozen", "romfs", "files")
_SCRIPT = "size_parts.py"
_SPEED = 20
_SLOTS = 4  # the smallest ring: what a reading takes is measured apart
_MANY_SLOTS = 36
_ROOMY = "600k"
_BACKLOG = 1500  # readings
_MOST_WORK = 40  # kB, with what a computer has in its heap that a chip has not
_TIMEOUT_S = 90
_RECORDING = ROOT / "tests/fixtures/dsmr/nl_ene5-xs210-esmr-5-0.txt"
_NEED_LIBRARIES = ("tls", "dsmr-key")  # not in the frozen VM

_DSMR = {"type": "dsmr", "uart": "sim"}
_PZEM = {"type": "pzem", "uart": "sim", "interval": 5}
_MODBUS = {"type": "modbus", "uart": "sim", "meter": "sdm120", "address": 1, "interval": 5}
_MODBUS_TCP = {key: _MODBUS[key] for key in _MODBUS if key != "uart"} | {"host": "sim"}
_SUNSPEC = _MODBUS_TCP | {"meter": "sunspec"}
_LAN = {"type": "http_json", "device": "shelly", "host": "sim", "interval": 5}
_FRITZ = {"type": "fritz", "host": "sim", "password": "secret", "ain": "1", "interval": 5}
_TUYA = {"type": "tuya", "host": "sim", "device": "pj1103a", "id": "bf01", "interval": 5}
_TUYA |= {"key": "0123456789abcdef", "version": "3.4"}
_PULSE = {"type": "pulse", "pin": "sim", "pulses_per_kwh": 1000}
_ALTHERMA = {"type": "altherma", "uart": "sim", "interval": 10}
_HEAT = {"type": "heat", "source": "altherma", "voltage": 230}
_PEAK = {"type": "peak", "source": "dsmr", "target": "4", "rate": "40.40"}
_QUARTER = {"type": "quarter", "source": "dsmr"}
_REPLAY = {"type": "replay", "file": str(_RECORDING)}
_HEALTH = {"type": "health", "interval": 5}
_KEYS = {"key": telegrams.DEMO_KEY, "auth_key": telegrams.DEMO_AUTH_KEY}

# name -> (readers, sinks); a sink's name ends in "+tls" where it is encrypted
CASES: dict[str, tuple[list[dict], list[str]]] = {
    "core": ([], []),  # no meter tells the time: a time server is asked for it
    "core no ntp": ([], []),
    "dsmr": ([_DSMR], []),
    "dsmr 2": ([_DSMR, _DSMR], []),
    "dsmr-key": ([_DSMR | _KEYS], []),
    "pzem": ([_PZEM], []),
    "pzem 2": ([_PZEM, _PZEM | {"address": 2}], []),
    "modbus": ([_MODBUS], []),
    "modbus 2": ([_MODBUS, _MODBUS | {"address": 2}], []),
    "modbus-tcp": ([_MODBUS_TCP], []),
    "modbus-tcp 2": ([_MODBUS_TCP, _MODBUS_TCP | {"framing": "rtu"}], []),
    "sunspec": ([_SUNSPEC], []),
    "sunspec 2": ([_SUNSPEC, _SUNSPEC | {"which": 2}], []),
    "pzem modbus": ([_PZEM, _MODBUS | {"address": 2}], []),
    "http_json": ([_LAN], []),
    "http_json 2": ([_LAN, _LAN], []),
    "fritz": ([_FRITZ], []),
    "fritz 2": ([_FRITZ, _FRITZ], []),
    "tuya": ([_TUYA], []),
    "tuya 2": ([_TUYA, _TUYA], []),
    "pulse": ([_PULSE], []),
    "pulse 2": ([_PULSE, _PULSE | {"name": "water"}], []),
    "altherma": ([_ALTHERMA], []),
    "altherma heat": ([_ALTHERMA, _HEAT], []),
    "dsmr peak": ([_DSMR, _PEAK], []),
    "dsmr quarter": ([_DSMR, _QUARTER], []),
    "replay": ([_REPLAY], []),
    "health": ([_HEALTH], []),
    "console": ([_DSMR], ["console"]),
    "mqtt": ([_DSMR], ["mqtt"]),
    "mqtt 2": ([_DSMR], ["mqtt", "mqtt"]),
    "mqtt tls": ([_DSMR], ["mqtt+tls"]),
    "emoncms": ([_DSMR], ["emoncms"]),
    "emoncms 2": ([_DSMR], ["emoncms", "emoncms"]),
    "influxdb": ([_DSMR], ["influxdb"]),
    "influxdb 2": ([_DSMR], ["influxdb", "influxdb"]),
    "webhook": ([_DSMR], ["webhook"]),
    "webhook 2": ([_DSMR], ["webhook", "webhook"]),
    "history": ([_DSMR, _QUARTER], ["history"]),
    "emoncms influxdb": ([_DSMR], ["emoncms", "influxdb"]),
    "mqtt influxdb": ([_DSMR], ["mqtt", "influxdb"]),
    "influxdb tls": ([_DSMR], ["influxdb+tls"]),
    "influxdb tls 2": ([_DSMR], ["influxdb+tls", "influxdb+tls"]),
    "mqtt spool": ([_DSMR], ["mqtt"]),
    "mqtt 2 spool": ([_DSMR], ["mqtt", "mqtt"]),
    "mqtt drain": ([_DSMR], ["mqtt"]),
    "emoncms drain": ([_DSMR], ["emoncms"]),
    "influxdb drain": ([_DSMR], ["influxdb"]),
    "webhook drain": ([_DSMR], ["webhook"]),
}
_SLOT_CASES = [
    "dsmr",
    "pzem",
    "modbus",
    "http_json",
    "fritz",
    "tuya",
    "pulse",
    "altherma",
    "health",
]
_READERS = registry.names(registry.READERS)
_DERIVED = ("heat", "peak", "quarter")  # from the reader that they stand beside
# Readers that nobody has given a case of their own (make meter): as they are by default.
_NEW = [name for name in _READERS if name not in CASES and name not in _DERIVED]
CASES |= {name: ([{"type": name, "uart": "sim"}], []) for name in _NEW}
_SLOT_CASES += _NEW
TABLE = ROOT / "firmware/joulelog/config/parts.py"
# Runs of the same code differ by what was under way when the heap was looked at, and a part is the
# difference of up to four of them.
TOLERANCE = 2500
_ROOM = 100  # figures are rounded up to so many bytes
# For the tests: P1 to MQTT.
_QUICK = ("core", "core no ntp", "dsmr", "mqtt", "influxdb", "mqtt influxdb")

Heap = dict[str, list[int]]


class LeftOut(Exception):
    """This cannot be measured here; the text says what it needs."""


class InfluxDb1(ContractServer):
    """Takes every line."""

    def handle(self, request: Request) -> Answer:
        """As InfluxDB 1 and VictoriaMetrics answer a write."""
        return Answer(204 if request.path == "/write" else 404)


class Stage:
    """The servers, and the runs."""

    def __init__(self, folder: Path, micropython: Path | None) -> None:
        self._folder = folder
        self._micropython = micropython
        made = certs.make(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*made.good)
        self._servers = {
            (kind, tls): server(tls_context=context if tls else None)
            for kind, server in (("emoncms", EmonCms), ("influxdb", InfluxDb1))
            for tls in (False, True)
        }
        self._servers["webhook", False] = LogPhp(folder / "log")
        self._ca = made.ca
        self._programs: dict[str, str] = {}  # frozen way -> the VM
        self._brokers = {
            False: Mosquitto(folder / "plain"),
            True: Mosquitto(folder / "tls", certificate=made.good),
        }

    def __enter__(self) -> "Stage":
        for server in self._servers.values():
            server.__enter__()
        for broker in self._brokers.values():
            broker.start()
        return self

    def __exit__(self, *error) -> None:
        for server in self._servers.values():
            server.__exit__(*error)
        for broker in self._brokers.values():
            broker.stop()

    def ready(self, way: str) -> None:
        """Build what a way needs, once; LeftOut says what is missing."""
        if deps.path() is None:
            raise LeftOut("mqtt_as and micropython-lib (make deps)")
        if way in FROZEN:
            try:
                everything = tuple(features.TABLE)  # not what a board chooses of it
                program = frozen.build(self._micropython, FROZEN[way], wanted=everything)
                self._programs[way] = str(program)
            except frozen.LeftOut as reason:
                raise LeftOut(str(reason)) from None
        else:
            run_vm.command(ROOT / "tools/bench/vm" / _SCRIPT, [], PROFILES[way])

    def measure(self, way: str, quick: bool = False) -> Heap:
        """The figures of all parts of a way; quick: only those of P1 to MQTT."""
        self.ready(way)
        cases = [
            name
            for name in (_QUICK if quick else CASES)
            if way not in FROZEN or not _needs_libraries(name)
        ]
        runs = [(name, _SLOTS) for name in cases]
        if way == "romfs" and not quick:
            runs += [(name, _MANY_SLOTS) for name in _SLOT_CASES]
        with ThreadPool(2) as pool:  # they wait, mostly
            found = dict(zip(runs, pool.map(lambda one: self.one(way, *one), runs), strict=True))
        steady = {name: found[name, _SLOTS][1] for name in cases}
        heap = _quick_parts(steady) if quick else _parts(steady)
        if not quick:
            most = {name: found[name, _SLOTS][2] for name in cases if name.endswith("drain")}
            drains = {name: _drain(name, most[name], steady) for name in most}
            heap["drain-one"] = [drains.pop("webhook drain")] * 2
            heap["drain"] = [max(drains.values())] * 2
            heap["boot"] = [max(found[run][0] for run in runs), 0]
            heap["work"] = [self._work(way, steady["mqtt"]), 0]
        for name, slots in runs:
            if slots == _MANY_SLOTS:
                more = found[name, slots][1] - steady[name]
                heap["slot " + name] = [-(-more // (_MANY_SLOTS - _SLOTS)), 0]
        return heap

    def _work(self, way: str, steady: int) -> int:
        """What P1 to MQTT needs beside what stays in use: for what comes and goes."""

        def free(heap_kb: int) -> int | None:
            """Free at the start in such a heap; None where it does not run."""
            try:
                boot, *_, total = self.one(way, "mqtt", _SLOTS, f"{heap_kb}k")
            except NotRun:
                return None
            return total - boot

        low = steady // 1024
        high = low + _MOST_WORK
        best = free(high)
        while best is not None and high - low > 1:
            middle = (low + high) // 2
            found = free(middle)
            if found is None:
                low = middle
            else:
                high = middle
                best = found
        if best is None:
            raise NotRun(
                f"{way}: P1 to MQTT does not run in {high} kB, {_MOST_WORK} beside itself"
            )
        return best - steady

    def one(self, way: str, case: str, slots: int, heap: str = _ROOMY) -> tuple[int, ...]:
        """One run: bytes at the start, more until it ran, the most, and free at the boot."""
        folder = Path(tempfile.mkdtemp(prefix="case-", dir=self._folder))
        readers, sinks = CASES[case]
        settings = {
            "SPEED": _SPEED,
            "device": folder.name,  # brokers know clients by it
            "wifi": {"ssid": "home", "password": "its password"},
            "readers": [_named(entry, at) for at, entry in enumerate(readers)],
            "sinks": [self._sink(name, at) for at, name in enumerate(sinks)],
            "queue": {
                "slots": slots,
                "flash_kb": 100 if "spool" in case or "drain" in case else 0,
            },
            "clock": {"ntp": []} if "no ntp" in case else {},
            "log": {} if way in FROZEN else {"directory": str(folder)},
        }
        path = folder / "parts_config.py"
        path.write_text("".join(f"{key} = {value!r}\n" for key, value in settings.items()))
        command = [sys.executable, "-m", "tools.bench.parts", way, case, str(path), heap]
        if way in FROZEN:
            command.append(self._programs[way])
        said = ""
        for _ in range(2 if heap == _ROOMY else 1):  # a busy computer may miss a telegram
            said = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=ROOT,
                check=False,
            ).stdout
            done = re.search(r"^DONE 1 [1-9]\d* 0$", said, re.M)
            if done and "Traceback" not in said:
                found = re.search(r"^BOOT (\d+) (\d+)[^$]*^PARTS (\d+) (\d+)$", said, re.M)
                assert found, said
                boot, total, steady, most = (int(word) for word in found.groups())
                return boot, steady, most, total
        raise NotRun(f"{way}, {case}, {heap}: it does not run:\n{said[-2000:]}")

    def _sink(self, name: str, number: int) -> dict:
        kind, _, tls = name.partition("+")
        entry: dict = {"type": kind, "name": f"{kind}{number}"}
        if kind == "console":
            return entry | {"style": "lines"}
        if kind == "history":
            return entry | {"sources": ["quarter1"]}
        if kind == "mqtt":
            entry |= {"host": "localhost", "port": self._brokers[bool(tls)].port}
        else:
            entry["url"] = self._servers[kind, bool(tls)].url
            if kind == "webhook":
                values = ["dsmr.power_import", "dsmr.power_export", "dsmr.energy_import_t1"]
                entry |= {"key": KEY, "values": values}
                entry["url"] += "/log.php"
            else:
                entry |= {"key": WRITE_KEY} if kind == "emoncms" else {"database": "energy"}
        if tls:
            entry["ca"] = self._ca
        return entry | ({"tls": True} if tls and kind == "mqtt" else {})


class NotRun(Exception):
    """A run that did not come to its end."""


def _needs_libraries(case: str) -> bool:
    return any(word in case for word in _NEED_LIBRARIES)


def _named(entry: dict, number: int) -> dict:
    return (
        entry if number == 0 or "name" in entry else entry | {"name": f"{entry['type']}{number}"}
    )


def _drain(name: str, most: int, steady: dict[str, int]) -> int:
    """What comes on top of the spool while a backlog leaves it."""
    sink = name.split()[0]
    return most - steady[sink] - (steady["mqtt spool"] - steady["mqtt"])


def _quick_parts(steady: dict[str, int]) -> Heap:
    core, dsmr = steady["core"], steady["dsmr"]
    server = _server(steady)
    return {
        "core": [steady["core no ntp"], 0],
        "ntp": [core - steady["core no ntp"], 0],
        "dsmr": [dsmr - core, 0],
        "server": [server, 0],
        "mqtt": [steady["mqtt"] - dsmr - server, 0],
    }


def _server(steady: dict[str, int]) -> int:
    """What all sinks to a server share."""
    return steady["mqtt"] + steady["influxdb"] - steady["mqtt influxdb"] - steady["dsmr"]


def _parts(steady: dict[str, int]) -> Heap:
    """The figures of the parts from what was in use in each case."""
    core, dsmr = steady["core"], steady["dsmr"]

    def first_and_more(name: str, before: int, shared: int = 0) -> list[int]:
        more = f"{name} 2"
        return [
            steady[name] - before - shared,
            steady[more] - steady[name] if more in steady else 0,
        ]

    def over(name: str, other: str) -> list[int]:
        """What it takes beyond another one, each time."""
        more = steady[name + " 2"] - steady[name] - (steady["modbus 2"] - steady["modbus"])
        return [steady[name] - steady[other], max(0, more)]

    line = steady["pzem"] + steady["modbus"] - steady["pzem modbus"] - core
    server = _server(steady)
    http = steady["emoncms"] + steady["influxdb"] - steady["emoncms influxdb"] - dsmr - server
    spool = steady["mqtt spool"] - steady["mqtt"]
    spool_2 = steady["mqtt 2 spool"] - steady["mqtt 2"]
    heap = {
        "core": [steady["core no ntp"], 0],
        "ntp": [core - steady["core no ntp"], 0],
        "dsmr": first_and_more("dsmr", core),
        "line": [line, 0],
        "pzem": first_and_more("pzem", core, line),
        "modbus": first_and_more("modbus", core, line),
        "modbus-tcp": over("modbus-tcp", "modbus"),
        "sunspec": over("sunspec", "modbus-tcp"),
        "http_json": first_and_more("http_json", core),
        "fritz": first_and_more("fritz", core),
        "tuya": first_and_more("tuya", core),
        "pulse": first_and_more("pulse", core),
        "altherma": [steady["altherma"] - core] * 2,
        "heat": [steady["altherma heat"] - steady["altherma"]] * 2,
        "peak": [steady["dsmr peak"] - steady["dsmr"]] * 2,
        "quarter": [steady["dsmr quarter"] - dsmr] * 2,
        "replay": [steady["replay"] - core] * 2,
        "health": [steady["health"] - core] * 2,
        "console": [steady["console"] - dsmr] * 2,
        "server": [server, 0],
        "mqtt": first_and_more("mqtt", dsmr, server),
        "http": [http, 0],
        "emoncms": first_and_more("emoncms", dsmr, server + http),
        "influxdb": first_and_more("influxdb", dsmr, server + http),
        "webhook": first_and_more("webhook", dsmr, server + http),
        "history": [steady["history"] - steady["dsmr quarter"]] * 2,
        "spool": [spool, max(0, spool_2 - spool)],
    }
    heap |= {name: [steady[name] - core] * 2 for name in _NEW}
    if "mqtt tls" in steady:
        both = steady["influxdb tls 2"] - steady["influxdb 2"]
        tls = [steady[name + " tls"] - steady[name] for name in ("mqtt", "influxdb")]
        heap["tls"] = [max(tls), max(0, both - tls[1])]
        heap["dsmr-key"] = [steady["dsmr-key"] - dsmr, 0]
    return heap


def table() -> tuple[dict[str, Heap], dict[str, int]]:
    """(way -> figures, reader -> bytes of a slot) as the firmware has them."""
    names: dict = {}
    exec(compile(TABLE.read_text(), str(TABLE), "exec"), names)
    heaps: dict[str, Heap] = {way: {} for way in WAYS}
    for row in names["HEAP"].splitlines():
        name, *figures = (word.strip() for word in row.split("|"))
        for way, figure in zip(WAYS, figures, strict=True):
            first, _, more = figure.partition("+")
            heaps[way][name] = [int(first), int(more or 0)]
    slots = dict(line.split() for line in names["SLOT"].splitlines())
    return heaps, {name: int(count) for name, count in slots.items()}


def rounded(measured: Heap) -> Heap:
    """Figures for the table; where two runs gave nothing or less, it is nothing."""
    return {
        name: [-(-max(0, figure) // _ROOM) * _ROOM for figure in figures]
        for name, figures in measured.items()
    }


def write(measured: dict[str, Heap]) -> None:
    """Put these columns into the firmware's table."""
    heaps, slots = table()
    for way, heap in measured.items():
        for name in [name for name in heap if name.startswith("slot ")]:
            slots[name.split()[1]] = heap.pop(name)[0]
        heaps[way] = rounded(heap)
    for way in FROZEN:
        for name in _NEED_LIBRARIES:
            heaps[way][name] = heaps["romfs"].get(name, [0, 0])
    for way in ("small-frozen", "small-romfs"):  # an ESP8266's TLS is in its heap
        first, more = heaps["romfs"].get("tls", [0, 0])
        heaps[way]["tls"] = [first + axtls.LEAST_BYTES, more + axtls.KEPT_BYTES]
    # Objects only, the same in each way: less is what happened to be under way.
    more = max(heap["spool"][1] for heap in heaps.values() if "spool" in heap)
    for heap in heaps.values():
        heap["spool"][1] = more
    for heap in heaps.values():
        line = heap.get("line", [0])[0]
        own = {name: heap.get(name, [0])[0] for name in _READERS}
        heap["other"] = [max(*own.values(), line + own["pzem"], line + own["modbus"])] * 2
        for name in _NEW:
            heap.setdefault(name, heap["other"])
    slots["other"] = max(slots[name] for name in slots if name != "other")
    names = dict.fromkeys(name for way in WAYS for name in heaps[way])
    rows = []
    for name in names:
        cells = [_cell(*heaps[way].get(name, [0, 0])) for way in WAYS]
        rows.append(" | ".join([f"{name:8}", *(f"{cell:>11}" for cell in cells)]) + "\n")
    text = TABLE.read_text()
    head = text[: text.index("SLOT =")]
    told = "".join(f"{name} {count}\n" for name, count in sorted(slots.items()))
    TABLE.write_text(f'{head}SLOT = """\\\n{told}"""\nHEAP = """\\\n{"".join(rows)}"""\n')


def _cell(first: int, more: int) -> str:
    return f"{first}+{more}" if more else str(first)


def main(way: str, case: str, config: str, heap: str, program: str = "") -> int:
    """Run a config with its simulated meters."""
    path = Path(config)
    model = "lu" if "key" in case else "nl50"
    devices = [
        run.start_simulated(entry, model, _SPEED)
        for entry in run.simulated(user_config.read(path))
    ]
    spool = None
    if case.endswith("drain"):
        from tests.servers import drain

        spool = path.parent / "spool"
        name = case.split()[0] + "0"
        drain.write_backlog(spool, _BACKLOG, int(time.time()) - 60, (name,), 256)
    if program:
        flash = frozen.new_flash(Path(program), path.parent / "flash", spool)
        # The stand-in for a UART is looked at before the script runs.
        uart = devices[0] if "/pts/" in "".join(devices[:1]) else p1.start()
        command = frozen.command(
            Path(program), _SCRIPT, flash, uart, [config, *devices], _bytes(heap)
        )
    else:
        script = ROOT / "tools/bench/vm" / _SCRIPT
        command = run_vm.command(script, [config, *devices], PROFILES[way], heap)
    try:
        return subprocess.run(command, check=False, timeout=_TIMEOUT_S, cwd=path.parent).returncode
    except subprocess.TimeoutExpired:  # a heap that is nearly full collects all the time
        print("stopped")
        return 1


def _bytes(heap: str) -> int:
    return int(heap.rstrip("k")) * 1024


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
