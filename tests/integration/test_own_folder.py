"""On a computer each config has a folder of its own, and one process at a time has it."""

import builtins
import importlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.run_rig import Run
from tools import ROOT
from tools.host import place

UP = "connected, address"
ESP32 = ["--vm", "--profile", "esp32"]
IMAGE = ["--vm", "--profile", "esp8266-frozen"]
CONSOLE = """
readers = [{"type": "health", "interval": 5}]
sinks = [{"type": "console"}]
"""


def config(path: Path, text: str = CONSOLE) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return str(path)


def folders(base: Path) -> list[str]:
    return sorted(path.name for path in base.iterdir())


@pytest.mark.parametrize("how", [[], ESP32], ids=["cpython", "esp32"])
def test_each_config_has_its_own(start, tmp_path, how) -> None:
    """Two of one name too; at the same time, and again the same one."""
    base = tmp_path / "base"
    paths = [config(tmp_path / name / "my house.py") for name in ("a", "b")]
    runs = [start("--config", path, "--folder", str(base), *how) for path in paths]
    for run in runs:
        run.wait_for(UP)
        assert run.interrupt() == 0, run.output
    found = folders(base)
    assert len(found) == 2
    assert all(re.fullmatch(r"my_house-[0-9a-f]{8}", name) for name in found), found
    for name in found:
        assert "started by" in (base / name / "joulelog.log").read_text()
    again = start("--config", paths[0], "--folder", str(base), *how)
    again.wait_for("boot 2 ")
    assert again.interrupt() == 0
    assert folders(base) == found


def test_in_the_repository_without_an_option(tmp_path) -> None:
    path = config(tmp_path / "own_folder_test.py")
    line = [sys.executable, "-m", "tools.run", "--config", path]
    run = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    try:
        while UP not in run.stdout.readline():
            assert run.poll() is None
        (folder,) = (ROOT / "build/log").glob("own_folder_test-*")
        assert (folder / "lock").read_text().split("\n")[0] == str(run.pid)
    finally:
        run.terminate()
        run.communicate()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def named(run: Run) -> int:
    """The process that a run that was refused names; it says so in one line."""
    assert run.status() == 4, run.output
    lines = run.output.strip().split("\n")
    assert len(lines) == 1, lines
    found = re.fullmatch(
        r"run: process (\d+) has (\S+), with the config (.+); end it .*", lines[0]
    )
    assert found, lines
    return int(found[1])


@pytest.mark.parametrize("how", [[], ESP32], ids=["cpython", "esp32"])
def test_the_same_config_twice(start, tmp_path, how) -> None:
    path = config(tmp_path / "house.py")
    first = start("--config", path, *how)
    first.wait_for(UP)
    (tmp_path / "link.py").symlink_to(path)
    for name in (path, str(tmp_path / "link.py")):
        second = start("--config", name)
        assert named(second) == first._process.pid
        assert path in second.output
    assert first.interrupt() == 0
    third = start("--config", path, *how)
    third.wait_for(UP)
    assert third.interrupt() == 0


@pytest.mark.parametrize(
    "sections",
    [
        ("log = {'directory': %r}", "log = {'directory': %r + '/'}"),
        ("queue = {'directory': %r + '/q'}", "queue = {'directory': %r + '/x/../q'}"),
        ("log = {'directory': %r}", "queue = {'directory': %r}"),
    ],
    ids=["log", "queue", "log and queue"],
)
def test_another_config_with_the_same_folder(start, tmp_path, sections) -> None:
    place_ = tmp_path / "place"
    place_.mkdir()
    (place_ / "x").mkdir()
    paths = [
        config(tmp_path / f"{number}.py", CONSOLE + text % str(place_))
        for number, text in enumerate(sections)
    ]
    first = start("--config", paths[0])
    first.wait_for(UP)
    second = start("--config", paths[1])
    assert named(second) == first._process.pid
    assert paths[0] in second.output
    first.interrupt()
    third = start("--config", paths[1])
    third.wait_for(UP)
    third.interrupt()


def test_a_folder_that_cannot_be_made_is_the_firmware_s_trouble(start, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    run = start(
        "--config", config(tmp_path / "a.py", CONSOLE + "log = {'directory': '/dev/null'}")
    )
    run.wait_for(UP)
    assert run.interrupt() == 0


@pytest.mark.parametrize("victim", ["all", "run.py", "firmware"])
@pytest.mark.parametrize("how", [[], ESP32], ids=["cpython", "esp32"])
def test_kill_9_leaves_no_lock(start, tmp_path, how, victim) -> None:
    path = config(tmp_path / "house.py")
    first = start("--config", path, *how)
    first.wait_for(UP)
    firmware = first.descendants()[-1]
    if victim == "all":
        os.killpg(first._process.pid, signal.SIGKILL)
    else:
        os.kill(firmware if victim == "firmware" else first._process.pid, signal.SIGKILL)
    second = start("--config", path, *how)
    second.wait_for(UP)
    assert second.interrupt() == 0


def test_an_image_s_flash_is_in_the_folder(start, tmp_path) -> None:
    from tests import tiers
    from tools.rig import frozen

    try:
        frozen.build(None, "esp8266")
    except frozen.LeftOut as reason:
        tiers.missing(str(reason), "micropython", "see tools/rig/frozen.py")
    base = tmp_path / "base"
    path = config(tmp_path / "house.py")
    for boot in (1, 2):
        run = start("--config", path, "--folder", str(base), *IMAGE)
        run.wait_for(f"boot {boot} ")
        second = start("--config", path, "--folder", str(base))
        assert named(second) == run._process.pid
        run.wait_for(UP)
        assert run.interrupt() == 0
    (folder,) = base.iterdir()
    assert folders(folder) == ["flash-esp8266", "lock"]


def test_what_an_earlier_version_left_is_told(start, tmp_path) -> None:
    base = tmp_path / "base"
    (base / "spool").mkdir(parents=True)
    path = config(tmp_path / "house.py")
    quiet = start("--config", path, "--folder", str(base))
    quiet.wait_for(UP)
    assert quiet.interrupt() == 0
    assert "an earlier version" not in quiet.output
    (base / "spool/00000000.log").write_bytes(b"")
    told = start("--config", path, "--folder", str(base))
    told.wait_for(UP)
    assert told.interrupt() == 0
    (folder,) = base.glob("house-*")
    line = f"run: an earlier version has left spool in {base}, of whichever config ran there: move"
    assert line in told.output and f"that to {folder} " in told.output


# Without fcntl, as on Windows.


@pytest.fixture
def without_fcntl(monkeypatch):
    original = builtins.__import__

    def hidden(name, *about):
        if name == "fcntl":
            raise ImportError(name)
        return original(name, *about)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", hidden)
        importlib.reload(place)
    yield
    importlib.reload(place)


def test_without_fcntl(without_fcntl, tmp_path) -> None:
    """A process that lives has it, one that is gone has not."""
    assert place.fcntl is None
    folder = tmp_path / "folder"
    sleeper = subprocess.Popen(["sleep", "1000"])
    try:
        with place.locked([folder], Path("a.py")) as lock:
            assert "pass_fds" not in lock.passed_on
            lock.name(sleeper.pid)
            assert (folder / "lock").read_text() == f"{os.getpid()}\n{sleeper.pid}\na.py\n"
        assert (folder / "lock").read_text() == ""
        (folder / "lock").write_text(f"{sleeper.pid}\n0\nb.py\n")
        with pytest.raises(place.Taken, match=rf"process {sleeper.pid} has .*b\.py"):
            with place.locked([folder], Path("a.py")):
                pass
    finally:
        sleeper.kill()
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    # Killed, and nobody has asked how it ended.
    with place.locked([folder], Path("a.py")):
        pass
    sleeper.wait()
    with place.locked([folder], Path("a.py")):
        pass


@given(text=st.text(max_size=200) | st.from_regex(r"[0-9]{0,12}\n[0-9]{0,12}\n.*"))
def test_whatever_stands_in_a_lock_that_nobody_holds(tmp_path_factory, text) -> None:
    folder = tmp_path_factory.getbasetemp() / "any_lock"
    folder.mkdir(exist_ok=True)
    (folder / "lock").write_text(text, encoding="utf-8", newline="")
    with place.locked([folder], Path("a.py")):
        pass


@given(name=st.text(min_size=1, max_size=100).filter(lambda t: not set(t) & set("/\0")))
def test_any_name_of_a_config(name) -> None:
    try:
        os.fsencode(name)
    except UnicodeError:
        return
    found = place.of(Path("/home") / f"x{name}.py", Path("base"))
    assert found.parent == Path("base")
    assert re.fullmatch(r"[\w.-]{1,40}-[0-9a-f]{8}", found.name)
    assert len(os.fsencode(found.name)) < 255
    other = place.of(Path("/elsewhere") / f"x{name}.py", Path("base"))
    assert other != found
