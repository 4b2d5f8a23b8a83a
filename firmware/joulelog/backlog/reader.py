"""What a cursor reads from the flash behind the ring (see spool.py); only where there is a spool.

    cursor.stored = Stored(queue, "influx#1f0c1a22", Gaps())
    if await cursor.stored.read(cursor):      # else later: the flash fails
        serial, boot, reading = cursor.stored.found     # or the cursor has gone on

The lanes of a cursor have one of these each, and share what they know to be lost.
"""

import logging

from micropython import const

from .. import clock

_MOST_FAILURES = const(10)  # of the flash: then it goes on behind the segment
_PAUSE_MS = const(10000)


class Stored:
    """See the module's text.

    key: of the cursor in the log's state (places.py); gaps: serial numbers that nobody holds any
    more; found: (serial, boot, reading), the one that was read last.
    """

    begun = 0  # where the last stretch begins that is the cursor's
    skips: tuple = ()  # (first, end) of stretches before it that are not

    def __init__(self, queue, key: str, gaps) -> None:
        self.key = key
        self.gaps = gaps
        self.found: tuple = (-1, 0, None)
        self._queue = queue
        self._reader = None  # of the log, made when it is needed first: it has a page
        self._reader_at = -1  # the serial that it gives next, if it has it
        self._failures = 0  # of the flash in a row
        self._pause_ms = 0  # uptime before which the flash is not read again

    def lane(self):
        """The same for a second lane of this cursor; the lanes do not meet."""
        return Stored(self._queue, self.key, self.gaps)

    def skipped(self, serial: int) -> int:
        """How many from there on are not the cursor's."""
        return sum([max(0, end - max(first, serial)) for first, end in self.skips])

    async def read(self, cursor) -> bool:
        """Find the reading at cursor.ahead, or move that to where there is one.

        False: later, the flash fails.
        """
        queue = self._queue
        if self._skip(cursor):
            return True
        if clock.uptime_ms() < self._pause_ms:
            return False
        reader = self._reader
        if reader is None:
            self._reader = reader = queue.spool.log.reader()
        if self._reader_at != cursor.ahead:
            reader.seek(cursor.ahead)
        self._reader_at = -1
        while True:
            try:
                found = reader.step()
            except OSError as error:
                return self._unreadable(cursor, error)
            # In this step: what the ring loses in the next one is on the flash by then.
            waits = min(queue.oldest, queue.spool.unwritten)
            if found and reader.serial < waits:
                self._pass(cursor, reader.serial)
                self._failures = 0
                if not self._skip(cursor) and cursor.ahead == reader.serial:
                    self._reader_at = reader.serial + 1
                    reading = (reader.stamp, reader.source, reader.values)
                    self.found = (reader.serial, reader.boot, reading)
            elif found is not None:
                self._pass(cursor, waits)
                return cursor.ahead >= queue.oldest or 0 <= cursor.end <= cursor.ahead
            await clock.sleep_ms(0)  # also behind a reading: decoding it was a step
            if found:
                return True

    def _skip(self, cursor) -> bool:
        """Go on behind readings that are not the cursor's; True where it was at one."""
        for first, end in self.skips:
            if first <= cursor.ahead < end:
                cursor.ahead = end
                return True
        return False

    def _pass(self, cursor, serial: int) -> int:
        """Nobody holds what is before this one; whether it was wanted, nobody knows."""
        if 0 <= cursor.end < serial:
            serial = cursor.end
        if serial <= cursor.ahead:
            return 0
        lost = self.gaps.add(cursor.ahead, serial)
        cursor.dropped += lost
        cursor.ahead = serial
        return lost

    def _unreadable(self, cursor, error: OSError) -> bool:
        """The flash fails: try again, but not for ever."""
        spool = self._queue.spool
        spool.complain_of_reading(error)
        self._failures += 1
        self._pause_ms = clock.uptime_ms() + _PAUSE_MS
        if self._failures < _MOST_FAILURES:
            return False
        self._failures = self._pause_ms = 0
        lost = self._pass(cursor, min(spool.log.end_of(cursor.ahead), self._queue.oldest))
        logging.getLogger(self.key[: self.key.rfind("#")]).error(
            "up to %d readings on the flash cannot be read (%s): they are lost", lost, error
        )
        return True
