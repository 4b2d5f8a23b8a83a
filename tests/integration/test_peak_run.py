"""The whole firmware with a simulated Belgian meter: its quarters, its months, and their cost.

On CPython, and on the VM in the heap of an ESP32; a quarter of an hour goes by in 15 seconds.
"""

import re

import pytest

from tests.integration.run_rig import ON_THE_VM, config

CONFIG = """
clock = {"timezone": "CET-1CEST,M3.5.0,M10.5.0/3"}
readers = [
    {"type": "dsmr", "uart": "sim"},
    {"type": "peak", "source": "dsmr", "target": "40", "rate": "40.40", "interval": 60},
]
sinks = [{"type": "console", "sources": ["peak"]}]
"""


@pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
def test_quarters_of_a_simulated_meter(start, tmp_path, how) -> None:
    run = start("--config", config(tmp_path, CONFIG), "--model", "be", *how, SPEED="60")
    run.wait_for("reader peak: peaks of dsmr by flanders; cost per year\n")
    run.wait_for("peak demand=.* demand_last=.*\n", 2)
    lines = re.findall(r" peak (demand=.*)\n", run.output)
    told = [dict(re.findall(r"(\w+)=([\w.:-]+)", line)) for line in lines]
    last = told[-1]
    assert last["demand_warning"] == "0"
    assert int(last["peak_mean"]) >= 2500 and int(last["peak_months"]) > 1  # as the meter lists
    assert last["cost"].replace(".", "") == str(int(last["peak_mean"]) * 4040)
    if "peak" in last:  # else a month has just begun
        assert last["peak"] == last["demand_last"]  # the first interval that was counted
        assert last["peak_time"][14:16] in ("00", "15", "30", "45")
    assert last.get("peak_differs", "0") == "0"
    quarters = [int(one["demand_forecast"]) for one in told if "demand_last" not in one]
    assert quarters and max(quarters) < 40000
    assert "Traceback" not in run.output
