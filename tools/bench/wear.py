"""How often each block of the flash is erased in 20 years, counted on littlefs: `make size` too.

    python3 -m tools.bench.wear                          # every shipped layout; some minutes
    python3 -m tools.bench.wear --layout 448             # the one with so many kB of file system
    python3 -m tools.bench.wear --always                 # `durability: "always"`, sync_seconds 60
    python3 -m tools.bench.wear --quick                  # fewer days, as the tests do

All writers run together on the MicroPython VM on a clock of their own, on a disk that counts the
erases of each block: the log (a line every 10 minutes, each minute during an outage), the small
values (changed at each minute, as with a pulse meter), the quarter hours, and the firmware's queue
and spool with a P1 meter and a PZEM at 10 s, two sinks, and in each year a week with one of them
down and a power cut on each day. The application, and as much as the history will take, lie there
and do not move.

The normal days are counted in a run of 60 of them, the outage in one whole week; of each block
(normal days x 358 / 60 + week) x 20 is the figure. That is more than 20 years do: a block that is
erased more than others in 60 days stays so for ever in this sum, while littlefs moves on.

With --always one sink is down for ever, so that every reading is written, with the log's state,
once a minute. The figures are years until a block has 50,000 erases: as counted with all writers,
and as the firmware tells them (health; wear.py): an append of n bytes costs 1 + n / 4096 erases,
the worst block gets 2.4 times the mean of those free at the start, others' writes included.

Exit status: 0 when no block has 50,000 erases or more, 1 when one has, 3 without the VM.
"""

import argparse
import sys

from tools.rig import romfs, vm
from tools.rig.wear import MOST_ERASES, always, in_20_years, layouts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--layout", type=int, help="kB of file system")
    parser.add_argument("--always", action="store_true", help="every reading, once a minute")
    parser.add_argument("--quick", action="store_true", help="fewer days")
    options = parser.parse_args()
    try:
        vm.ensure()
    except (vm.Unavailable, romfs.BuildError) as problem:
        print("wear: %s" % problem, file=sys.stderr)
        return 3
    figures = {}
    for size, layout in sorted(layouts().items()):
        if options.layout not in (None, size):
            continue
        if options.always:
            figures[size] = always(layout, 7 if options.quick else 28)
            continue
        days, week = (10, 2) if options.quick else (60, 7)
        figures[size], counts = in_20_years(layout, days, week)
        print("%d kB (%s)" % (size, ", ".join(layout["names"])))
        for phase in counts:
            print("  " + ", ".join("%s %d" % item for item in sorted(phase.items()) if item[1]))
    if options.always:
        texts = ["%.1f (%d) in %d kB" % (*figures[size], size) for size in figures]
        print("years to 50,000 erases (and as the firmware tells): " + ", ".join(texts))
        return 0
    texts = ["%d in %d kB" % (figure, size) for size, figure in figures.items()]
    print("erases of the worst block in 20 years: " + ", ".join(texts))
    return 0 if max(figures.values()) < MOST_ERASES else 1


if __name__ == "__main__":
    sys.exit(main())
