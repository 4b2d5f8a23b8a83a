"""What tools/decode does for recorded light: the flashes in it, and how well they are seen.

    for told in decode(data, pulse_ms=10):
        print(told)

data is 16 bits per reading, low byte first, a reading per 500 us (tools/sim/pulse.py writes such),
or text: decimal numbers from 0 to 65535 between blanks or line ends. Each flash gives
{"pulse": 1, "ms": 2204}; the end gives {"pulses": ..., "contrast": "11.0", "noise": "0.70", ...},
heights in percent of full scale.
"""

import sys
from array import array

import exact
import pulse

_PERIOD_US = 500
_READS = 2


def decode(data: bytes, pulse_ms: int = 10, active: str = "high"):
    """Yield a dict for each flash, and one for all of it; nothing where there is no flash.

    active: "low" where a pulse is dark. Where that seems to be so and was not said, the one dict
    has the state "inverted".
    """
    readings = _readings(data)
    tick_ms = max(1, min(10, pulse_ms // 5))
    step = tick_ms * 1000 // _PERIOD_US
    found: list[int] = []
    detector = pulse.Detector(
        found.append, tick_ms, pulse_ms, pulse_ms * 3 // 2, _READS, 0, active == "low"
    )
    count = (len(readings) - _READS + step) // step
    samples = array("i", [readings[i * step] + readings[i * step + 1] for i in range(count)])
    detector.feed(samples, 0, count)
    for number, ms in enumerate(found):
        yield {"pulse": number + 1, "ms": ms}
    if not found and detector.state != "inverted":
        return
    told: dict = {"pulses": detector.count, "state": detector.state}
    told["level"] = exact.text(detector.level, 1)
    told["contrast"] = None if detector.contrast is None else exact.text(detector.contrast, 1)
    told["noise"] = exact.text(detector.noise, 2)
    told["margin"] = None if detector.margin is None else exact.text(detector.margin, 1)
    for name in pulse.COUNTERS:
        told[name] = getattr(detector, name)
    yield told


def _readings(data: bytes) -> array:
    if data and not data.strip(b"0123456789 \t\r\n"):
        numbers = [int(word) for word in data.split()]
        if max(numbers, default=0) > pulse.FULL:
            raise ValueError(f"a reading is {max(numbers)}; allowed is 0 to {pulse.FULL}")
        return array("H", numbers)
    readings = array("H", data[: len(data) // 2 * 2])
    if sys.byteorder == "big":
        readings.byteswap()
    return readings
