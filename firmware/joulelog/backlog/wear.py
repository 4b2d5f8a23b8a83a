"""How long the flash lasts that the readings are written to; by the counts of tools/bench/wear.py.

wear.years_at(blocks, writes, size)    # so many writes and bytes a year -> 9, None: for ever
wear.years_of(spool)                   # at the rate of this run
"""

from micropython import const

from .. import clock

YEAR_S = const(31557600)
BLOCK = const(4096)  # bytes that are erased at once; each write copies a block that is not full
_ERASES = const(50000)  # per block: half of what such flash is sold for
_SPREAD = const(24)  # tenths: so many times the mean has the worst block; others write as well
_MOST_YEARS = const(100)


def years_at(blocks: int, writes: int, size: int) -> int | None:
    """Years, at most 100; None: for ever. blocks: that are written in turn, 0: unknown."""
    erases = writes + size // BLOCK
    if not erases or not blocks:
        return None
    return min(blocks * _ERASES * 10 // (_SPREAD * erases), _MOST_YEARS)


def years_of(spool) -> int | None:
    """The same for what this run has written so far."""
    run_s = clock.uptime_ms() // 1000 + 1
    writes = spool.log.writes * YEAR_S // run_s
    return years_at(spool.blocks, writes, spool.written_bytes * YEAR_S // run_s)
