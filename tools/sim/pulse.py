"""Light over a meter's LED as an ADC sees it, with faults, and the truth about it.

    python3 -m tools.sim.pulse --out led.u16 --seconds 60 --flicker 20

    light = Light(seed=1, contrast=1000, noise=200)
    samples, truth = light.block(1000)       # array("i") of 1000 samples; ms of each real flash

A file is raw: unsigned 16-bit, little endian, one reading per PERIOD_US. Beside it lies a .json
with `period_us`, `pulses` (how many) and `ms` (when each began). All heights are in ten
thousandths of full scale, so that 1000 is the 10 % that the detector is specified for. Standard
library only.
"""

import argparse
import array
import json
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path

PERIOD_US = 500
FULL = 65535


class Light:
    """The reading over time: ambient light, a meter's flashes, noise, and what disturbs.

    spacing_ms: two numbers, the least and the longest time between the starts of two flashes;
    missing, double: one in so many flashes is left out, or followed by a second, shorter one
    that the truth does not count; drift: how far the ambient light goes up and down in drift_s;
    lamp: a function of the second, giving the light of a lamp with 100 Hz flicker; inverted: all
    of it upside down, so that flashes are dark.
    """

    def __init__(
        self,
        seed: int = 1,
        dark: int = 2000,
        contrast: int = 1000,
        noise: int = 200,
        pulse_ms: int = 5,
        spacing_ms: tuple[int, int] = (20, 20),
        drift: int = 0,
        drift_s: int = 60,
        missing: int = 0,
        double: int = 0,
        flicker: int = 0,
        lamp: Callable[[int], int] | None = None,
        lead_ms: int = 2000,
        reads: int = 2,
        tick_us: int = 1000,
        inverted: bool = False,
    ) -> None:
        self.count = 0
        self._random = random.Random(seed)
        unit = FULL / 10000
        self._dark = dark * unit
        self._contrast = contrast * unit
        # The sum of `reads` independent readings has this much noise; the mean is what matters.
        self._noise = noise * unit * math.sqrt(reads)
        self._drift = drift * unit
        self._drift_us = drift_s * 1000000
        self._flicker = flicker * unit
        self._lamp = lamp
        self._unit = unit
        self._pulse_us = pulse_ms * 1000
        self._spacing = spacing_ms
        self._missing = missing
        self._double = double
        self._reads = reads
        self._tick_us = tick_us
        self._inverted = inverted
        self._us = 0
        self._flashes: list[tuple[int, int]] = []  # (from, to) in us, still ahead or under way
        self._next_us = lead_ms * 1000

    def _plan(self, until_us: int, truth: list[int]) -> None:
        rand = self._random
        while self._next_us <= until_us:
            start = self._next_us
            low, high = self._spacing
            gap_us = rand.randrange(low * 1000, high * 1000 + 1) if high > low else low * 1000
            # Nothing keeps the flashes in step with the samples.
            self._next_us += gap_us + (rand.randrange(0, 400) if high == low else 0)
            if self._missing and rand.randrange(self._missing) == 0:
                continue
            self._flashes.append((start, start + self._pulse_us))
            if self._double and rand.randrange(self._double) == 0:
                again = start + self._pulse_us + 2000
                self._flashes.append((again, again + self._pulse_us * 3 // 5))
            truth.append(start // 1000)
            self.count += 1

    def block(self, count: int) -> tuple[array.array, list[int]]:
        """The next samples (sums of `reads` readings), and when flashes began in them."""
        tick = self._tick_us
        begin = self._us
        end = begin + count * tick
        truth: list[int] = []
        self._plan(end - 1, truth)
        gauss = self._random.gauss
        noise = self._noise
        reads = self._reads
        base = self._dark * reads
        most = FULL * reads
        values = [base] * count
        height = self._contrast * reads
        for start, stop in self._flashes:
            first = max(0, -((begin - start) // tick) if start > begin else 0)
            last = min(count, -((begin - stop) // tick))
            for index in range(first, last):
                values[index] += height
        self._flashes = [flash for flash in self._flashes if flash[1] > end]
        self._disturb(values, begin)
        if noise:
            values = [value + gauss(0, noise) for value in values]
        if self._inverted:
            values = [most - value for value in values]
        samples = array.array("i", [min(most, max(0, int(value))) for value in values])
        self._us = end
        return samples, truth

    def _disturb(self, values: list[float], begin: int) -> None:
        reads = self._reads
        tick = self._tick_us
        turn = 2 * math.pi
        if self._drift:
            for i in range(len(values)):
                phase = turn * (begin + i * tick) / self._drift_us
                values[i] += self._drift * reads * (1 - math.cos(phase)) / 2
        if self._flicker:
            for i in range(len(values)):
                phase = turn * (begin + i * tick) / 10000
                values[i] += self._flicker * reads * math.sin(phase)
        if self._lamp:
            for i in range(len(values)):
                us = begin + i * tick
                light = self._lamp(us // 1000000)
                if light:
                    flicker = 1 + 0.1 * math.sin(turn * us / 10000)
                    values[i] += light * self._unit * reads * flicker


def write(path: Path, seconds: int, **options) -> int:
    """Write a trace and its truth; the number of flashes."""
    light = Light(reads=1, tick_us=PERIOD_US, **options)
    truth: list[int] = []
    with path.open("wb") as file:
        for _ in range(seconds):
            samples, starts = light.block(1000000 // PERIOD_US)
            readings = array.array("H", samples)
            if sys.byteorder == "big":
                readings.byteswap()
            file.write(readings.tobytes())
            truth += starts
    about = {"period_us": PERIOD_US, "pulses": len(truth), "ms": truth}
    path.with_suffix(".json").write_text(json.dumps(about) + "\n")
    return len(truth)


def start(entry: dict, _speed: int = 1) -> str:
    """A minute of light for a reader's entry, in a file that ADC of the computer plays."""
    folder = Path(__file__).resolve().parents[2] / "build"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ("light-%s.u16" % entry.get("name", "pulse"))
    pulse_ms = entry.get("pulse_ms")
    if not isinstance(pulse_ms, int):  # the firmware's check says what is wrong with it
        pulse_ms = 0
    dark = entry.get("active") == "low"
    write(path, 60, pulse_ms=max(30, pulse_ms), spacing_ms=(900, 3000), inverted=dark)
    return str(path)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="A meter's LED as an ADC sees it, in a file.")
    add = parser.add_argument
    add(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="the trace (.json: the truth)",
    )
    add("--seconds", type=int, default=60)
    add("--seed", type=int, default=1)
    add("--dark", type=int, default=2000, help="ten thousandths of full scale, as all heights")
    add("--contrast", type=int, default=1000, help="height of a flash")
    add("--noise", type=int, default=200, help="sigma of one reading")
    add("--pulse-ms", type=int, default=20)
    add("--spacing-ms", type=int, nargs=2, default=(500, 3000), metavar=("MIN", "MAX"))
    add("--drift", type=int, default=0, help="how far the ambient light goes up, and down again")
    add("--flicker", type=int, default=0, help="height of a 100 Hz ripple")
    add("--missing", type=int, default=0, metavar="N", help="leave out one flash in N")
    add("--inverted", action="store_true", help="upside down: dark flashes")
    add("--double", type=int, default=0, metavar="N", help="let one flash in N flash twice")
    options = vars(parser.parse_args(arguments))
    path = options.pop("out")
    seconds = options.pop("seconds")
    options["spacing_ms"] = tuple(options["spacing_ms"])
    count = write(path, seconds, **options)
    print(f"{path}: {seconds} s, {count} flashes; the truth is in {path.with_suffix('.json')}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
