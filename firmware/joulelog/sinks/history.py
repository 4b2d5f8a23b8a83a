"""History on the board: quarter hours and days of a meter, on its flash.

    readers = [{"type": "dsmr", "uart": 2, "name": "p1"}, {"type": "quarter", "source": "p1"}]
    sinks = [{"type": "history", "sources": ["quarter"]}]

What is kept of each source, and how: history_log.py. A quarter is confirmed when it is in the page
in RAM, and that page is written when it has four; where the flash fails they wait in queue and
spool, as for any server that is away. The oldest quarters make room for new ones, so do days.
"""

import logging
import os

from micropython import const

from .. import clock, registry
from ..backlog.files import Files
from ..flow.reading import SOURCE, TIME, VALUES
from .history_log import History

SCHEMA = """\
sources   | list text | required | names of readers of quarters, four at most
directory | path      | null     | where it lies; null: `history` beside the log
flash_kb  | int 40..  | null     | kB for all of it; null: 10 % of the file system
"""
NEEDS = ("clock", "queue", "directory")
DESTINATION = ("directory",)

_MOST = const(4)
_RETRY_MS = const(10000)
_QUARTER_BYTES = const(19)  # of 12 channels, four at a time (tools/bench/history_bytes.py)
_DAY_BYTES = const(24)
_DAYS = const(1827)  # five years
_LEAST_QUARTERS = const(1344)  # 14 days
_TEN_YEARS = const(7000000)  # bytes of a source: a computer's disk has room for more


def problems(entry: dict, _board):
    """Yield what is wrong with an entry beyond its table."""
    if len(entry["sources"]) > _MOST:
        yield "`sources` has %d names; a history has four at most" % len(entry["sources"])
    for key in ("channels", "every"):
        if entry[key]:
            yield "`%s` does not go with a history: it keeps whole quarters" % key


def shares(total: int) -> tuple[int, int]:
    """Bytes for the quarters and for the days of one source, of all that it has."""
    days = min(_DAYS * _DAY_BYTES, max(0, total - _LEAST_QUARTERS * _QUARTER_BYTES))
    days = max(days, total // 4)
    return total - days, days


class Sink:
    """Keeps what the cursor gives."""

    def __init__(self, name: str, entry: dict, cursor, app_clock, queue, directory: str) -> None:
        self.name = name
        self.cursor = cursor
        self.state = "idle"
        self._clock = app_clock
        self._queue = queue
        self._sources = entry["sources"]
        self._base = entry["directory"] or directory.rstrip("/") + "/history"
        self._kb = entry["flash_kb"]
        self.histories: dict = {}  # name of a source -> its History, once it is open
        self.errors = 0
        self.known = 0
        self._foreign: list = []  # sources that were told to be no quarters

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        cursor = self.cursor
        return (
            ("sent", cursor.sent),
            ("dropped", cursor.dropped),
            ("errors", self.errors),  # times that the flash failed
            ("known", self.known),  # quarters that were there already
        )

    def describe(self) -> str:
        """For the start report: how far back it goes, by what there is room for."""
        try:
            quarters, days = shares(self._bytes())
        except OSError as error:
            return "%s cannot be used: %s" % (self._base, error)
        text = "%s: some %d days of quarter hours of each source, and %d days"
        return text % (self._base, quarters // _QUARTER_BYTES // 96, days // _DAY_BYTES)

    async def run(self) -> None:
        """Keep for ever."""
        for name in self._sources:
            if name not in self.histories:
                await self._open(name)
        self.state = "ok"
        while True:
            await self.cursor.wait()
            while True:
                found = await self.cursor.next()
                if found is None:
                    break
                await self._take(found[2])
                self.cursor.confirm(found[0])
                await clock.sleep_ms(0)

    def save(self) -> None:
        """Before a planned restart."""
        for history in self.histories.values():
            try:
                history.flush()
            except OSError as error:
                self._failed(error)

    async def _open(self, name: str) -> None:
        while True:
            try:
                folder = self._base + "/" + folder_of(name)
                Files(self._base).names()  # which makes the folder
                about = Files(folder + ".quarters"), Files(folder + ".days")
                history = History(
                    *about, *shares(self._bytes()), self._queue.source, self._clock.local
                )
                for _ in history.opening():
                    await clock.sleep_ms(0)
                registry.drop("ringlog.ringopen")
                self.histories[name] = history
                now = self._clock.now()
                if now is not None:
                    await self._close_days(history, now)
                return
            except OSError as error:
                self._failed(error)
                await clock.sleep_ms(_RETRY_MS)

    async def _take(self, reading: tuple) -> None:
        """Keep a quarter, however long that takes."""
        source = reading[SOURCE]
        history = self.histories.get(source.name)
        if history is None or source.identity[1] not in ("quarter", None):
            self._refuse(source)
            return
        while True:
            try:
                if not history.add(reading[TIME], source, reading[VALUES]):
                    self.known += 1
                await self._close_days(history, reading[TIME])
                if self.state != "ok":
                    self.state = "ok"
                    logging.getLogger(self.name).info("keeping again")
                return
            except OSError as error:
                self._failed(error)
                await clock.sleep_ms(_RETRY_MS)

    async def _close_days(self, history, until: int) -> None:
        for _ in history.closing(until):
            await clock.sleep_ms(0)

    def _refuse(self, source) -> None:
        if source.name not in self._foreign:
            self._foreign.append(source.name)
            text = '`sources` names %s, which has no quarters: add {"type": "quarter"} for it'
            logging.getLogger(self.name).error(text, source.name)

    def _failed(self, error) -> None:
        self.errors += 1
        new = "waiting: %s" % error
        if new != self.state:
            self.state = new
            logging.getLogger(self.name).error("%s cannot be written: %s", self._base, error)

    def _bytes(self) -> int:
        """For each source."""
        if self._kb:
            return self._kb * 1000 // len(self._sources)
        Files(self._base).names()  # which makes the folder
        about = os.statvfs(self._base)
        return min(about[1] * about[2] // 10 // len(self._sources), _TEN_YEARS)


def folder_of(name: str) -> str:
    """A source's name as part of a file's."""
    found = ""
    for sign in name:
        if (sign.isalpha() and ord(sign) < 128) or sign.isdigit() or sign in "-_":
            found += sign
        else:
            found += "+%x" % ord(sign)
    return found
