"""Modbus TCP and SunSpec: simulated devices that others' clients understand, others' servers that
our reader reads, and bad days; by run.py on CPython and on the VM.
"""

import asyncio
import itertools
import re
import socket
import threading
from decimal import Decimal

import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from tests.integration.run_rig import ON_THE_VM, config
from tests.waiting import HANG_S
from tools.sim import slaves
from tools.sim.modbus_tcp import Gateway
from tools.sim.sunspec import SunSpec

HOW = pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
FRAMING = pytest.mark.parametrize("framing", ["tcp", "rtu"])
ROWS = [
    "voltage       | 0    | u16      | 1 | V   | measurement      | voltage",
    "power         | 4    | i16^6    | 0 | W   | measurement      | power",
    "energy_import | 3:20 | acc32^22 | 3 | kWh | total_increasing | energy",
]
# What a device with these rows says: 241.3 V, -1234.5 W, 12345.678 kWh.
WORDS = [2413, 0, 0, 0, 0x10000 - 12345, 0, 0xFFFF, *[0] * 13, 0xBC, 0x614E, 0]
# What the simulated SunSpec devices say at first, in our words.
INVERTER = {
    "power_export": "2345.6",
    "energy_export": "12345.678",
    "current": "10.41",
    "frequency": "50.02",
    "power_apparent": "2400",
    "power_reactive": "-120",
    "power_factor": "0.975",
    "power_dc": "2410.5",
    "voltage_dc": "612.3",
    "current_dc": "3.94",
    "temperature": "41.3",
}
METER = {
    "power": "2345.6",
    "energy_import": "7654.321",
    "energy_export": "1234.567",
    "current": "10.41",
    "frequency": "50.02",
    "power_apparent": "2400",
    "power_reactive": "-120",
    "power_factor": "0.975",
}
VOLTAGES = ("230.1", "231.2", "229.3")
PAIRS = [(101, 201), (102, 202), (103, 203), (111, 211), (112, 212), (113, 213), (204, 214)]


def wanted(model: int) -> dict[str, str]:
    """The channels of a simulated device, digit for digit."""
    phases = min(model % 10, 3)
    if phases == 1:
        found = {"voltage": VOLTAGES[0]}
    else:
        found = {f"voltage_l{n + 1}": VOLTAGES[n] for n in range(phases)}
        found |= {f"current_l{n + 1}": "3.47" for n in range(phases)}
        if model > 200:
            found |= {f"power_l{n + 1}": "781.9" for n in range(phases)}
            found |= {f"energy_import_l{n + 1}": "2551.440" for n in range(phases)}
    if model % 10 == 4:
        found |= {f"voltage_l{pair}": "398.5" for pair in (12, 23, 31)}
    return found | (METER if model > 200 else INVERTER)


@pytest.fixture
def gateway():
    """Start gateways; all are closed after the test."""
    made: list[Gateway] = []

    def begin(meters: dict, framing: str = "tcp", port: int = 0) -> Gateway:
        made.append(Gateway(meters, framing, port))
        return made[-1]

    yield begin
    for one in made:
        one.close()


class Steady(SunSpec):
    """Without a counter that grows."""

    def advance(self, now: float) -> None:
        pass


class Words(slaves.Meter):
    """A meter of whose registers some are known."""

    def __init__(self, words: list[int]) -> None:
        super().__init__()
        self.held = words

    def advance(self, now: float) -> None:
        pass

    def read(self, function: int, first: int, count: int) -> list[int]:
        if first + count > len(self.held):
            raise slaves.Refusal(2)
        return self.held[first : first + count]


def entry(port: int, address: int = 1, **more) -> dict:
    about = {"type": "modbus", "host": "127.0.0.1", "port": port, "address": address}
    return about | {"interval": 1} | more


def begin_run(start, tmp_path, how, entries: list[dict]):
    text = f"readers = {entries!r}\nsinks = [{{'type': 'console'}}]"
    return start("--config", config(tmp_path, text), *how)


def shown(run, name: str) -> list[dict[str, str]]:
    """The readings of a meter that the console has printed: key -> text."""
    lines = re.findall(rf"^\S+Z {name} (.*)$", run.output, re.MULTILINE)
    return [dict(re.findall(r"(\S+)=(\S+)", line)) for line in lines]


# Our simulator, by clients that nobody here wrote.


@pytest.mark.parametrize("models", PAIRS, ids=str)
@pytest.mark.parametrize("base", [40000, 50000, 0])
def test_sunspecs_own_client_reads_the_simulator(gateway, models, base) -> None:
    device = Steady(models, seed=7, base=base)
    server = gateway({3: device})
    client = SunSpecModbusClientDeviceTCP(slave_id=3, ipaddr="127.0.0.1", ipport=server.port)
    client.scan()
    try:
        assert client.models[1][0].Mn.value == "SunSim"
        assert client.models[1][0].SN.value == "SN-7-0"
        for model in models:
            found = client.models[model][0]
            found.read()
            assert found.W.cvalue == pytest.approx(2345.6)
            assert found.PhVphB.cvalue == pytest.approx(231.2)
            counter = found.WH if model < 200 else found.TotWhImp
            assert counter.cvalue == (12345678 if model < 200 else 7654321)
            if model < 200:
                assert found.St.value == 4 and found.TmpCab.cvalue == pytest.approx(41.3)
                assert found.TmpSnk.value is None
            else:
                assert found.TotWhExp.cvalue == 1234567
                assert found.TotWhImpPhC.cvalue == 2551440
                assert found.WphC.cvalue == pytest.approx(781.9)
    finally:
        client.close()


@FRAMING
def test_pymodbus_reads_the_simulator(gateway, framing) -> None:
    server = gateway({1: slaves.Sdm("sdm630", seed=3), 2: Words(WORDS)}, framing)
    kind = FramerType.SOCKET if framing == "tcp" else FramerType.RTU
    client = ModbusTcpClient("127.0.0.1", port=server.port, framer=kind, timeout=1, retries=0)
    assert client.connect()
    try:
        assert client.read_holding_registers(0, count=23, device_id=2).registers == WORDS
        assert client.read_holding_registers(20, count=9, device_id=2).exception_code == 2
        found = client.read_input_registers(0x48, count=2, device_id=1).registers
        kwh = client.convert_from_registers(found, client.DATATYPE.FLOAT32)
        assert kwh == pytest.approx(server.meters[1].energy_wh / 1000, rel=1e-6)
        if framing == "tcp":
            assert client.read_input_registers(0, count=2, device_id=9).exception_code == 11
    finally:
        client.close()


# Our reader, by servers that nobody here wrote.


class PymodbusServer:
    """pymodbus's server on a free port, in a thread with its own loop."""

    def __init__(self, devices: list[SimDevice], framing: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        kind = FramerType.SOCKET if framing == "tcp" else FramerType.RTU
        self._stop = threading.Event()
        ready = threading.Event()

        def run() -> None:
            async def serve() -> None:
                address = ("127.0.0.1", self.port)
                server = ModbusTcpServer(devices, framer=kind, address=address)
                await server.serve_forever(background=True)
                ready.set()
                while not self._stop.is_set():
                    await asyncio.sleep(0.05)
                await server.shutdown()

            asyncio.run(serve())

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(HANG_S)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(HANG_S)


@HOW
@FRAMING
def test_our_reader_reads_a_pymodbus_server(start, tmp_path, how, framing) -> None:
    known = Steady((103, 203)).registers()
    sunspec = [known[register] for register in sorted(known)]
    server = PymodbusServer(
        [
            SimDevice(1, SimData(0, values=WORDS, datatype=DataType.REGISTERS)),
            SimDevice(2, SimData(40000, values=sunspec, datatype=DataType.REGISTERS)),
        ],
        framing,
    )
    entries = [
        entry(server.port, 1, name="own", registers=ROWS, framing=framing),
        entry(server.port, 2, name="roof", meter="sunspec", framing=framing),
        entry(server.port, 2, name="grid", meter="sunspec", which=2, framing=framing),
    ]
    try:
        run = begin_run(start, tmp_path, how, entries)
        for one in entries:
            run.wait_for(rf"Z {one['name']} ", count=2)
        told = {"voltage": "241.3", "power": "-1234.5", "energy_import": "12345.678"}
        assert shown(run, "own")[0] == told
        assert shown(run, "roof")[0] == wanted(103)
        assert shown(run, "grid")[0] == wanted(203)
        assert "WARNING" not in run.output
        assert run.interrupt() == 0
    finally:
        server.close()


@HOW
@pytest.mark.parametrize("models", PAIRS, ids=str)
def test_all_models(start, tmp_path, how, models, gateway) -> None:
    """All values, digit for digit, whatever the place of the map."""
    base = {0: 40000, 1: 50000, 2: 0}[models[0] % 3]
    device = Steady(models, seed=5, base=base)
    device.ends_in_refusal = models[0] == 102
    server = gateway({126: device})
    entries = [
        entry(server.port, 126, name=f"m{model}", meter="sunspec", which=which + 1)
        for which, model in enumerate(models)
    ]
    run = begin_run(start, tmp_path, how, entries)
    for model in models:
        run.wait_for(rf"Z m{model} ", count=2)
        found = {key: Decimal(text) for key, text in shown(run, f"m{model}")[0].items()}
        assert found == {key: Decimal(text) for key, text in wanted(model).items()}
        run.wait_for(f"SunSpec model {model} at ")
    assert server.connections == 1
    assert run.interrupt() == 0


# Bad days.

MODES = {
    "hang": "no answer within 500 ms",
    "half": "only a part of an answer within 500 ms",
    "reset": "cut",
    "garbage": "is `framing` right",
    "wrong": "only a part of an answer within 500 ms",
    "refused": "connection refused",
    4: r"refuses registers .*: device failure\n",
    6: r"refuses registers .*: it is busy\n",
    2: r"refuses registers .*: illegal address; is it another model\?",
}


# Exceptions are the same by both framings, and a serial line has no transactions.
DAYS = [("tcp", mode) for mode in MODES]
DAYS += [("rtu", mode) for mode in ("hang", "half", "reset", "garbage", "refused")]


@HOW
@pytest.mark.parametrize("framing, mode", DAYS, ids=str)
def test_a_bad_day(start, tmp_path, how, framing, mode, gateway) -> None:
    """The log says what is wrong, another host goes on, and it comes back by itself."""
    server = gateway({1: slaves.Sdm("sdm120")}, framing)
    other = gateway({1: slaves.Sdm("sdm120", seed=2)})
    about = {"meter": "sdm120", "timeout_ms": 500, "misses": 2}
    entries = [
        entry(server.port, name="ill", framing=framing, **about),
        entry(other.port, name="well", **about),
    ]
    run = begin_run(start, tmp_path, how, entries)
    run.wait_for("Z ill ", count=2)
    port = server.port
    if mode == "refused":
        server.close()
    else:
        server.mode = mode
    said = MODES[mode]
    if framing == "rtu" and mode == "garbage":
        said = "only a part of an answer within 500 ms"  # an answer may come behind anything
    run.wait_for(said)
    run.wait_for("Z ill *\n")  # all its values are unknown
    before = len(shown(run, "well"))
    run.wait_for("Z well ", count=before + 3)
    times = [at for at, _ in other.requests[-12:]]
    assert max(b - a for a, b in itertools.pairwise(times)) < 5, "held up by the other"
    if mode == "refused":
        server = gateway({1: slaves.Sdm("sdm120")}, framing, port)
    seen = run.output.count("Z ill voltage=")
    server.mode = "ok"
    run.wait_for("Z ill voltage=", count=seen + 2)
    assert "Traceback" not in run.output
    assert run.interrupt() == 0


@HOW
@FRAMING
def test_one_behind_a_gateway_is_gone(start, tmp_path, how, framing, gateway) -> None:
    server = gateway({1: slaves.Sdm("sdm120"), 2: slaves.Sdm("sdm120")}, framing)
    about = {"meter": "sdm120", "timeout_ms": 300, "misses": 2, "framing": framing}
    entries = [entry(server.port, n, name=f"m{n}", **about) for n in (1, 2)]
    run = begin_run(start, tmp_path, how, entries)
    run.wait_for("Z m2 ", count=2)
    server.silent = {2}
    why = "the gateway gets no answer from it" if framing == "tcp" else "no answer within 300 ms"
    run.wait_for(f"no answer from address 2 at 127.0.0.1, 2 times: {why}")
    before = len(shown(run, "m1"))
    run.wait_for("Z m1 ", count=before + 4)
    assert "no answer from address 1" not in run.output
    assert None not in shown(run, "m1")[-1].values()
    server.silent = set()
    run.wait_for("address 2 at 127.0.0.1 answers again")
    if framing == "tcp":
        assert server.connections == 1, "the gateway has answered all the time"
    assert run.interrupt() == 0


@HOW
def test_a_slow_host_holds_nobody_up(start, tmp_path, how, gateway) -> None:
    slow = gateway({1: Words(WORDS)})
    slow.rate_s = 0.9
    fast = gateway({1: Words(WORDS)})
    entries = [
        entry(slow.port, name="slow", registers=ROWS),
        entry(fast.port, name="fast", registers=ROWS),
    ]
    run = begin_run(start, tmp_path, how, entries)
    run.wait_for("Z slow ", count=2)
    run.wait_for("Z fast ", count=6)
    times = [at for at, _ in fast.requests]
    assert len(times) >= 14
    assert max(b - a for a, b in itertools.pairwise(times)) < 2.5
    assert run.interrupt() == 0


@HOW
def test_it_closes_what_is_idle(start, tmp_path, how, gateway) -> None:
    """As many devices do after a minute: nobody notices."""
    server = gateway({1: Words(WORDS)})
    run = begin_run(start, tmp_path, how, [entry(server.port, name="own", registers=ROWS)])
    for number in range(1, 4):
        run.wait_for("Z own ", count=2 * number)
        server.cut()
    run.wait_for("Z own ", count=8)
    assert server.connections == 4
    assert "no answer" not in run.output and "WARNING" not in run.output
    assert run.interrupt() == 0


@HOW
def test_a_counter_that_starts_again_and_other_models(start, tmp_path, how, gateway) -> None:
    device = Steady((103,))
    server = gateway({1: device})
    roof = entry(server.port, name="roof", meter="sunspec", misses=2)
    run = begin_run(start, tmp_path, how, [roof])
    run.wait_for("Z roof ", count=2)
    device.values[103]["WH"] = 5
    run.wait_for("energy_export fell from 12345.678 to 0.005 kWh: not believed")
    run.wait_for("energy_export=0.005")
    # The owner sets the inverter to singles: all registers move.
    other = Steady((113,))
    server.meters[1] = other
    run.wait_for("it has other models by now")
    run.wait_for("SunSpec model 113 at 40070")
    run.wait_for("energy_export=12345.678 kWh", count=3)
    other.values[113].clear()  # night
    run.wait_for("it has no values: is an inverter off")
    assert "Traceback" not in run.output
    assert run.interrupt() == 0


@HOW
def test_it_is_no_sunspec_device(start, tmp_path, how, gateway) -> None:
    server = gateway({1: slaves.Sdm("sdm120"), 2: Steady((103,))})
    entries = [
        entry(server.port, 1, name="sdm", meter="sunspec"),
        entry(server.port, 2, name="one", meter="sunspec", which=2),
    ]
    run = begin_run(start, tmp_path, how, entries)
    run.wait_for('address 1 at 127.0.0.1: it has no "SunS" in its registers')
    run.wait_for("address 2 at 127.0.0.1: no inverter or meter number 2 among its models: 1, 103")
    server.meters[2] = Steady((103, 203))
    run.wait_for("Z one power=2345.6 W", count=2)
    assert run.output.count('"SunS"') == 1
    assert run.interrupt() == 0


@pytest.mark.parametrize(
    "change, said",
    [
        ({"host": None}, "one of `uart` and `host` is needed, and only one"),
        ({"uart": "sim"}, "one of `uart` and `host` is needed, and only one"),
        ({"host": None, "uart": "sim", "address": 248}, "`address` is 248; allowed on a line"),
        ({"address": 256}, "`address` is 256; allowed is a whole number from 0 to 255"),
        ({"meter": None}, "one of `meter` and `registers` is needed"),
        ({"de": 4}, "`de` is a pin of a line; leave it out where `host` is given"),
        ({"which": 2}, '`which` is for `meter` "sunspec"; leave it out'),
        ({"framing": "udp"}, '`framing` is "udp"; allowed: "tcp", "rtu"'),
        ({"host": "tcp://x"}, "`host`"),
        (
            {"meter": None, "registers": ["a | 0 | u16^99 | 0 | W | total | "]},
            "scale factor is not",
        ),
    ],
)
def test_what_the_check_finds(start, tmp_path, change, said) -> None:
    about = entry(502, name="x", meter="sdm120") | change
    run = begin_run(start, tmp_path, [], [about])
    assert run.status() != 0
    assert said in run.output, run.output


def test_one_framing_for_a_host(start, tmp_path) -> None:
    entries = [
        entry(502, 1, name="a", meter="sdm120"),
        entry(502, 1, name="b", meter="sdm120", framing="rtu"),
        entry(503, 1, name="c", meter="sdm120", framing="rtu"),
    ]
    run = begin_run(start, tmp_path, [], entries)
    assert run.status() != 0
    assert "readers[1] (modbus): `framing` is rtu, but readers[0] (modbus)" in run.output
    assert "readers[2]" not in run.output
