"""An outage that begins when the heap is nearly full: nothing is lost, or what is lost is said.

The whole firmware, P1 to a real mosquitto, on the VM from ROMFS: in the heap of an ESP32, and in
one that is hardly larger than the smallest that starts. Time is compressed twenty times.
"""

import re

import pytest

from tests.integration.spool_rig import Stage, boot_of, check_values, in_mqtt, serials
from tests.servers.real_mosquitto import Recorder
from tests.waiting import until

OUTAGE = 200  # readings; the ring has 64


# The start lets this through from 146 kB on: with stand-ins and all, on the VM.
@pytest.mark.parametrize("heap", ["152k", "147k"])
def test_an_outage(heap: str, tmp_path) -> None:
    with Stage(tmp_path, ["--vm", "--heap", heap]) as stage:
        stage.broker.start()
        with Recorder(stage.broker.port, "logger/#") as recorder:
            firmware = stage.start(console=False, slots=64)

            def arrived() -> list[int]:
                return serials(in_mqtt(recorder)[0], boot_of(firmware))

            recorder.wait_for(lambda: len(arrived()) > 5)
            stage.broker.stop()
            end = len(stage.sent) + OUTAGE
            until(lambda: len(stage.sent) >= end)
            stage.broker.start()
            recorder.wait_for(lambda: arrived()[-1] > end)  # it lives
            firmware.wait_for("delivering again")
            lost = [
                int(number) for number in re.findall(r"\((\d+) readings lost", firmware.output)
            ]
            most = max(lost, default=0)
            recorder.wait_for(lambda: len(arrived()) + most > end)
            found = in_mqtt(recorder)[0]
        print(f"{heap}: {most} readings lost")
        assert heap != "152k" or not most
        assert most < OUTAGE // 4, firmware.output
        check_values(stage, found)
        assert "failed" not in firmware.output, firmware.output[-3000:]
