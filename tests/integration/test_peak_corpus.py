"""What every recorded P1 telegram tells of its peaks, as the reader peak has it.

JOULELOG_CORPUS names a folder with telegrams (test_dsmr_oracle.py); the fixtures are read anyway.
Beside the codec stand regular expressions: the two have nothing in common.
"""

import re
from pathlib import Path

import pytest
from test_peak import Port

from tests.integration.test_dsmr_oracle import FIXTURES, corpus
from tools.decode import dsmr

PATHS = FIXTURES + corpus("valid") + corpus("nocrc")
_STAMP = rb"\((\d{12})[SW]?\)"
_PEAK = re.compile(rb"^1-0:1\.6\.0" + _STAMP + rb"\((\d+\.\d{3})\*kW\)", re.M)
_LIST = re.compile(rb"^0-0:98\.1\.0\((\d+)\)\(1-0:1\.6\.0\)\(1-0:1\.6\.0\)(.*)$", re.M)
_MONTH = re.compile(_STAMP + _STAMP + rb"\((\d+\.\d{3})\*kW\)")
_CLOCK = re.compile(rb"^(0-0:1\.0\.0\()(\d{12})", re.M)


def _month(stamp: bytes) -> int:
    """Months since 2000-01; these stamps are not within a quarter of a month's begin."""
    return int(stamp[:2]) * 12 + int(stamp[2:4]) - 1


def _watts(kilowatts: bytes) -> int:
    return round(1000 * float(kilowatts))


def _told(data: bytes) -> dict[int, int]:
    """Month -> W of a telegram's peaks: those that have a date, and are none of the future."""
    found = {}
    if peak := _PEAK.search(data):
        found[_month(peak[1])] = _watts(peak[2])
    if months := _LIST.search(data):
        for _, stamp, kilowatts in _MONTH.findall(months[2]):
            if int(stamp[2:4]) <= 12:
                found[_month(stamp)] = _watts(kilowatts)
    clock = _CLOCK.search(data)
    now = _month(clock[2]) if clock else -1
    return {month: found[month] for month in found if now - 12 <= month <= now}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_peaks(path: Path) -> None:
    data = dsmr.from_hexadecimal(path.read_bytes())
    port = Port()
    port.p1._telegram.ignores_crc = True
    port.send_bytes(data)
    if len(_CLOCK.findall(data)) == 1:  # its list comes with the next one: nobody had asked
        later = _CLOCK.sub(lambda found: found[1] + b"%012d" % (int(found[2]) + 1), data)
        port.send_bytes(later)
    book = port.stand.reader._book
    ours = {month: book.of_meter(month) for month in range(book.month - 12, book.month + 1)}
    assert {month: watts // 1000 for month, watts in ours.items() if watts} == _told(data)


def test_there_are_some() -> None:
    assert sum(bool(_told(path.read_bytes())) for path in FIXTURES) == 2
