"""A month of telegrams, its quarters and days, against a script that knows nothing of ours.

Totals are the counters' own, to the digit; quarters are those of exact fractions; nights of 23 and
of 25 hours in two zones; an outage over a boundary is a gap. JOULELOG_LONG=1: a year.
"""

import datetime
import os
import subprocess
import sys
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from civil import UNIX_2000

from tests import tiers, with_unit_tests
from tests.history_rig import read
from tests.vm.scripts import history_feed
from tools import ROOT
from tools.rig import run_vm, vm

LONG = bool(os.environ.get("JOULELOG_LONG"))
SCRIPT = ROOT / "tests/vm/scripts/history_feed.py"
QUARTER_S = 900
STEP_S = 10
PAUSE_S = 120
BRUSSELS = "CET-1CEST,M3.5.0,M10.5.0/3"
CHICAGO = "CST6CDT,M3.2.0,M11.1.0"
# Over a boundary, within a quarter, over a midnight, and one of a day.
OUTAGES = ((5000, 6500), (20000, 20300), (160000, 175000), (500000, 590000))


def at(year: int, month: int, day: int) -> int:
    moment = datetime.datetime(year, month, day, tzinfo=datetime.UTC)
    return int(moment.timestamp()) - UNIX_2000


CASES = {
    "spring in Brussels": (at(2026, 3, 10), BRUSSELS, "Europe/Brussels", {23, 24}),
    "autumn in Chicago": (at(2026, 10, 20), CHICAGO, "America/Chicago", {24, 25}),
}


def feed(runtime: str, folder, first: int, seconds: int, zone: str) -> tuple[int, int, int]:
    told = ",".join(f"{begin}-{end}" for begin, end in OUTAGES)
    arguments = [str(folder), str(first), str(seconds), str(STEP_S), f"-{zone}", "0", told]
    if runtime == "vm":
        try:
            line = run_vm.command(SCRIPT, arguments, "esp32", "2M")
        except vm.Unavailable as problem:
            tiers.missing("the MicroPython VM", "vm", str(problem))
    else:
        line = [sys.executable, "-m", "tests.vm.scripts.history_feed", *arguments]
    done = subprocess.run(
        line, capture_output=True, text=True, cwd=ROOT, env=with_unit_tests(), check=False
    )
    last = done.stdout.splitlines()[-1:] or [""]
    assert last[0].startswith("DONE"), done.stdout[-2000:] + done.stderr[-2000:]
    sent, gaps, breaks = map(int, last[0].split()[1:])
    return sent, gaps, breaks


def telegrams(first: int, seconds: int) -> list[tuple[int, tuple]]:
    known: tuple = ()
    found = []
    for second in range(first, first + seconds, STEP_S):
        known = history_feed.shown(first, second, known)
        if not any(begin <= second - first < end for begin, end in OUTAGES):
            found.append((second, history_feed.reading(second, known)))
    return found


def expected(sent: list[tuple[int, tuple]]) -> dict[int, dict]:
    """Quarters by their number, in fractions."""
    firsts: dict[int, tuple[int, tuple]] = {}
    for when, values in sent:
        firsts.setdefault(when // QUARTER_S, (when, values))
    numbers = sorted(firsts)
    found = {}
    for number, following in zip(numbers, numbers[1:], strict=False):
        begun, before = firsts[number]
        ended, behind = firsts[following]
        late = ended - (number + 1) * QUARTER_S
        whole = begun % QUARTER_S <= PAUSE_S and late <= PAUSE_S
        wh = [behind[0] + behind[1] - before[0] - before[1], behind[2] - before[2]]
        means = [Fraction(energy * 3600, ended - begun) for energy in wh]
        found[number] = {"late": late, "whole": whole, "means": means, "behind": behind}
    return found


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("runtime", ["cpython", "vm"])
@pytest.mark.parametrize("case", CASES)
def test_a_month(runtime, case, tmp_path):
    first, zone, name, hours = CASES[case]
    days = 365 if LONG else 30 if runtime == "cpython" else 22
    seconds = days * 86400
    sent, gaps, breaks = feed(runtime, tmp_path, first, seconds, zone)
    telegram = telegrams(first, seconds)
    wanted = expected(telegram)
    quarters, by_day = read(tmp_path)
    assert sent == len(wanted) == len(quarters)
    assert (gaps, breaks) == (3, 0)
    for (stamp, found), number in zip(quarters, sorted(wanted), strict=True):
        one = wanted[number]
        assert stamp == number * QUARTER_S
        assert (found["whole"], found["late"]) == (one["whole"], one["late"]), stamp
        behind = [found[key] for key in ("energy_import_t1", "energy_import_t2", "gas")]
        assert behind == [one["behind"][index] for index in (0, 1, 5)]
        if one["whole"]:
            for key, mean in zip(("import", "export"), one["means"], strict=True):
                assert abs(found[f"power_{key}_mean"] - mean) <= Fraction(1, 2), (stamp, key)
        else:
            assert found["power_import_mean"] is None
    # All that was counted is in the differences, whatever happened in between.
    assert quarters[-1][1]["energy_export_t1"] == wanted[max(wanted)]["behind"][2]
    check_days(by_day, quarters, ZoneInfo(name), hours)


def check_days(by_day, quarters, zone: ZoneInfo, hours: set[int]) -> None:
    """Local days by zoneinfo."""
    local: dict[datetime.date, list] = {}
    for stamp, found in quarters:
        moment = datetime.datetime.fromtimestamp(stamp + UNIX_2000, zone)
        local.setdefault(moment.date(), []).append((stamp, found))
    ended = sorted(local)[:-1]  # the last one may still run
    assert len(by_day) == len(ended)
    lengths = set()
    for (stamp, day), date in zip(by_day, ended, strict=True):
        rows = local[date]
        assert stamp == rows[-1][0] + QUARTER_S
        assert day["quarters"] == len(rows)
        assert day["energy_import_t1"] == rows[-1][1]["energy_import_t1"]
        peaks = [row[1]["power_import_mean"] for row in rows]
        assert day["power_import_peak"] == max(peak for peak in peaks if peak is not None)
        assert day["silent"] == sum(row[1]["silent"] for row in rows)
        if day["whole"]:
            lengths.add(len(rows) // 4)
    assert hours <= lengths
