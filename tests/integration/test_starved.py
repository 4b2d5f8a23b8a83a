"""A heap that is too small, or becomes so: no task ends for good, and the board restarts itself.

The whole firmware on the VM from ROMFS, as a board that restarts by itself, with a simulated P1
meter and a real mosquitto; the check of the start is left out. Time is compressed twenty times.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests import tiers
from tests.integration.spool_rig import in_mqtt
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.rig import run_vm, vm
from tools.sim import p1

RESTART = 86
READINGS = 40  # before the memory is taken; the ring has 16, the rest is on the flash


class Board:
    """One run after the other of a board whose flash stays."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.broker = broker
        self._config = folder / "my_config.py"
        self._config.write_text(
            "SPEED = 20\ndevice = 'logger'\n"
            "readers = [{'type': 'dsmr', 'name': 'p1', 'uart': 'sim'}]\n"
            f"sinks = [{{'type': 'mqtt', 'host': '127.0.0.1', 'port': {broker.port}}}]\n"
            f"queue = {{'slots': 16}}\nlog = {{'directory': {str(folder)!r}, 'size_kb': 50}}\n"
        )
        self._uart = p1.start("nl50", 20)

    def start(self, heap: str, readings: int = 0, left: int = 0) -> subprocess.Popen:
        script = ROOT / "tests/vm/scripts/starve.py"
        arguments = [str(self._config), self._uart, str(readings), str(left)]
        return subprocess.Popen(
            run_vm.command(script, arguments, "esp32", heap),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *about) -> tuple[int, str]:
        """(exit status, what was printed) of a run that ends by itself."""
        process = self.start(*about)
        try:
            return process.wait(HANG_S), process.stdout.read() if process.stdout else ""
        finally:
            process.kill()


@pytest.fixture
def board(tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    if deps.path() is None:
        tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    try:
        vm.ensure()
    except vm.Unavailable as reason:
        tiers.missing("the MicroPython VM", "vm", str(reason))
    broker = Mosquitto(tmp_path / "broker")
    yield Board(tmp_path, broker)
    broker.stop()


@pytest.mark.parametrize("left", [2000, 300])
def test_memory_is_taken(board, left: int):
    """The board restarts, says why, and has all that it had read, in RAM and on the flash."""
    status, said = board.run("170k", READINGS, left)
    print(said[-1500:])
    assert "SQUEEZED" in said
    assert status == RESTART, said
    assert "restarting the board: " in said
    board.broker.start()
    with Recorder(board.broker.port, "logger/#") as recorder:
        process = board.start("170k")
        try:
            recorder.wait_for(lambda: len(_serials(recorder)) > READINGS + 20)
            recorder.wait_for(lambda: _serials(recorder)[-1] + 1 == len(_serials(recorder)))
        finally:
            process.kill()
        said = process.communicate()[0]
        found = _serials(recorder)
    told = re.search("the board restarted itself: (.*)", said)
    assert told and "memory" in told[1], said
    assert found == list(range(found[-1] + 1)), found


def test_a_heap_that_is_too_small_to_run(board):
    """What was loaded all the same does not stay dead: tasks go on, then the board restarts."""
    board.broker.start()
    status, said = board.run("108k")
    print(said[-1500:])
    assert status == RESTART, said
    assert re.search("restarting the board: .* ran out of memory again and again", said)


def test_a_heap_that_is_too_small_to_load(board):
    status, said = board.run("90k")
    assert status == 1
    assert "the memory ran out while it was loaded; leave out a sink or a reader" in said
    assert "MemoryError" not in said


def _serials(recorder: Recorder) -> list[int]:
    """The numbers of all readings that have come, in order."""
    return sorted(int(name[9:], 16) for name in in_mqtt(recorder)[0])
