"""The longest step of a running pipeline, from several runs of it: for `make size` and tests.

    longest = Longest()
    longest.add(text)          # what tools/rig/vm_shims/measured_steps.py told of one run
    longest.us()               # 371
    longest.by_task()          # [("dsmr", 371), ("collection", 240), …]

Whatever else a computer does can only lengthen a step: so of each task's longest steps, one a run,
the shortest counts. A computer that shares its cores lengthens some step of nearly every run by
milliseconds, but seldom one of the same task in all of them.
"""

import re

_STEP = re.compile(r"^STEP (\S+) (\d+)", re.M)


class Longest:
    """Each task's longest step in CPU time, in the run in which it was shortest."""

    def __init__(self) -> None:
        self._shortest: dict[str, int] = {}

    def add(self, text: str) -> None:
        """Add a run. ValueError without steps."""
        steps = _STEP.findall(text)
        if not steps:
            raise ValueError("no steps in: " + text[-1500:])
        for task, us in steps:
            self._shortest[task] = min(int(us), self._shortest.get(task, 1 << 60))

    def us(self) -> int:
        """Of all tasks; microseconds."""
        return max(self._shortest.values())

    def by_task(self) -> list[tuple[str, int]]:
        """(task, microseconds), the longest first."""
        return sorted(self._shortest.items(), key=lambda item: -item[1])
