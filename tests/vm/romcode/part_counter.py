"""Counts how often it ran."""

import sys

RUNS = getattr(sys.modules.get("part_settings"), "runs", 0) + 1
count = 0
kept = []


def increase(by=1):
    global count
    count += by
    return count


class Tally:
    total = 0
    kinds = []

    def add(self):
        Tally.total += 1
        self.kinds.append(Tally.total)
        return self.total
