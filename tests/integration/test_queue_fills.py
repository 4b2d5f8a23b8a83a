"""The heap grows while the queue fills, by what a reading takes, and no more when it is full.

An image in an emulator of an ESP32-C3 was seen to grow by 1.3 kB in five seconds with a telegram a
second, for half a minute: this is what that was. On the VM in an ESP32-C3's heap, from ROMFS, to a
real mosquitto; the clock runs six times as fast.
"""

import re
import subprocess

from tests import tiers
from tests.servers.real_mosquitto import Mosquitto
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.rig import run_vm, vm

TELEGRAM = ROOT / "tests/fixtures/dsmr/nl_kfm5kaifa-meter.txt"
SLOTS = 64
_NOISE = 512  # bytes


def test_the_heap_grows_until_the_queue_is_full(tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    if deps.path() is None:
        tiers.missing("the MicroPython packages", "deps", "make deps")
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    try:
        script = ROOT / "tests/vm/scripts/queue_fills.py"
        arguments = [str(TELEGRAM), str(broker.port), str(tmp_path), str(SLOTS)]
        line = run_vm.command(script, arguments, "esp32", heap="177k")
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=HANG_S)
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))
    finally:
        broker.stop()
    found = re.findall(r"^heap (\d+) newest (\d+)$", done.stdout, re.M)
    rows = [(int(used), int(newest)) for used, newest in found]
    assert rows and rows[-1][1] >= 2 * SLOTS, done.stdout + done.stderr
    filling = [row for row in rows if 3 < row[1] < SLOTS]
    full = [used for used, newest in rows if newest > SLOTS + 2]
    each = (filling[-1][0] - filling[0][0]) / (filling[-1][1] - filling[0][1])
    half = len(full) // 2
    grown = min(full[half:]) - min(full[:half])  # the least: now and then a message is on its way
    print(f"{each:.0f} bytes of heap for a reading until the queue is full, then {grown}")
    assert 100 < each < 300
    assert abs(grown) < _NOISE
