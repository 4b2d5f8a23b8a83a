"""Simulated meters, pymodbus and our master, on real pseudo terminals at the pace of the line."""

import asyncio
import json
import subprocess
import sys
import threading
import time

import pytest
from modbus import rtu

from joulelog import clock
from joulelog.readers import bus
from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.sim import slaves
from tools.sim.pzem import Faults, Server

VECTORS = json.loads((ROOT / "tests/fixtures/modbus/pzem.json").read_text())
READ_AC = rtu.read(1, 4, 0, 10)


class Board:
    NAME = "HOST"
    CHIP = "host"
    UARTS: dict = {}
    RX_BUFFER = 4096


def our_bus(device: str, baud: int = 9600) -> bus.Bus:
    entry = {"uart": device, "tx": None, "rx": None, "de": None}
    return bus.Bus(Board, entry, bus.settings(entry, baud, "none", 1))


@pytest.fixture
def serve():
    servers = []

    def begin(meters, faults=None, **options) -> Server:
        servers.append(Server(meters, faults, **options).start())
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


def words(payload: bytes) -> list[int]:
    return [int.from_bytes(payload[at : at + 2], "big") for at in range(0, len(payload), 2)]


# The simulator first: it must say what real meters and pymodbus say.


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "response"])
def test_the_simulator_says_what_real_meters_said(vector) -> None:
    frame = bytes.fromhex(vector["frame"])
    address = frame[0] if frame[0] < 248 else 1
    meter = slaves.Pzem(vector["model"])
    line = slaves.Line({address: meter}, time.monotonic)
    if frame[1] == 4:
        meter.fixed = words(frame[3:-2])
        request = rtu.read(frame[0], 4, 0, frame[2] // 2)
    else:
        request = rtu.read(frame[0], 3, 2, 1)
    assert line.answer(request) == frame


def test_the_simulator_lays_out_registers_as_real_meters_do() -> None:
    """6892.3 W at 241.3 V: which word is where, and in which unit."""
    meter = slaves.Pzem("ac")
    meter.power_w, meter.energy_wh = 6892.3, 7926.9
    frame = next(v["frame"] for v in VECTORS if v.get("values", {}).get("power") == "6892.3")
    real = words(bytes.fromhex(frame)[3:-2])
    made = meter.words()
    assert made[3:7] == real[3:7]
    assert 2200 < made[0] < 2400 and made[7] == 500 and made[9] == 0
    ampere = (made[1] | made[2] << 16) / 1000
    assert ampere == pytest.approx(6892.3 / (made[0] / 10) / 0.95, rel=0.001)


@pytest.mark.parametrize(
    "model, request_, answer",
    [
        ("dc", rtu.read(1, 4, 0, 10), "018402c2c1"),
        ("ac", rtu.write(1, 2, 248), "0186030261"),
        ("ac", rtu.write(1, 2, 0), "0186030261"),
    ],
)
def test_the_simulator_refuses_as_real_meters_do(model, request_, answer) -> None:
    assert answer in [vector["frame"] for vector in VECTORS]
    line = slaves.Line({1: slaves.Pzem(model)}, time.monotonic)
    assert line.answer(request_) == bytes.fromhex(answer)


def test_pymodbus_reads_the_simulator(serve) -> None:
    tiers.require("pymodbus", "host", "pip install pymodbus")
    from pymodbus.client import ModbusSerialClient

    meters = {1: slaves.Pzem("ac"), 9: slaves.Sdm("sdm630", seed=3)}
    meters[1].fixed = [2413, 29037, 0, 3387, 1, 7926, 0, 500, 98, 0]
    server = serve(meters)
    client = ModbusSerialClient(server.device, baudrate=9600, timeout=1, retries=0)
    assert client.connect()
    try:
        assert client.read_input_registers(0, count=10, device_id=1).registers == meters[1].fixed
        assert client.read_input_registers(0, count=11, device_id=1).exception_code == 2
        found = client.read_input_registers(0x48, count=2, device_id=9).registers
        kwh = client.convert_from_registers(found, client.DATATYPE.FLOAT32)
        assert kwh == pytest.approx(meters[9].energy_wh / 1000, rel=1e-6)
        assert client.write_register(2, 17, device_id=1).registers == [17]
        assert client.read_holding_registers(2, count=1, device_id=17).registers == [17]
    finally:
        client.close()


# Our master.


def ask(device: str, *requests: bytes, timeout_ms: int = 250) -> list[tuple]:
    async def story() -> list[tuple]:
        line = our_bus(device)
        line.ready()
        try:
            return [await line.ask(request, timeout_ms) for request in requests]
        finally:
            line.close()

    return asyncio.run(story())


class PymodbusServer:
    """pymodbus's serial server on a pty of its own, in a thread with its own loop."""

    def __init__(self, words_: list[int]) -> None:
        import os
        import tty

        from pymodbus.server import ModbusSerialServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        self._near, far = os.openpty()
        self._far, slave = os.openpty()
        for end in (self._near, far, self._far, slave):
            tty.setraw(end)
        self.device = os.ttyname(far)
        theirs = os.ttyname(slave)
        self._keep = (far, slave)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._copy, args=pair, daemon=True)
            for pair in ((self._near, self._far), (self._far, self._near))
        ]
        device = SimDevice(5, SimData(0, values=words_, datatype=DataType.REGISTERS))
        ready = threading.Event()

        def run() -> None:
            async def serve() -> None:
                server = ModbusSerialServer(device, port=theirs, baudrate=9600)
                ready.set()
                task = asyncio.ensure_future(server.serve_forever())
                while not self._stop.is_set():
                    await asyncio.sleep(0.05)
                await server.shutdown()
                task.cancel()

            asyncio.run(serve())

        self._threads.append(threading.Thread(target=run, daemon=True))
        for thread in self._threads:
            thread.start()
        assert ready.wait(5)
        time.sleep(0.3)

    def _copy(self, source: int, target: int) -> None:
        import os
        import select

        while not self._stop.is_set():
            if select.select([source], [], [], 0.1)[0]:
                os.write(target, os.read(source, 256))

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5)


def test_our_master_reads_a_pymodbus_server() -> None:
    """Must show 3."""
    tiers.require("pymodbus", "host", "pip install pymodbus")
    registers = [2413, 29037, 0, 3387, 1, 7926, 0, 500, 98, 0]
    server = PymodbusServer(registers)
    try:
        found = ask(
            server.device,
            rtu.read(5, 4, 0, 10),
            rtu.read(5, 3, 5, 2),
            rtu.write(5, 7, 501),
            rtu.read(5, 4, 7, 1),
            rtu.read(5, 4, 900, 1),
            timeout_ms=1000,
        )
    finally:
        server.close()
    assert words(found[0][0]) == registers
    assert words(found[1][0]) == [7926, 0]
    assert words(found[2][0]) == [7, 501]
    assert words(found[3][0]) == [501]
    assert found[4][:2] == (b"", 2)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(noise=40),
        Faults(echo=1),
        Faults(split_ms=40),
    ],
    ids=["noise", "echo", "split"],
)
def test_what_does_not_disturb(serve, faults) -> None:
    server = serve({1: slaves.Pzem("ac")}, faults)
    found = ask(server.device, *[READ_AC] * 5)
    assert [len(payload or b"") for payload, _, _ in found] == [20] * 5


def test_a_pace_that_is_no_faster_than_the_line(serve) -> None:
    """The simulated line is as slow as it says."""
    import os

    server = serve({1: slaves.Pzem("ac")})
    handle = os.open(server.device, os.O_RDWR | os.O_NOCTTY)
    began = time.monotonic()
    os.write(handle, READ_AC)
    heard = b""
    while len(heard) < 25:
        heard += os.read(handle, 64)
    took = time.monotonic() - began
    os.close(handle)
    assert (8 + 3.5 + 25) * 10 / 9600 <= took


@pytest.mark.parametrize("how", [(), ("--vm",)], ids=["cpython", "vm"])
def test_make_run(how) -> None:
    """Must show 1: the shipped config, two PZEMs and an SDM120 on one line."""
    if how:
        from tools.rig import vm

        try:
            vm.ensure()
        except vm.Unavailable as reason:
            tiers.missing("the MicroPython VM", "vm", str(reason))
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.run", "--config", "examples/configs/pzem_laptop.py", *how],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = []
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        wanted = {"heat_pump": 3, "car": 3, "solar": 1}
        for line in process.stdout:
            printed.append(line)
            for name in wanted:
                wanted[name] -= f"Z {name} " in line
            if max(wanted.values()) <= 0:
                break
        process.terminate()
        assert process.wait(HANG_S) == 0
    finally:
        timer.cancel()
        process.kill()
        process.stdout.close()
    text = "".join(printed)
    assert max(wanted.values()) <= 0, text
    assert "Traceback" not in text and "WARNING" not in text, text
    assert " heat_pump voltage=2" in text and " solar voltage=230.3 " in text


def test_a_wrong_entry_of_a_simulated_meter(tmp_path) -> None:
    """The firmware's check tells it, not the simulator; nothing is left behind."""
    config = tmp_path / "wrong.py"
    config.write_text(
        "readers = [{'type': 'pzem', 'uart': 'sim', 'address': 300, 'model': 'xx'},"
        " {'type': 'modbus', 'uart': 'sim', 'address': 4},"
        " {'type': 'pulse', 'pin': 'sim', 'pulse_ms': 'x'}]\nsinks = [{'type': 'console'}]\n"
    )
    command = [sys.executable, "-m", "tools.run", "--config", str(config)]
    # Until all is shut.
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S)
    assert done.returncode == 2
    for told in (
        "(pzem): `address` is 300; allowed is a whole number from 1 to 248",
        '(pzem): `model` is "xx"; allowed: ',
        "(modbus): one of `meter` and `registers` is needed",
        "(pulse): `pulse_ms` is",
    ):
        assert told in done.stdout, done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_clock_is_real() -> None:
    assert clock._speed == 1
