"""How well lib/pulse counts synthetic light with known truth; for tools/bench/pulse.py and tests.

missed, invented, detector = errors(1000000, seed=1)
"""

from pulse import Detector

from tools.sim.pulse import Light

_NEAR_MS = 8  # a flash found is late by the detector's filter: half of its 4 samples


def errors(
    pulses: int,
    pulse_ms: int = 5,
    gap_ms: int = 0,
    reads: int = 2,
    inverted: bool = False,
    **options,
):
    """(missed, invented, detector) over at least so many flashes; inverted: dark ones."""
    light = Light(pulse_ms=pulse_ms, reads=reads, inverted=inverted, **options)
    found: list[int] = []
    gap_ms = gap_ms or 2 * pulse_ms
    detector = Detector(found.append, 1, pulse_ms, gap_ms, reads, 0, inverted)
    truth: list[int] = []
    while light.count < pulses:
        samples, starts = light.block(10000)
        detector.feed(samples, 0, len(samples))
        truth += starts
    light._next_us = 1 << 60  # the last one ends
    samples, _ = light.block(1000)
    detector.feed(samples, 0, len(samples))
    return *_compare(truth, found), detector


def _compare(truth: list[int], found: list[int]) -> tuple[int, int]:
    missed = invented = 0
    at = 0
    for start in truth:
        while at < len(found) and found[at] < start - 2:
            invented += 1
            at += 1
        if at < len(found) and found[at] <= start + _NEAR_MS:
            at += 1
        else:
            missed += 1
    return missed, invented + len(found) - at
