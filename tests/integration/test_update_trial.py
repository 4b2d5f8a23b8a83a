"""An update on trial, from outside: main.py of a board on the VM, a bootloader before each start.

What is wrong with the new version is in config.py, for the slot that it runs in.
"""

from pathlib import Path

import esp32
import pytest
import update_helpers as made

from joulelog.device.state import Store
from joulelog.update import KEY
from tests.integration import restarts_rig
from tests.integration.restarts_rig import GOOD, HANG_S, POWER_ON, RESET, RESTART, WATCHDOG, Board
from tests.integration.update_rig import OLD, image
from tools.sim import bootloader

NEW = "0.2.0"
IN_NEW = '\nimport os\nif os.getenv("JOULELOG_SLOT") == "ota_1":\n    '
LATE = """
import joulelog.readers.health as health
run = health.Reader.run
async def late(self):
    for _ in range(%d):
        await health.clock.sleep_ms(10000)
    await run(self)
health.Reader.run = late
"""


@pytest.fixture(autouse=True)
def needs():
    restarts_rig.needs()


def updated(folder: Path, monkeypatch, config: str, sources: str = "health") -> Board:
    """A board with the new version in its other slot, that the next start is to try."""
    board = Board(folder, GOOD + config, flash=bytes(made.flash_image(image(OLD))))
    flash = esp32.Flash(str(board.flash))
    monkeypatch.setattr(esp32, "flash", flash)
    monkeypatch.setenv("JOULELOG_SLOT", "ota_0")
    esp32.Partition("ota_1").writeblocks(0, image(NEW))
    store = Store(str(folder))
    store.set(KEY, [OLD, NEW, "ota_1", "", sources])
    assert store.save_now()
    esp32.Partition("ota_1").set_boot()
    return board


def noted(board: Board):
    store = Store(str(board.folder))
    store.open()
    return store.get(KEY)


def taken_back(board: Board, reason: str, why: str) -> None:
    """The next start is that of the old version, which tells why and forgets it."""
    with board.started(reason) as process:
        assert board.slot == "ota_0"
        told = rf"ERROR update: the update to {NEW} was taken back \({why}.*\): {OLD} runs"
        board.wait_for(process, told)
        board.wait_until(process, lambda: noted(board) is None)


def test_a_healthy_one_stays(tmp_path, monkeypatch):
    board = updated(tmp_path, monkeypatch, "")
    with board.started(RESTART) as process:
        assert board.slot == "ota_1"
        board.wait_for(process, f"version {NEW} is on trial for ten minutes; {OLD} comes back")
        board.wait_for(process, f"version {NEW} has passed its trial")
        board.wait_for(process, "health ")
    assert noted(board) is None
    flash = esp32.Flash(str(board.flash))
    assert esp32.entry(flash, esp32.newest([esp32.entry(flash, n) for n in (0, 1)]))[1] == (
        esp32.VALID
    )
    for reason in (POWER_ON, RESTART):
        assert bootloader.start(flash) == "ota_1", reason


def test_one_that_takes_its_time_stays(tmp_path, monkeypatch):
    board = updated(tmp_path, monkeypatch, LATE % 40)
    with board.started(RESTART) as process:
        board.wait_for(process, f"version {NEW} has passed its trial")


@pytest.mark.parametrize(
    ("config", "sources", "why"),
    [
        (LATE % 360, "health", "in ten minutes .*health has delivered nothing"),
        ("", "health/p1", "in ten minutes p1 has delivered nothing"),
        (IN_NEW + "device = 7\n", "health", "The config cannot work yet: +config: `device` is 7"),
        (
            IN_NEW + "import joulelog.app\n    joulelog.app.App._start = None\n",
            "health",
            "TypeError",
        ),
    ],
    ids=["nothing", "one_reader", "config", "exception"],
)
def test_what_ends_in_a_reset(tmp_path, monkeypatch, config, sources, why):
    board = updated(tmp_path, monkeypatch, config, sources)
    with board.started(RESTART) as process:
        assert board.slot == "ota_1"
        assert process.wait(HANG_S) == RESET, board.said()
    taken_back(board, RESTART, why)


def test_a_hang(tmp_path, monkeypatch):
    """Before there is an app: the watchdog of main.py."""
    board = updated(tmp_path, monkeypatch, IN_NEW + "while True:\n        pass\n")
    with board.started(RESTART) as process:
        board.wait_until(process, board.memory)
    taken_back(board, WATCHDOG, "watchdog")


def test_a_power_cut(tmp_path, monkeypatch):
    board = updated(tmp_path, monkeypatch, "")
    with board.started(RESTART) as process:
        board.wait_for(process, "is on trial for ten minutes")
    taken_back(board, POWER_ON, "the power was cut")


def test_the_switch_was_not_made(tmp_path, monkeypatch):
    """The power went between the note and the bootloader's entry."""
    board = updated(tmp_path, monkeypatch, "")
    board.flash.write_bytes(bytes(made.flash_image(image(OLD))))
    taken_back(board, POWER_ON, "the power was cut, or the switch had not been made")


def test_a_trial_that_had_passed(tmp_path, monkeypatch):
    """The power went between the bootloader's entry and the note: once more, no more."""
    board = updated(tmp_path, monkeypatch, "", "health/p1")
    flash = esp32.Flash(str(board.flash))
    assert bootloader.start(flash) == "ota_1"
    esp32.flash = flash
    esp32.Partition.mark_app_valid_cancel_rollback()
    board.reset(RESTART)
    with board.started(RESTART) as process:
        assert board.slot == "ota_1"
        board.wait_for(process, f"version {NEW} stays: the bootloader has no other \\(in ten min")
        board.wait_for(process, "health ")
