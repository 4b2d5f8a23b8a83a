"""Run the firmware as main.py does, and say what a soak wants to know.

    soak_run.py              # config.py is in the working directory; SPEED in it compresses time

Prints, beside what the firmware logs:

    READ boot-serial number      each reading, before anybody can have sent it. The number tells it
                                 from all others: a P1 reading's time (UTC since 2000), a PZEM's
                                 energy in Wh, -1 where it did not answer
    DRAINED                      many readings have waited, and now none but the newest do
    COUNT key value ...          once in a minute or two: readings that wait, those on their
                                 way, and what may never happen
    mem_info()                   with it, behind a collection; its "max free sz" is the largest
                                 free block, in blocks of 16 bytes
    STOPPED                      Ctrl-C has come, and all is saved

For tests/integration/soak_rig.py.
"""

import asyncio
import gc

import board
import micropython
from micropython import const

from joulelog import build, clock, start

_MINUTE_MS = const(60000)
_MANY = const(12)  # readings that wait: more than a batch that is due
_FEW = const(4)  # those that such a batch is waiting for
_ENERGY = const(3)  # in a PZEM's values


def tell_reading(app) -> None:
    """Print the newest reading."""
    queue = app.queue
    stamp, source, values = queue.get(queue.newest)
    number = stamp
    if values.count(None) == len(values):  # it tells that the meter is silent
        number = -1
    elif source.name != "p1":
        number = -1 if values[_ENERGY] is None else values[_ENERGY]
    print("READ %s-%x %d" % (app.boot_id, queue.newest, number))


def tell_state(app) -> None:
    """Print counters and the heap."""
    cursors = [sink.cursor for sink in app.sinks]
    print(
        "COUNT",
        *("waiting", max([cursor.waiting for cursor in cursors])),
        *("on_way", sum([cursor.in_flight for cursor in cursors])),
        *("restarts", app.supervisor.restarts),
        *("dropped", sum([cursor.dropped for cursor in cursors])),
        *("refused", sum([cursor.refused for cursor in cursors])),
        *("superseded", sum([cursor.superseded for cursor in cursors])),
        *("flash_errors", app.spool.errors if app.spool else 0),
        *("segments_lost", app.spool.segments_lost if app.spool else 0),
        *("longest_ms", app.supervisor.longest_step_ms),
    )
    gc.collect()
    micropython.mem_info()


async def watch(app) -> None:
    """Look once a second."""
    behind = False
    due = 0
    while True:
        await clock.sleep_ms(1000)
        waiting = max([sink.cursor.waiting for sink in app.sinks])
        if waiting > _MANY and not behind:
            behind = True
        elif behind and waiting <= _FEW:
            behind = False
            print("DRAINED")
        late_ms = clock.uptime_ms() - due
        on_way = sum([sink.cursor.in_flight for sink in app.sinks])
        if late_ms >= (_MINUTE_MS if on_way else 0):  # better while nothing is
            due = clock.uptime_ms() + _MINUTE_MS
            tell_state(app)


def built(*about):
    """build.build(), and an app that is watched."""
    app = original(*about)
    run = app.run
    latest = app.queue.latest

    class Teller:
        told = 0

        def wake(self) -> None:
            if latest.count > self.told:
                self.told = latest.count
                tell_reading(app)

    async def run_watched() -> None:
        watching = asyncio.create_task(watch(app))
        try:
            await run()
        finally:
            watching.cancel()

    latest.watchers.append(Teller())
    app.run = run_watched
    return app


original = build.build
build.build = built
del build
clock.set_speed(__import__("config").SPEED)
try:
    start.run(__import__("config"), board)
except KeyboardInterrupt:
    print("STOPPED")
