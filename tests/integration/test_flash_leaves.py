"""However `make flash` and `make config` end, the board runs what was on it, or what is new."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiers, waiting
from tests.integration.flash_rig import (
    ALIVE,
    CONFIG,
    REPORT,
    flash,
    get,
    on,
    put,
    refused,
    says,
    telegram,
)
from tools import ROOT
from tools.flash.link import Link
from tools.rig import raw_repl, vm

LARGE = """\
readers = [{"type": "dsmr", "uart": 2}]
sinks = [{"type": "mqtt", "host": "a"}, {"type": "influxdb", "url": "http://a", "database": "b"}]
"""


@pytest.mark.parametrize(
    ("about", "files", "name", "said"),
    [
        ({"version": "1.23.0"}, {}, "ESP32_GENERIC", "needs 1.24"),
        ({"machine": "LOLIN_C3_MINI with ESP32-C3FH4"}, {}, "ESP32_GENERIC", "ESP32_GENERIC_C3"),
        ({"flash_kib": 256}, {}, "ESP32_GENERIC", "nothing was written. Largest"),
        ({"heap_kb": 70}, {}, "ESP32_GENERIC", "make firmware"),
        ({}, {"/config.py": LARGE}, "ESP32_GENERIC", "it does not fit"),
        ({}, {"/config.py": "sinks = [{'type': 'consul'}]\n"}, "ESP32_GENERIC", '"console"'),
        ({}, {"/config.py": "sinks = [true]\n"}, "ESP32_GENERIC", "did you mean True"),
        ({}, {"/joulelog.py": ""}, "ESP32_GENERIC", "rm -r :/joulelog.py"),
        ({"machine": raw_repl.ESP8266, "platform": "esp8266"}, {}, "ESP8266_GENERIC", "romfs"),
    ],
    ids="version chip flash heap config-large config-wrong config-python root esp8266".split(),
)
def test_a_board_that_is_refused_goes_on(make, packages, about, files, name, said):
    board = make(**about)
    put(board, "/main.py", ALIVE)
    for path, text in files.items():
        put(board, path, text.encode())
    with Link(board.port) as link:
        link.attach()
        before = link.listing()
    assert said in refused(*on(board, name))
    says(board, "alive")
    with Link(board.port) as link:
        link.attach()
        assert link.listing() == before


@pytest.mark.parametrize(
    ("action", "arguments", "said"),
    [
        ("config", ["--show"], "no config.py on the board"),
        ("config", ["--config", "/nowhere/config.py"], "no config.py on the board"),
        ("logs", [], "no log in"),
        ("romfs", ["--board", "ESP32_GENERIC"], "no ROMFS partition"),
    ],
)
def test_so_does_one_that_lacks_what_is_wanted(make, packages, action, arguments, said):
    board = make()
    put(board, "/main.py", ALIVE)
    assert said in refused("--port", board.port, *arguments, action=action)
    says(board, "alive")


@pytest.mark.parametrize("rom_kib", [0, 64])
def test_a_romfs_partition_that_is_too_small(make, packages, rom_kib):
    board = make(rom_kib=rom_kib)
    put(board, "/main.py", ALIVE)
    assert ("too big" if rom_kib else "partition") in refused(*on(board), action="romfs")
    says(board, "alive")


def test_configs_that_are_refused_and_the_same_one_again(make, packages, config, tmp_path):
    board = make()
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    says(board, "gas=124.456")
    wrong = tmp_path / "wrong.py"
    for text, said in (
        (CONFIG.replace("console", "consul"), 'did you mean "console"'),
        (LARGE, "it does not fit"),
        ("device = 'æ'\n".encode("latin-1"), "no UTF-8"),
        (None, "No such file"),
    ):
        wrong.unlink(missing_ok=True)
        if text is not None:
            wrong.write_bytes(text if isinstance(text, bytes) else text.encode())
        told = refused("--port", board.port, "--config", str(wrong), action="config")
        assert said in told, told
        assert "config: " in told
        says(board, "gas=124.456")
        if text is not None:
            told = refused(*on(board), "--config", str(wrong))
            assert said in told, told
            says(board, "gas=124.456")
    assert get(board, "/config.py") == CONFIG.encode()
    done = flash("config", "--port", board.port, "--config", str(config))
    assert done.returncode == 0 and "as it was" in done.stdout, done.stdout + done.stderr
    says(board, "gas=124.456")
    for _ in range(3):  # one behind the other
        done = flash("config", "--port", board.port, EDITOR="true", VISUAL="")
        assert done.returncode == 0, done.stderr
    says(board, "gas=124.456")
    wrong.write_text(LARGE)
    done = flash("config", "--port", board.port, EDITOR=f"cp {wrong}", VISUAL="")
    assert done.returncode == 1 and "it does not fit" in done.stdout, done.stdout + done.stderr
    assert "nothing was written" in done.stderr
    Path(done.stderr.split(" is in ")[1].strip()).unlink()
    says(board, "gas=124.456")
    done = flash("config", "--port", board.port, EDITOR="no_such_editor", VISUAL="")
    assert done.returncode == 1 and "no_such_editor cannot be started" in done.stderr
    says(board, "gas=124.456")
    assert get(board, "/config.py") == CONFIG.encode()


def test_a_start_that_fails_is_no_success(make, packages, config):
    board = make()
    put(board, "/boot.py", b"import sys\nsys.path.remove('/lib')\n")
    done = flash("install", *on(board), "--config", str(config))
    assert done.returncode == 1, done.stdout
    assert "flash: all is on the board, but it does not start: ImportError" in done.stderr
    assert board.port in done.stderr


# Half way


def copies(said: str) -> int:
    """How many files are copied, by the progress on a terminal."""
    return int(said.partition("1/")[2].split()[0])


class Flash:
    """`make flash` on a terminal, where its progress can be followed."""

    def __init__(self, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.said = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.flash", "install", *arguments],
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    def until(self, text: str) -> None:
        """Return once it has said that."""
        waiting.until(lambda: self._hears() and text in self.said, lambda: self.said, 0)

    def _hears(self) -> bool:
        try:
            self.said += os.read(self._master, 4096).decode("utf-8", "replace")
        except OSError:  # it has ended
            pass
        return True

    def send(self, number: int) -> None:
        """A signal."""
        self._process.send_signal(number)

    def ends(self) -> int:
        """Its exit status."""
        waiting.until(lambda: self._hears() and self._process.poll() is not None)
        self._hears()
        os.close(self._master)
        return self._process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_half_way_leaves_the_old_version(make, packages, config, number):
    board = make(flash_kib=2304)
    telegram(board)
    put(board, "/main.py", ALIVE)
    put(board, "/config.py", CONFIG.encode())
    put(board, "/spill/00000000.log", b"readings")
    running = Flash(*on(board))
    running.until("\r30/")
    running.send(number)
    assert running.ends() == 1
    assert "flash: stopped. What was on the board is as it was" in running.said
    says(board, "alive")
    assert get(board, "/main.py") == ALIVE
    assert get(board, "/config.py") == CONFIG.encode()
    with Link(board.port) as link:
        link.attach()
        code = [path for path in link.listing() if path.endswith(".mpy")]
    assert not code
    again = Flash(*on(board))
    assert again.ends() == 0, again.said
    assert copies(again.said) < copies(running.said) - 25  # what had arrived is taken
    says(board, "gas=124.456")
    assert get(board, "/spill/00000000.log") == b"readings"
    assert get(board, "/main.old.py") == ALIVE
    with Link(board.port) as link:
        link.attach()
        assert not [path for path in link.listing() if path.endswith((".new", ".swap"))]


def test_a_cable_that_is_pulled_half_way(make, packages, config, tmp_path):
    board = make()
    telegram(board)
    put(board, "/main.py", ALIVE)
    put(board, "/config.py", CONFIG.encode())
    running = Flash(*on(board))
    running.until("\r30/")
    board.__exit__()
    assert running.ends() == 1
    assert "flash: writing" in running.said and "is as it was" in running.said
    assert "Traceback" not in running.said
    with raw_repl.Board(tmp_path / "board0") as again:
        says(again, "alive")
        done = flash("install", *on(again))
        assert done.returncode == 0, done.stdout + done.stderr
        assert REPORT in done.stdout
    board.__exit__ = lambda *_: None


def test_without_room_for_both_the_new_version_takes_the_place(make, packages, config):
    board = make()
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    with Link(board.port) as link:
        link.attach()
        code = {path: size for path, size in link.listing().items() if path.endswith(".mpy")}
        for path in code:
            link.run(f"with open({path!r}, 'ab') as f: f.write(b'old')")
        free, block = link.free()
        spare = max(code.values()) + 20 * block  # a file is written before its old one goes
        link.run(
            f"with open('/of_the_user', 'wb') as f:\n for _ in range({free - spare} // 512):"
            " f.write(bytes(512))"
        )
    running = Flash(*on(board))
    running.until("no room for the old files")
    running.until("\r30/")
    running.send(signal.SIGINT)
    assert running.ends() == 1
    assert "may not measure: running this again completes them" in " ".join(running.said.split())
    done = flash("install", *on(board))
    assert done.returncode == 0, done.stdout + done.stderr
    says(board, "gas=124.456")
    assert get(board, "/config.py") == CONFIG.encode()


def test_the_simulated_board_takes_its_vm_along(tmp_path):
    try:
        vm.ensure()
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))
    board = subprocess.Popen(
        [sys.executable, "-m", "tools.rig.raw_repl", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert board.stdout and board.stdout.readline().startswith("/dev/")
    folders = Path(f"/proc/{board.pid}/task").iterdir()
    children = [pid for one in folders for pid in (one / "children").read_text().split()]
    assert children
    board.terminate()
    assert board.wait(waiting.HANG_S) == 0
    waiting.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
