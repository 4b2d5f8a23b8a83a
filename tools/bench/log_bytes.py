"""How many bytes readings take in a log on flash: days of P1 and PZEM readings at 10 s.

    python3 -m tools.bench.log_bytes                 # 72 hours of both, and each by itself
    python3 -m tools.bench.log_bytes --hours 24 --seed 7 --page 1024 --segment 16384

The readings are those of tools/sim/day.py, which are as rough as those of real meters. They go
through lib/ringlog into files, as the firmware's go, the state is saved with every page, and all
is read back and compared. Counted are the files: pages, schemas and states included.

Exit status 1 where a limit is broken: 20 bytes per P1 reading of 30 channels, 8 per PZEM reading,
and 1 MiB for 72 hours of both.
"""

import argparse
import sys

from tools.rig.log_bytes import MOST_BYTES, MOST_TOGETHER, measure


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--page", type=int, default=640, help="bytes of a page (default 640, as with 64 slots)"
    )
    parser.add_argument("--segment", type=int, default=16384, help="bytes of a segment (16384)")
    options = parser.parse_args()
    found = measure(options.hours, options.seed, options.segment, options.page)
    limit = MOST_TOGETHER * options.hours // 72
    holds = found["together"] <= limit
    holds = holds and all(found[name] <= most for name, most in MOST_BYTES.items())
    print(
        "%.2f bytes per P1 reading of 30 channels, %.2f per PZEM reading, %d hours of both %d kB"
        " of %d kB%s"
        % (
            *(found["p1"], found["pzem"], options.hours, -(-found["together"] // 1024)),
            *(limit // 1024, "" if holds else ": too much"),
        )
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
