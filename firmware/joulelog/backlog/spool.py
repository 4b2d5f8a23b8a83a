"""The flash behind the queue: readings wait here for servers that are away.

    spool = opening.open_spool(queue, files, 614400, 640, 0)
    await spool.run()                     # a task
    spool.close()                         # before a planned restart: nothing in RAM is lost

Readings that a durable cursor has not confirmed are copied into a page in RAM when half of the
ring waits, and the page is written when it is full or when the ring needs the room: so that what
a power cut takes is never more than the ring. With sync_s they are written after so many seconds
in any case. A page that cannot be written stays in RAM; when it is full, what the ring loses then
is lost and counted.

The log's state holds where each cursor is, so a restart finds it; it is written with the pages
and at most every ten minutes besides. It may be older than the truth: then readings are sent
twice, with the same time and id. A full log loses its oldest segment, counted by every cursor
that wanted something of it.

It also holds what is needed to know later when an earlier run took its readings, where that run
did not: "@boot" is that run's UTC minus uptime, "$boot" what the board's own clock said minus
uptime. A board's clock goes on over a restart, but not over a power cut.
"""

import logging

from micropython import const

from .. import clock
from . import boot_times

_POLL_MS = const(500)
_SAVE_MS = const(600000)  # between two writes of nothing but cursors
_RETRY_MS = const(10000)  # after the flash has failed
_NO_MEMORY_MS = const(1000)  # after there was no memory to write
_LAST_TRIES = const(3)  # before a restart
_ENOSPC = const(28)


class Spool:
    """See the module's text.

    log: open; sync_s: 0 writes only what has to be written; blocks: that the file system may write
    to, 0: unknown, or no flash.
    """

    def __init__(self, queue, log, sync_s: int, blocks: int = 0) -> None:
        self.stored = 0  # readings
        self.segments_lost = 0  # because the log was full
        self.errors = 0
        self.given_up = 0  # readings that waited for a sink that is not there any more
        self.log = log
        self.sync_ms = sync_s * 1000
        self.former = None  # readings of sinks that went elsewhere: former.py
        self.timeless = False  # readings without a UTC are in the log
        self._queue = queue
        self.blocks = blocks
        self.written_bytes = 0  # in this run
        self._cursors = [cursor for cursor in queue.cursors if cursor.durable]
        self._next = log.last + 1  # serial of the next reading to append
        self._written_ms = 0  # uptime of the last write
        self._retry_ms = 0  # uptime before which the flash is left alone
        self._broken = False
        self._unreadable_ms = 0  # uptime when somebody could not read, 0: all is well
        self._board = clock.board_offset()  # before anybody sets the board's clock
        self._logger = logging.getLogger("spool")

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (
            ("stored", self.stored),
            ("segments_lost", self.segments_lost),
            ("given_up", self.given_up),
            ("errors", self.errors),
        )

    @property
    def first(self) -> int:
        """Serial number of the oldest reading that can still be had."""
        first, oldest = self.log.first, self._queue.oldest
        return min(first, oldest) if first >= 0 else oldest

    @property
    def used(self) -> int:
        """Bytes on the flash."""
        return self.log.used_bytes

    @property
    def waiting(self) -> int:
        """Readings that the slowest server has not got."""
        return max([cursor.waiting for cursor in self._cursors])

    @property
    def unwritten(self) -> int:
        """The first serial number that is not on the flash."""
        return self.log.pending_first if self.log.pending else self._next

    def resolve(self, boot: int, stamp: int) -> int | None:
        """UTC of an uptime stamp of an earlier run, or None while nobody can tell."""
        queue = self._queue
        offset = boot_times.offset_of(self.log.state, boot, self._board, queue.clock)
        return None if offset is None else clock.of_uptime(stamp, offset)

    def holds(self, serial: int) -> bool:
        """Put this reading, the oldest of the ring, on the flash; False where it will be lost."""
        while self._next <= serial:
            if not self._append() and not self._flush():
                return False
        if self.log.pending and self.log.pending_first <= serial:
            self._flush()
        return True

    async def run(self) -> None:
        """Write what has to be written, for ever."""
        await self._look()
        while True:
            await clock.sleep_ms(_POLL_MS)
            if self._unreadable_ms and clock.uptime_ms() - self._unreadable_ms > _RETRY_MS:
                self._unreadable_ms = 0
                self._queue.wake()
            if clock.uptime_ms() < self._retry_ms:
                continue
            await self._collect()
            self._trim()
            if self.timeless and self._queue.clock.source:
                self._note_time()
            self._save_if_due()

    def close(self) -> None:
        """Write all that waits."""
        queue = self._queue
        log = self.log
        if log.pending_first >= queue.oldest:
            log.forget_page()  # Ctrl-C may have come while it was made
        if not log.pending:
            self._next = log.last + 1
        self._next = max(self._next, self._lowest())
        tries = _LAST_TRIES
        while tries and self._next <= queue.newest:
            self._retry_ms = 0
            if not self._append() and not self._flush():
                tries -= 1
        if not log.pending:
            self.save()
        while tries and log.pending:
            self._retry_ms = 0
            if not self._flush():
                tries -= 1

    async def _look(self) -> None:
        """Find out since when the servers miss what an earlier run has left."""
        reader = self.log.reader()
        for cursor in self._cursors:
            position = cursor.position
            found = None if position <= self.log.last else False
            reader.seek(position)
            while found is None:
                try:
                    found = reader.step()
                except OSError as error:
                    self.complain_of_reading(error)
                    return
                await clock.sleep_ms(0)
            if found:
                cursor.look(position, reader.boot, reader.stamp)

    async def _collect(self) -> None:
        """Copy into the page what waits; write the page where it is time to."""
        queue = self._queue
        lowest = self._lowest()
        if not self.sync_ms and queue.newest + 1 - lowest <= queue.slots // 2:
            return
        while True:
            self._next = max(self._next, queue.oldest, self._lowest())
            if self._next > queue.newest:
                break
            if not self._append():
                await self._make_room()
                if not self._flush():
                    return
            await clock.sleep_ms(0)
        if not self.log.pending:
            return
        due = self.sync_ms and clock.uptime_ms() + _POLL_MS >= self._written_ms + self.sync_ms
        late = queue.newest + 1 - queue.slots + queue.slots // 8
        if due or self.log.pending_first < late:
            await self._make_room()
            self._flush()

    def _append(self) -> bool:
        """Copy the next reading into the page; False where that has to be written first."""
        queue = self._queue
        self._next = max(self._next, queue.oldest)
        reading = queue.get(self._next)
        if reading is None:
            return True
        serial, (stamp, source, values) = self._next, reading
        try:
            if not self.log.append(serial, queue.boot, stamp, source, values):
                return False
        except (OSError, MemoryError) as error:
            self.complain(error)
            return False
        except ValueError as error:
            # Who has not got it when the ring loses it will miss it on the flash, and count it.
            self._logger.error("a reading is for RAM only: %s", error)
            self._next = serial + 1
            return True
        if stamp < 0:
            self.timeless = True
        self._next = serial + 1
        return True

    def _flush(self) -> bool:
        """Write the page and the places of the cursors; False when it stays in RAM."""
        queue = self._queue
        count = self.log.pending
        if clock.uptime_ms() < self._retry_ms:
            return False
        if not count:
            return True
        try:
            if self.timeless:
                boot_times.place(self.log.state, queue.boot, self._board, queue.clock)
                self.timeless = not queue.clock.source
            self._place_cursors()
            while not self._fits():
                for _ in self._lose_segment():
                    pass
        except (OSError, MemoryError) as error:
            self.complain(error)
            return False
        self.stored += count
        self._written()
        return True

    def _fits(self) -> bool:
        """Write the page; False where the log, or the flash that others use too, is full."""
        used = self.log.used_bytes
        try:
            done = self.log.flush(True)
            self.written_bytes += self.log.used_bytes - used
            return done
        except OSError as error:
            if error.errno != _ENOSPC:
                raise
            return False

    async def _make_room(self) -> None:
        """Lose the oldest segment before the log is full, without keeping others waiting."""
        log = self.log
        if log.used_bytes + 4 * log.page_bytes < log.capacity:
            return
        try:
            for _ in self._lose_segment():
                await clock.sleep_ms(0)
        except OSError as error:
            self.complain(error)

    def _lose_segment(self):
        """Yields between the steps: each cursor counts what it still wanted.

        OSError where there is only one segment: others have filled the flash.
        """
        log = self.log
        first, end = log.first, log.oldest_end
        if end > log.last:
            raise OSError(_ENOSPC)
        reader = log.reader()
        reader.seek(first)
        lost = False
        while self._lowest() < end:
            try:
                found = reader.step()
            except OSError as error:  # its readers will miss what was behind
                self.complain_of_reading(error)
                lost = True
                break
            yield
            if log.first != first:
                return  # somebody else was in a hurry
            if found is None:
                continue
            if not found or reader.serial >= end:
                break
            lost = True
            reading = (reader.stamp, reader.source, reader.values)
            time = self._queue.resolve(reader.boot, reader.stamp)
            for cursor in self._cursors:
                cursor.lose(reader.serial, reading, time)
        log.drop_oldest()
        given_up = self.former.lose(end) if self.former else 0
        self.given_up += given_up
        if given_up:
            self._logger.error("%d of the oldest readings had no sink any more", given_up)
        if lost or given_up:
            self.segments_lost += 1
            self._logger.error("the flash is full: the oldest readings are lost")

    def _trim(self) -> None:
        """Remove what every server has."""
        lowest = self._lowest()
        if self.former:
            lowest = min(lowest, self.former.lowest())
        for cursor in self._cursors:
            cursor.stored.gaps.forget(cursor.position)
        try:
            self.log.trim(lowest)
        except OSError as error:
            self.complain(error)
        if lowest > self.log.last:  # nobody will ask for the times of earlier runs
            own = "@%x" % self._queue.boot
            for name in list(self.log.state):
                if name[:1] == "@" and name != own:
                    del self.log.state[name]

    def _save_if_due(self) -> None:
        """Write the places of the cursors, where a restart would find them far behind."""
        if clock.uptime_ms() - self._written_ms < max(_SAVE_MS, self.sync_ms):
            return
        if self._place_cursors():
            self._save()

    def save(self) -> None:
        """Write the places of the cursors at once."""
        self._place_cursors()
        self._save()

    def _save(self) -> None:
        if self.log.last < 0 and not self.log.is_torn:
            return  # nothing waits: a restart begins with what comes
        try:
            self.log.save_state()
        except OSError as error:
            self.complain(error)
        else:
            self._written()

    def _place_cursors(self) -> bool:
        """Put the cursors' places into the state; True where one is another."""
        state = self.log.state
        following = self._next if self.log.pending else self.log.last + 1
        changed = self.former is not None and self.former.place(following)
        for cursor in self._cursors:
            place = max(min(cursor.position, following), cursor.stored.begun)
            if state.get(cursor.stored.key) != place:
                state[cursor.stored.key] = place
                changed = True
        return changed

    def _note_time(self) -> None:
        """The time is known: so is that of this run's readings, and of runs before a restart."""
        queue = self._queue
        boot_times.place(self.log.state, queue.boot, self._board, queue.clock)
        self.timeless = False
        if self.log.pending:
            self._flush()
        else:
            self._save()
        self._queue.wake()

    def _lowest(self) -> int:
        """The first serial number that some server has not got."""
        lowest = self._queue.newest + 1
        for cursor in self._cursors:
            lowest = min(lowest, cursor.position)
        return lowest

    def _written(self) -> None:
        self._written_ms = clock.uptime_ms()
        if self._broken:
            self._broken = False
            self._queue.wake()
            self._logger.info("the flash works again")

    def complain_of_reading(self, error: OSError) -> None:
        """Count and log that the flash could not be read; readers are woken to try again."""
        self.errors += 1
        if not self._unreadable_ms:
            self._logger.error("the flash cannot be read (%s)", error)
        self._unreadable_ms = clock.uptime_ms() or 1

    def complain(self, error: Exception) -> None:
        """Count and log that the flash failed; it is left alone for a while."""
        self.errors += 1
        no_memory = isinstance(error, MemoryError)
        self._retry_ms = clock.uptime_ms() + (_NO_MEMORY_MS if no_memory else _RETRY_MS)
        if not self._broken:
            self._broken = True
            self._logger.error("the flash fails (%s)", error)
