"""make update against the firmware on a flash of two slots; what it says where that is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.update_rig import OLD, PASSWORD, Flashed
from tests.waiting import HANG_S
from tools import ROOT


@pytest.fixture(params=("cpython", "vm"))
def board(request, tmp_path):
    with Flashed(request.param, tmp_path) as flashed:
        yield flashed


def make_update(board: Flashed, data: bytes, password: str = PASSWORD, *more: str):
    file = board.folder / "some.update"
    file.write_bytes(data)
    command = [sys.executable, "-m", "tools.update", "--host", board.host, "--file", str(file)]
    return subprocess.run(
        [*command, *more],
        cwd=ROOT,
        env={**os.environ, "JOULELOG_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )


def test_make_update_from_the_sofa(board):
    data = board.update("0.2.0")
    done = make_update(board, data)
    assert done.returncode == 1 and "choose a password first" in done.stderr
    board.log_in()
    done = make_update(board, data, "not this password")
    assert done.returncode == 1 and "that is not the password" in done.stderr
    assert board.application("ota_1")[:1] == b"\xff"
    done = make_update(board, data)
    assert done.returncode == 0, (done.stderr, board.said())
    assert "100 % of" in done.stdout
    assert done.stdout.strip().endswith("runs, on trial for now")
    assert board.starts == [OLD, "0.2.0"] and board.slot == "ota_1"
    assert board.application()[: len(data) - 1024] == data[1024:]
    assert "an update to version 0.2.0" in board.said()
    # The new one takes none while it is on trial itself.
    done = make_update(board, board.update("0.3.0"))
    assert done.returncode == 1 and "on trial" in done.stderr, done.stderr


def test_what_the_board_says_of_others(board):
    board.log_in()
    whole = board.update("0.2.0")
    unsigned = whole[:640] + bytes(384) + whole[1024:]
    for data, words in (
        (board.update("0.2.0", board="ESP32_GENERIC"), "for the board ESP32_GENERIC"),
        (board.update("0.0.9"), "older"),
        (unsigned, "not signed with the key"),
        (whole[:-1], "shorter than it says"),
        (whole[:-1] + b"!", "SHA-256"),
    ):
        done = make_update(board, data)
        assert done.returncode == 1 and words in done.stderr, done.stderr
        assert board.starts == [OLD]
    done = make_update(board, b"\xe9" + bytes(2000))
    assert done.returncode == 1 and "ends in .update" in done.stderr
    tries = [make_update(board, whole, "a guess that is wrong").stderr for _ in range(6)]
    assert ["that is not the password" in text for text in tries] == [True] * 5 + [False]
    assert "try again in" in tries[5]
    assert board.starts == [OLD] and board.state()["updates"] == 0


def test_without_a_board(tmp_path):
    path = tmp_path / "some.update"
    for arguments, words in (
        ([], "HOST="),
        (["--host", "127.0.0.1:9"], "FILE="),
        (["--host", "127.0.0.1:9", "--file", str(path)], "No such file"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tools.update", *arguments],
            cwd=Path(ROOT),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1 and words in done.stderr, done.stderr
