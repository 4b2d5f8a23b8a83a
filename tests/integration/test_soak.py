"""An image in its chip's heap through thousands of telegrams, outages, power cuts and Ctrl-C.

Nothing is lost beyond what the start report says, no task is restarted, the heap stays as it is
after the first outage, and has room. What runs here, and what is compared, is in soak_rig.py.

JOULELOG_LONG=1: 10,000 readings and 20 outages of the server in one run, behind four runs that end
in the midst of an outage and three that end without one; else 300 readings and one outage, of half
its length, behind two runs. The long one takes eight minutes for each of the seven (`-k p1-mqtt`
picks).
"""

import random
from pathlib import Path

import pytest

from tests.integration.soak_rig import LONG, OUTAGE, Soak, median

READINGS = 10000 if LONG else 0  # of the last run, at least
OUTAGES = 20 if LONG else 1  # in the last run
FLAT = 512  # bytes that the heap in use may differ by
FREE = 6144
LARGEST = 2048

pytestmark = pytest.mark.timeout(3600 if LONG else 900)  # the first of a chip builds a MicroPython

_ESP8266 = [(meter, sink) for sink in ("mqtt", "emoncms", "influxdb") for meter in ("p1", "pzem")]
_SHORT = [("p1", "mqtt"), ("pzem", "influxdb")]


def cut_off(soak: Soak, kinds: list[str]) -> None:
    """Runs that end by a power cut or by Ctrl-C, in an outage and without one."""
    dice = random.Random(20261128)
    soak.start()
    soak.outage(kinds, soak.kill, dice.randrange(20, OUTAGE - 20))
    soak.wait_readings(dice.randrange(10))
    if not LONG:
        soak.stop()
        return
    for end in (soak.stop, soak.kill):
        end()
        soak.start()
        soak.wait_readings(dice.randrange(5, 50))
    for end in (soak.stop, soak.kill, soak.stop):
        soak.outage(kinds, end, dice.randrange(20, OUTAGE - 20))
        soak.wait_readings(dice.randrange(50))
    soak.stop()


def last_run(soak: Soak, outages: list[list[str]]) -> None:
    """The run that is measured."""
    soak.start()
    for number, kinds in enumerate(outages, 1):
        soak.wait_readings(10)
        soak.outage(kinds)
        due = READINGS * number // len(outages)
        soak.wait_readings(max(100 if LONG else 200, due - len(soak.run.readings)))
    soak.finish()


def judge(soak: Soak) -> None:
    """What has come, and the heap."""
    soak.check()
    print(soak.figures())
    early, late = soak.calm()
    assert len(soak.run.readings) >= READINGS
    if LONG:
        assert abs(median(late, "used") - median(early, "used")) <= FLAT, soak.figures()
        assert min(sample.free for sample in late) >= FREE, soak.figures()
        assert min(sample.largest for sample in late) >= LARGEST, soak.figures()
        return
    # Few samples, on a computer with other work: what is on its way takes heap, and gives none.
    used = [min(sample.used for sample in some) for some in (early, late)]
    assert used[1] - used[0] <= FLAT, soak.figures()
    assert max(sample.free for sample in late) >= FREE, soak.figures()
    assert max(sample.largest for sample in late) >= LARGEST, soak.figures()


@pytest.mark.parametrize(("meter", "sink"), _ESP8266 if LONG else _SHORT)
def test_esp8266(meter: str, sink: str, tmp_path: Path) -> None:
    with Soak(tmp_path, "esp8266", meter, [sink]) as soak:
        cut_off(soak, [sink])
        last_run(soak, [[sink]] * OUTAGES)
        judge(soak)


def test_esp32_with_three_sinks(tmp_path: Path) -> None:
    sinks = ["mqtt", "influxdb", "emoncms"]
    with Soak(tmp_path, "esp32", "p1", sinks) as soak:
        if LONG:
            cut_off(soak, sinks)
        last_run(soak, [[sinks[n % 3]] for n in range(OUTAGES)] if LONG else [sinks])
        judge(soak)
