"""What several integration tests start and have to end."""

from pathlib import Path

import pytest

from tests import tiers
from tests.integration.flash_rig import CONFIG
from tests.integration.run_rig import Run
from tools.host import deps
from tools.rig import raw_repl, vm


@pytest.fixture
def start():
    """Start runs of the firmware; all have ended after the test."""
    runs: list[Run] = []

    def begin(*arguments: str, **options) -> Run:
        runs.append(Run(*arguments, **options))
        return runs[-1]

    yield begin
    for run in runs:
        run.close()


@pytest.fixture
def make(tmp_path):
    """A function that starts a simulated board."""
    tiers.require("mpremote", "vm", "pip install mpremote")
    started = []

    def start(**options) -> raw_repl.Board:
        folder = tmp_path / f"board{len(started)}"
        folder.mkdir()
        try:
            board = raw_repl.Board(folder, **options)
        except vm.Unavailable as problem:
            tiers.missing("the MicroPython VM", "vm", str(problem))
        started.append(board)
        return board.__enter__()

    yield start
    for board in started:
        board.__exit__()


@pytest.fixture
def packages():
    if deps.path() is None:
        tiers.missing("the MicroPython packages", "deps", "make deps")


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "my_config.py"
    path.write_text(CONFIG)
    return path
