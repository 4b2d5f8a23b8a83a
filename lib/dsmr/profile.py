"""Lines that hold a list: what was captured month by month, or at each power failure.

    for time, occurred, value, decimals, unit in entries(groups, 1): …

0-0:98.1.0 of e-MUCS P1 1.7.1 (Belgium, section 5.2) is (how many)(codes)… and then per month
(its end)(when the peak was)(peak); of Hungary's meters (the month's end) and then its values.
times: UTC in seconds since 2000-01-01, None where there is none, or it is no date. Values are as
those of other channels: kW come as W. Loaded where somebody asks.
"""

from . import obis, stamp


def entries(groups: list | tuple, hours: int):
    """Yield (time, occurred, value, decimals, unit) of each number of a list, in its order."""
    for times, group in rows(groups):
        parsed = obis.number(group)
        if parsed is None:
            continue
        value, decimals, unit = obis.scaled(*parsed)
        time = stamp.utc(times[0], hours) if times else None
        yield time, stamp.utc(times[1], hours) if len(times) > 1 else None, value, decimals, unit


def rows(groups: list | tuple):
    """Yield (time stamps, value) of each value of a list, as they were sent."""
    times: list = []
    complete = True  # the entry before has its value
    counted = groups[0].isdigit() and len(groups[0]) <= 3
    for group in groups[1:] if counted else groups:
        if not group or group.find(b":") == 3:  # a code, "1-0:1.6.0"
            continue
        if is_time(group):
            times = [group] if complete else times + [group]
            complete = False
            continue
        yield times, group
        complete = True


def is_time(group: bytes) -> bool:
    """Whether a group is a time stamp, also one that is no date (632525252525W)."""
    if len(group) in (12, 13, 17) and group[:8].isdigit() and group.find(b".") < 0:
        return group.find(b"*") < 0
    return stamp.dated(group)
