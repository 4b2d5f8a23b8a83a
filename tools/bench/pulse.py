"""How well lib/pulse counts: synthetic light with known truth, and the errors.

    python3 -m tools.bench.pulse                  # a million flashes at the specified limit
    python3 -m tools.bench.pulse --table          # where it starts to fail, as lib/pulse/README
    python3 -m tools.bench.pulse --pulses 10000

The limit: contrast 10 % of full scale, sigma of a reading 2 %, flashes of 5 ms, 50 per second,
two readings per millisecond. Errors are flashes missed plus flashes invented: each flash found
is matched with the truth by its time. The last line is the figure. Standard library only.
"""

import argparse
import time

from tools import ROOT
from tools.rig.pulses import errors

_TABLE = (
    ("at the limit", {}),
    ("contrast 9 %", {"contrast": 900}),
    ("contrast 8 %", {"contrast": 800}),
    ("contrast 7 %", {"contrast": 700}),
    ("contrast 6 %", {"contrast": 600}),
    ("contrast 5 %", {"contrast": 500}),
    ("noise 2.5 %", {"noise": 250}),
    ("noise 3 %", {"noise": 300}),
    ("noise 4 %", {"noise": 400}),
    ("flashes of 4 ms", {"pulse_ms": 4}),
    ("flashes of 3 ms", {"pulse_ms": 3}),
    ("flashes of 2 ms", {"pulse_ms": 2}),
    ("flashes of 8 ms", {"pulse_ms": 8}),
    ("flashes of 10 ms", {"pulse_ms": 10, "gap_ms": 15}),
    ("flashes of 12 ms", {"pulse_ms": 12, "gap_ms": 15}),
    ("flashes of 15 ms", {"pulse_ms": 15, "gap_ms": 17}),
    ("flashes of 16 ms", {"pulse_ms": 16, "gap_ms": 17}),
    ("flashes of 17 ms", {"pulse_ms": 17, "gap_ms": 18}),
    ("70 per second", {"spacing_ms": (14, 14)}),
    ("85 per second", {"spacing_ms": (12, 12)}),
    ("100 per second", {"spacing_ms": (10, 10)}),
    ("one reading per ms", {"reads": 1}),
    ("one reading per ms, noise 1.5 %", {"reads": 1, "noise": 150}),
    ("drift 60 % in 30 s", {"drift": 6000, "drift_s": 60}),
    ("drift 60 % in 5 s", {"drift": 6000, "drift_s": 10}),
    ("drift 60 % in 2 s", {"drift": 6000, "drift_s": 4}),
    ("100 Hz flicker of 1 %", {"flicker": 100}),
    ("100 Hz flicker of 2 %", {"flicker": 200}),
    ("100 Hz flicker of 3 %", {"flicker": 300}),
    ("100 Hz flicker of 4 %", {"flicker": 400}),
    ("one in 10 missing", {"missing": 10}),
    ("one in 10 double", {"double": 10, "spacing_ms": (30, 30)}),
    ("spacing 20 ms to 2 s", {"spacing_ms": (20, 2000)}),
)


def table(pulses: int) -> int:
    """Print a line per condition; how many of them lib/pulse/README.md has otherwise."""
    written = (ROOT / "lib/pulse/README.md").read_text()
    differ = 0
    print("| other than the limit | errors per %d flashes | missed | invented |" % pulses)
    print("|---|---|---|---|")
    for name, options in _TABLE:
        count = pulses // 20 if options.get("spacing_ms", (0, 0))[1] > 1000 else pulses
        missed, invented, _ = errors(count, **options)
        of = "" if count == pulses else " (of %d)" % count
        line = f"| {name} | {missed + invented}{of} | {missed} | {invented} |"
        differ += line + "\n" not in written
        print(line, flush=True)
    print(f"{len(_TABLE) - differ} of {len(_TABLE)} lines are those of lib/pulse/README.md")
    return differ


def main() -> int:
    """Run the command line; exit status 1 for errors at the limit, or for another table."""
    parser = argparse.ArgumentParser(description="Count the detector's errors.")
    parser.add_argument("--pulses", type=int, help="default: 1000000; 20000 per line of the table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="where it starts to fail")
    wanted = parser.parse_args()
    if wanted.table:
        return 1 if table(wanted.pulses or 20000) else 0
    pulses = wanted.pulses or 1000000
    began = time.monotonic()
    missed, invented, detector = errors(pulses, seed=wanted.seed)
    print(f"contrast 10 %, sigma 2 %, 5 ms, 50/s; {time.monotonic() - began:.0f} s of computing")
    print(f"counted {detector.count}; missed {missed}, invented {invented}")
    print(f"errors: {missed + invented} in {pulses} pulses")
    return 1 if missed + invented else 0


if __name__ == "__main__":
    raise SystemExit(main())
