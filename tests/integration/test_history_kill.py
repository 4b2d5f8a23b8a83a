"""A history whose board is killed at random moments: energy is never lost, shape by four quarters.

A meter that counts on by the clock, whoever reads it; each life of the board ends by SIGKILL. With
JOULELOG_LONG=1 there are 100 lives, else 12.
"""

import os
import random
import subprocess
import sys
import time

from tests import with_unit_tests
from tests.history_rig import read
from tests.vm.scripts import history_feed
from tests.waiting import HANG_S, until
from tools import ROOT

LIVES = 100 if os.environ.get("JOULELOG_LONG") else 12
FIRST = 848000000 // 900 * 900
STEP_S = 10
SPEED = 8000  # a quarter in 0.11 s
LOST = 4 + 1  # those of a page, and the one that was running


def test_a_hundred_kills(tmp_path):
    chance = random.Random(5)
    begun = int(time.time())
    log = tmp_path / "said"
    lives = []
    for _ in range(LIVES):
        line = [sys.executable, "-m", "tests.vm.scripts.history_feed", str(tmp_path)]
        line += [str(FIRST), str(begun), str(STEP_S), "-", str(SPEED)]
        with log.open("wb") as said:
            process = subprocess.Popen(
                line, stdout=said, stderr=said, cwd=ROOT, env=with_unit_tests()
            )
            until(lambda: b"STARTED" in log.read_bytes(), log.read_text)
            alive = time.time()
            before = len(read(tmp_path)[0])
            wanted = before + chance.randrange(1, 12)
            until(lambda wanted=wanted: len(read(tmp_path)[0]) >= wanted, log.read_text)
            assert process.poll() is None, log.read_text()
            process.kill()
            process.wait(HANG_S)
        assert "Traceback" not in log.read_text(), log.read_text()
        lives.append((number(alive, begun), number(time.time(), begun)))
    quarters, days = read(tmp_path)
    stamps = [stamp // 900 for stamp, _ in quarters]
    assert stamps == sorted(set(stamps))
    assert len(quarters) >= LIVES
    check_counters(quarters)
    for begin, end in lives:
        seen = [stamp for stamp in stamps if begin <= stamp < end]
        missing = end - begin - len(seen)
        # What lay behind a busy computer's pauses is a gap, and told as one.
        told = sum(not found["whole"] for stamp, found in quarters if begin <= stamp // 900 < end)
        assert missing <= LOST + told, (begin, end, seen, told)
    by_day = {stamp // 86400 for stamp in (stamp - 1 for stamp, _ in days)}
    passed = {stamp * 900 // 86400 for stamp in stamps}
    assert by_day <= passed and len(passed) - len(by_day) <= 1 + LOST


def number(now: float, begun: int) -> int:
    """The quarter that the meter is in."""
    return (FIRST + int((now - begun) * SPEED)) // 900


def check_counters(quarters) -> None:
    """Each record's counters are what the meter showed at its time."""
    known: tuple = ()
    for stamp, found in quarters:
        when = stamp + 900 + found["late"]
        known = history_feed.shown(FIRST, when, known)
        shown = history_feed.reading(when, known)
        behind = [found[channel[0]] for channel in history_feed.CHANNELS if channel[0] in found]
        assert behind == [shown[0], shown[1], shown[2], shown[5]], when
