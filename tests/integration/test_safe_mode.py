"""Starts that come to nothing end in safe mode, from outside: main.py of a board, on the VM."""

import functools
import http.client
import signal

import esp32
import pytest
import update_helpers as made
import updatefile

import tools.update.__main__
from tests.integration import restarts_rig
from tests.integration.restarts_rig import GOOD, HANG_S, POWER_ON, RESET, RESTART, WATCHDOG, Board
from tests.integration.update_rig import MADE, OLD, PASSWORD, image

# A reader that does not give the others their turn.
HANGS = """
import joulelog.readers.health as health
async def run(self):
    while True:
        pass
health.Reader.run = run
"""
LOOP_IN_MAIN = """
import joulelog.app as app
def broken(self):
    raise ValueError("a fault of the firmware")
app.App._start = broken
"""


@pytest.fixture(autouse=True)
def needs():
    restarts_rig.needs()


def test_an_exception_three_times(tmp_path):
    """Told with its place on the page and in the log; then a normal start, in time."""
    board = Board(tmp_path, GOOD + LOOP_IN_MAIN)
    board.reset(POWER_ON)
    assert "starting again in five seconds; Ctrl-C keeps the REPL" in board.said()
    board.reset(RESTART)
    board.reset(RESTART)
    with board.started(RESTART) as process:
        why = board.safe_mode(process)
        assert why.endswith("ValueError: a fault of the firmware"), why
        log = board.log.read_text()
        assert "ERROR safe: " in log and "a fault of the firmware" in log
        assert "the next normal start is in 10 minutes" in log
        assert process.wait(HANG_S) == RESET, board.said()  # ten minutes, at speed 20
    # That is short again: safe mode at once, for an hour.
    board.reset(RESTART)
    with board.started(RESTART) as process:
        board.safe_mode(process)
        assert "the next normal start is in 60 minutes" in board.log.read_text()
    # Mended: it runs, and nothing is counted any more after a minute.
    board.config(GOOD)
    with board.started(POWER_ON) as process:
        board.wait_for(process, "health ")


def test_a_task_that_hangs(tmp_path):
    """The watchdog does not say which: the memory that outlives it does."""
    board = Board(tmp_path, GOOD + HANGS)
    for reason in (POWER_ON, WATCHDOG, WATCHDOG):
        with board.started(reason) as process:
            board.wait_for(process, "start: ")
            board.wait_until(process, lambda: b"health" in board.memory())
    with board.started(WATCHDOG) as process:
        assert board.safe_mode(process) == "watchdog, while health was at work"
    assert "ERROR safe: watchdog, while health was at work" in board.log.read_text()


def test_a_hang_at_import(tmp_path):
    """Where no task is known the reason of the reset is all there is."""
    board = Board(tmp_path, GOOD + "while True:\n    pass\n")
    for reason in (POWER_ON, WATCHDOG, WATCHDOG):
        before = board.rtc.read_bytes() if reason == WATCHDOG else b""
        with board.started(reason) as process:
            board.wait_until(process, lambda: board.memory() not in (b"", before))
    board.config(GOOD)
    with board.started(WATCHDOG) as process:
        assert board.safe_mode(process) == "watchdog"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + 'device = 7\ncolour = "red"\n', ("`device` is 7", "`colour`")),
        (GOOD + "quiet = true\n", ("config.py, line 3: NameError", "did you mean True?")),
    ],
    ids=["schema", "python"],
)
def test_a_config_that_cannot_work(tmp_path, text, told):
    """At the first start: no other one would do better."""
    board = Board(tmp_path, text)
    with board.started(POWER_ON) as process:
        why = board.safe_mode(process)
        log = board.log.read_text()
        for part in told:
            assert part in why and part in log, (part, why, log)


def test_an_update_mends_it(tmp_path, monkeypatch):
    """/update is there: a newer firmware without the fault is taken, and starts."""
    broken = image(OLD)
    config = GOOD + 'wifi = {"ssid": "home", "password": "its password"}\n'
    board = Board(tmp_path, config + LOOP_IN_MAIN, "IMAGE = True", bytes(made.flash_image(broken)))
    (tmp_path / "update_key.py").write_text(f"MODULUS = {made.MODULUS!r}\n")
    for reason in (POWER_ON, RESTART, RESTART):
        board.reset(reason)
    layout = updatefile.layout(esp32.rows(esp32.Flash(str(board.flash))))
    about = {"board": "TEST", "chip": "esp32", "layout": layout, "version": "0.2.0"}
    with board.started(RESTART) as process:
        board.safe_mode(process)
        # From the LAN, where the access point has 127.0.0.1 alone.
        known = http.client.HTTPConnection
        lan = functools.partial(known, source_address=("127.0.0.2", 0))
        monkeypatch.setattr(http.client, "HTTPConnection", lan)
        pages = tools.update.__main__.Board(f"127.0.0.1:{board.port}")
        assert pages.about()["version"] == OLD
        status, _ = pages.ask("POST", "/api/password", {"password": PASSWORD})
        assert status == 200
        monkeypatch.setenv("JOULELOG_PASSWORD", PASSWORD)
        pages.log_in()
        data = made.update(image("0.2.0"), made=MADE, **about)
        assert pages.send(data, False, lambda _: None) == "0.2.0"
        assert process.wait(HANG_S) == RESET, board.said()
    board.config(config)
    with board.started(RESTART) as process:
        assert board.slot == "ota_1"
        board.wait_for(process, "health ")


def test_without_a_page(tmp_path):
    """An image without set-up tells the log, and starts again after ten minutes."""
    board = Board(tmp_path, GOOD + "device = 7\n", 'FEATURES = ("health", "console")')
    board.reset(POWER_ON)
    assert "ERROR safe: config: `device` is 7" in board.log.read_text()


def test_what_a_person_ends_does_not_count(tmp_path):
    """Twenty switch-offs, one after the other (every fifth start is set-up mode, as it says)."""
    board = Board(tmp_path, GOOD, 'FEATURES = ("health", "console")')
    for _ in range(20):
        with board.started(POWER_ON) as process:
            board.wait_for(process, "start: reader")
        assert "safe" not in board.said()
    for _ in range(5):
        with board.started(RESTART) as process:
            board.wait_for(process, "start: reader")
            process.send_signal(signal.SIGINT)  # Ctrl-C, and a restart from the REPL
            process.wait(HANG_S)
        assert "safe" not in board.said()
    with board.started(RESTART) as process:  # the memory is as a crash would find it
        board.wait_for(process, "health ")
