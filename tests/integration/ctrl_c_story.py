"""Ctrl-C hits the firmware in any line of store and forward: what follows still saves all.

    ctrl_c_story.py COUNT

A person's Ctrl-C at the REPL of a board raises KeyboardInterrupt in whatever runs; then
App.close() writes what waits. CPython's tracing raises it here, once in each of COUNT lines (of a
fixed seed). Prints how many lines there were, of how many that run. For test_spool_restart.py; a
process of its own, as tracing functions that raise leave CPython 3.11 unwell.
"""

import logging
import random
import sys
from types import FrameType

from ramfolder import RamFolder
from test_spool import Board

from joulelog.flow.live_first import LiveFirst

_OURS = ("/ringlog", "/joulelog/flow", "/joulelog/backlog")


class Flash(RamFolder):
    """Does not mind that an interrupted task still looks at a file."""

    def append(self, name: str, data) -> None:
        """A file is another object each time."""
        self.files[name] = bytearray(self.files.get(name, b"")) + data


class Tracer:
    """Notes all lines of ours that run, and raises KeyboardInterrupt in one of them."""

    def __init__(self, interrupted: int = -1) -> None:
        self.lines: list[str] = []
        self._interrupted = interrupted  # counted from 0

    def trace(self, frame: FrameType, event: str, _about):
        """For sys.settrace()."""
        folder, _, name = frame.f_code.co_filename.rpartition("/")
        if not folder.endswith(_OURS):
            return None
        if event == "line":
            self.lines.append(f"{name}:{frame.f_lineno}")
            if len(self.lines) - 1 == self._interrupted:
                raise KeyboardInterrupt
        return self.trace


async def _outage(board: Board, tracer: Tracer, put: list, came: list) -> None:
    """Readings come, and a server takes some of them now and then."""
    board.start()
    sys.settrace(tracer.trace)
    for number in range(34):
        await board.virtual.advance(10000)
        board.put(number)
        put.append(number)
        if number % 16 == 12:
            await _take(board, 9, came)
        elif number % 16 == 14:
            await board.cursor.next()
            board.cursor.unread()
            await board.cursor.next()
            board.cursor.rewind()


async def _take(board: Board, most: int, came: list) -> None:
    """The server has them before the cursor is told."""
    for _ in range(most):
        item = await board.cursor.next()
        if item is None:
            return
        serial, when, reading, _ = item
        came.append((reading[2][0] - 45678123, when))
        board.cursor.confirm(serial)


async def _restart(board: Board, came: list) -> None:
    board.start()
    await _take(board, 1000, came)
    board.stop()


def _story(tracer: Tracer) -> None:
    """The interrupt, the end, another run: what was put has come."""
    board = Board(kind=LiveFirst, capacity=1 << 20)
    board.flash = Flash()
    put: list[int] = []
    came: list[tuple] = []
    try:
        board.virtual.play(_outage(board, tracer, put, came))
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    board.spool.close()
    board.virtual.forget()
    board.virtual.play(_restart(board, came))
    where = tracer.lines[-1]
    missing = sorted(set(put) - {number for number, _ in came})
    assert not missing, f"interrupted in {where}: {missing} are missing"
    assert len({number for number, _ in came}) == len(set(came)), f"{where}: another time"


def main(count: int) -> None:
    """Interrupt so many lines, or all."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)  # what ends a task by force
    whole = Tracer()
    _story(whole)
    runs: dict[str, list[int]] = {}
    for index, line in enumerate(whole.lines):
        runs.setdefault(line, []).append(index)
    chance = random.Random(20261120)
    lines = chance.sample(sorted(runs), min(count, len(runs)))
    for line in lines:
        _story(Tracer(chance.choice(runs[line])))
    print(f"{len(lines)} of {len(runs)} lines")


if __name__ == "__main__":
    main(int(sys.argv[1]))
