"""A cursor in two lanes: what has just come overtakes what waits.

    cursor = queue.use(LiveFirst(queue, "influx", sources, channels, 0))

While more than a few readings wait, a second cursor begins behind them and is read first; when
the backlog is done the two are one again. Each lane is in order. To whoever reads from it, this
is a cursor like any other. What a restart finds is the place of the slower lane: readings that
have overtaken it are sent once more, with the same time and id. Not for a sink with `every`: the
newest reading is seldom one that it wants.

Why not the newest from the table, and the backlog from the log: what the log must not send again
is then scattered over it, for the table passes readings over, and each of them has to be kept
until the log comes to it. Two lanes meet in one number, `end`: the slow one never reads behind it,
the fast one never before it, so what was confirmed in either does not come again in this run.
"""

from micropython import const

from .queue import Cursor

_BACKLOG = const(2)  # readings beside the newest ones: less is a moment's delay


class LiveFirst(Cursor):
    """See the module's text; the arguments are a cursor's."""

    def __init__(self, queue, name: str, sources, channels, every: int) -> None:
        Cursor.__init__(self, queue, name, sources, channels, every)
        self._live: Cursor | None = None  # the fast lane, while there is a backlog

    @property
    def waiting(self) -> int:
        """Readings that are not confirmed yet, in both lanes."""
        if not self._live:
            return self._between(self.position, self._queue.newest + 1)
        return max(0, self._between(self.position, self.end)) + self._live.waiting

    @property
    def in_flight(self) -> int:
        """Readings that were taken and are not confirmed yet, in both lanes."""
        return len(self._flight) + (self._live.in_flight if self._live else 0)

    async def next(self, timeless: bool = False) -> tuple | None:
        self._split_or_join()
        if self._live:
            found = await self._live.next(timeless)
            self._take_count()
            if found is not None:
                self.live = True
                return found
        self.live = False
        return await Cursor.next(self, timeless)

    def unread(self) -> None:
        if self._live and self.live:
            self._live.unread()
        else:
            Cursor.unread(self)

    def skip(self) -> None:
        if self._live and self.live:
            self._live.skip()
        else:
            Cursor.skip(self)

    def confirm(self, serial: int) -> None:
        if self._live and serial >= self.end:
            self._live.confirm(serial)
            self._take_count()
        else:
            Cursor.confirm(self, serial)

    def confirm_all(self) -> None:
        if self._live:
            self._live.confirm_all()
            self._take_count()
        Cursor.confirm_all(self)

    def rewind(self) -> None:
        live = self._live
        if live:
            live.rewind()
            if live.position == self.end:  # an outage: what comes in it is no live reading either
                self._one_lane()
        Cursor.rewind(self)

    def lose(self, serial: int, reading: tuple, time: int | None) -> None:
        if self._live and serial >= self.end:
            self._live.lose(serial, reading, time)
            self._take_count()
        else:
            Cursor.lose(self, serial, reading, time)

    def _take_count(self) -> None:
        live = self._live
        self.sent += live.sent  # type: ignore[union-attr]
        self.dropped += live.dropped  # type: ignore[union-attr]
        self.refused += live.refused  # type: ignore[union-attr]
        live.sent = live.dropped = live.refused = 0  # type: ignore[union-attr]

    def _one_lane(self) -> None:
        self._take_count()
        self._live = None
        self.end = -1

    def _split_or_join(self) -> None:
        queue = self._queue
        live = self._live
        if live is None:
            # The newest reading of each source is live as well; none of an earlier run.
            end = queue.newest + 1 - queue.latest.sources
            if end - self.ahead > _BACKLOG:
                live = Cursor(queue, self.name, self._sources, self._channels, self._every)
                live.durable = self.durable
                live.stored = self.stored and self.stored.lane()
                live.start(end)
                self._live = live
                self.end = end
            return
        if self._flight or self.ahead < self.end:
            return
        self._one_lane()
        self._flight = live._flight
        self.ahead = live.ahead
        self._period = live._period
        self._period_ahead = live._period_ahead
        self._refused_to = max(self._refused_to, live._refused_to)
