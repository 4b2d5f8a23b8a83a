"""What the log of readings takes on the flash: bytes per reading, and erases."""

import os

import pytest

from tests import tiers
from tools.rig import log_bytes, vm, wear
from tools.sim import day


@pytest.fixture
def needs_vm():
    try:
        vm.ensure()
    except vm.Unavailable as reason:
        tiers.missing("the MicroPython VM", "vm", str(reason))


@pytest.mark.parametrize("seed", [1, 4])
def test_bytes_of_readings(seed):
    """A day; tools/bench/log_bytes.py does three."""
    found = log_bytes.measure(24, seed, 16384, 640)
    assert found["p1"] <= log_bytes.MOST_BYTES["p1"]
    assert found["pzem"] <= log_bytes.MOST_BYTES["pzem"]
    assert found["together"] * 3 <= log_bytes.MOST_TOGETHER


def test_what_came_back_wrong_is_found_out(tmp_path):
    generated = day.Day(1)
    readings = list(generated.readings(50))
    schemas = (generated.channels, day.PZEM_CHANNELS)
    _, log = log_bytes.written(str(tmp_path), readings, schemas, 16384, 640)
    log_bytes.check(log, readings)
    time, source, values = readings[70]
    readings[70] = (time, source, (*values[:-1], values[-1] + 1))
    with pytest.raises(SystemExit, match="reading 70"):
        log_bytes.check(log, readings)


def test_every_shipped_layout_is_counted():
    found = wear.layouts()
    names = [name for layout in found.values() for name in layout["names"]]
    assert len(names) == len(set(names)) >= 18
    for size, layout in found.items():
        history_kb = 4 * layout["history_days"]
        assert history_kb + layout["static_kb"] + layout["spill_kb"] + layout["log_kb"] < size
        assert layout["history_days"] >= 14


def test_erases_of_the_smallest_layout(needs_vm):
    """Fewer days than tools/bench/wear.py, which overstates even more."""
    layouts = wear.layouts()
    figure, (normal, outage) = wear.in_20_years(layouts[min(layouts)], 15, 3)
    assert figure < wear.MOST_ERASES
    for writer in ("log", "store", "history"):
        assert normal[writer] > 500 and outage[writer] > 100
    assert not normal["writes"], "while all is well the flash is not touched"
    assert outage["writes"] > 3 * 24 * 6
    taken = 3 * 24 * 360 * 2
    assert taken - 3 * 64 <= outage["readings"] <= taken  # the ring goes with the power


def erases_of_append(size: int) -> float:
    """Erases that an append of so many bytes to a file costs on littlefs, if it is closed then.

    The last block is copied (unless it is full), a new one begins each 4096 bytes, and the
    folder's own blocks are written anew each fiftieth time.
    """
    return 1.02 + size / 4096


def test_rule_for_the_erases_of_appends(needs_vm):
    """What the firmware can say at start, against what littlefs does."""
    layouts = wear.layouts()
    never = dict.fromkeys(("outage_line_min", "value_min", "history_min"), 1 << 20)
    for seconds in (60, 300) if os.environ.get("JOULELOG_LONG") else (300,):
        settings = {**wear._SETTINGS, **layouts[min(layouts)], **never}
        settings.update(sync_s=seconds, phases=[[2, True]])
        (erases,), (counts,) = wear.run(settings)
        size = counts["bytes"] / counts["writes"]
        expected = counts["writes"] * erases_of_append(size)
        assert sum(erases) == pytest.approx(expected, rel=0.03)
