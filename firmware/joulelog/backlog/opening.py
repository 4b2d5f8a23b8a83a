"""Opens the flash behind the queue: what is needed once, and dropped after the start.

spool = of(queue, place, config.queue, True, whose)    # None where the flash cannot be used
spool = open_spool(queue, files, 614400, 640, 0)       # the queue goes on where the last run ended
"""

import logging
import os

from micropython import const
from ringlog.ringlog import Log

from . import wear
from .files import Files
from .places import marks, settle, told  # noqa: F401 - some for those who open it
from .spool import Spool

_READING_BYTES = const(10)  # of a P1 reading; others are smaller (tools/bench/log_bytes.py)
_LEAST_PAGE = const(256)
_MOST_PAGE = const(1024)
_LEAST_BYTES = const(8192)  # two segments
_PROBE = "probe"  # a file
_LEAST_SEGMENT = const(4096)
_ENOSPC = const(28)


def of(queue, place: str, about: dict, restarted: bool, whose: dict):
    """The spool in a folder, as the section `queue` says; None where the flash cannot be used.

    whose: marks() of the sinks.
    """
    sync_s = about["sync_seconds"] if about["durability"] == "always" else 0
    # A page is written before the ring has come round: more of it would stay empty.
    page = min(max(_READING_BYTES * about["slots"], _LEAST_PAGE), _MOST_PAGE)
    try:
        files = Files(place)
        room = _room(files)
        share, free, blocks = _file_system(place)
        room = (room + free) * 9 // 10
        wanted = about["flash_kb"]
        if wanted and wanted * 1000 > room:
            text = "%s has room for %d kB, not for the %d of `queue.flash_kb`: that is all"
            logging.getLogger("spool").error(text, place, room // 1000, wanted)
        capacity = max(min(wanted * 1000 if wanted else share, room), _LEAST_BYTES)
        return open_spool(queue, files, capacity, page, sync_s, restarted, blocks, whose)
    except OSError as error:
        text = (
            "%s cannot be used (%s): readings wait in RAM only; `queue.directory` has to be a"
            " folder that can be written"
        )
        logging.getLogger("spool").error(text, place, error)
    return None


def open_spool(
    queue, folder, capacity: int, page: int, sync_s: int, restarted=True, blocks=0, whose=None
) -> Spool:
    """Find what the last run left; OSError where the flash cannot be read.

    folder: a back end of ringlog; capacity, page: bytes; restarted: the board's own clock has gone
    on since the last run; sync_s, blocks: see Spool; whose: see of().
    """
    # Eight segments and more, so that little is lost at once.
    segment = max(_LEAST_SEGMENT, min(65536, capacity // 8))
    log = Log(folder, capacity, segment, page, queue.source)
    for _ in log.open():
        pass
    spool = Spool(queue, log, sync_s, blocks)
    following = log.last + 1
    queue.spool = spool
    queue.begin(following)
    state = log.state
    for name in list(state):
        if name[:1] == "$":
            if restarted:
                spool.timeless = True
            else:
                del state[name]
    before = dict(state)
    cursors = [cursor for cursor in queue.cursors if cursor.durable]
    # What is behind a damaged page may be anybody's.
    known = max(spool.first, log.state_end)
    about = cursors, state, whose or {}, spool.first, known
    spool.former, spool.given_up = settle(queue, *about)
    if spool.given_up:
        text = "too many sinks went elsewhere: the oldest %d readings that wait are given up"
        logging.getLogger("spool").error(text, spool.given_up)
    # Before anything comes that is of this run's sinks, and behind damage, so that it is sure.
    if state != before or log.is_torn:
        spool.save()
    return spool


def describe(spool, slots: int) -> str:
    """What the spool keeps safe."""
    room = "%d kB on the flash for those that wait longer" % (spool.log.capacity // 1000)
    if not spool.sync_ms:
        return "%s; a power cut takes at most the newest %d" % (room, slots)
    text = "%s; a power cut takes at most %d s" % (room, spool.sync_ms // 1000)
    years = wear.years_at(spool.blocks, wear.YEAR_S // (spool.sync_ms // 1000), 0)
    if years is None:
        return text
    if not years:
        return text + "; the flash lasts less than a year: raise `sync_seconds`"
    return "%s; the flash lasts about %d years" % (text, years)


def _room(files) -> int:
    """Bytes that the readings have already; OSError where nothing can be written."""
    size = sum([files.size(name) for name in files.names()])
    try:
        files.append(_PROBE, bytes(1))
        files.remove(_PROBE)
    except OSError as error:
        if error.errno != _ENOSPC:  # what is full will lose its oldest readings
            raise
    return size


def _file_system(directory: str) -> tuple[int, int, int]:
    """(bytes that are the readings', 30 %; free ones; blocks that are written in turn)."""
    about = os.statvfs(directory)
    return about[1] * about[2] * 3 // 10, about[1] * about[4], about[1] * about[3] // wear.BLOCK
