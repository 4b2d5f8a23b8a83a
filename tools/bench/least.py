"""The smallest heap in which something fits.

least(lambda kb: runs_in(kb), 30, 200)              # 47
least(lambda kb: runs_in(kb), 30, 200, budget=47)   # only that is tried: 47, or 48

A budget is tried twice: a run on a busy computer may come to no end.
"""

from collections.abc import Callable


def least(fits: Callable[[int], bool], low: int, high: int, budget: int = 0, step: int = 1) -> int:
    """In kB, to step; it does not fit into low, and does into high."""
    if budget:
        return budget if fits(budget) or fits(budget) else budget + 1
    while high - low > step:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return high
