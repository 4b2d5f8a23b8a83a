"""Let all that writes to the flash write for some days, and count the erases of each block.

    wear_run.py INPUT

tools/rig/wear.py writes INPUT and reads the last line. The first line of INPUT has the settings,
the others one reading each, in JSON: [number of the source, values ...]. The disk is littlefs on
blocks of 4096 bytes, mounted as MicroPython does. Queue and spool are the firmware's, with two
sinks, of which one is down in an outage. The clock is our own: it moves on as soon as all that is
due has been done.
"""

import asyncio
import json
import sys

import vfs

from joulelog import clock
from joulelog.backlog import opening, wear
from joulelog.backlog.files import Files
from joulelog.device import logfile, state
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source

_INTERVAL_S = 10  # of the meters
_SLOTS = 64
_BLOCK = 4096
_DAY_S = 86400
_LINE = b"2026-11-20 12:00:00Z INFO influxdb: 1440 readings sent, 0 wait; last answer 204 .....\n"


class Flash:
    """Blocks in RAM that count their erases."""

    def __init__(self, blocks: int) -> None:
        self.erases = [0] * blocks
        self.programmed = 0
        self._blocks: list = [None] * blocks
        self._blank = b"\xff" * _BLOCK

    def readblocks(self, block, buf, offset=0):
        data = self._blocks[block] or self._blank
        buf[:] = memoryview(data)[offset : offset + len(buf)]
        return 0

    def writeblocks(self, block, buf, offset=0):
        self.programmed += len(buf)
        self._blocks[block][offset : offset + len(buf)] = buf
        return 0

    def ioctl(self, command, block):
        if command == 4:
            return len(self.erases)
        if command == 5:
            return _BLOCK
        if command == 6:
            self.erases[block] += 1
            if self._blocks[block] is None:
                self._blocks[block] = bytearray(self._blank)
            else:
                self._blocks[block][:] = self._blank
        return 0


class Time:
    """As much of the firmware's clock as a queue asks for: the time is known."""

    source = "meter"

    def resolve(self, stamp: int) -> int:
        return stamp


class Board:
    """The writers of a firmware that runs."""

    def __init__(self, settings: dict, readings: list, flash: Flash) -> None:
        self.settings = settings
        self.flash = flash
        self.seconds = 0
        self.counts: dict = {}
        self._readings = readings
        self._number = 0  # of the next reading
        self._sources = [
            Source(name, tuple([tuple(channel) for channel in channels]))
            for name, channels in settings["schemas"]
        ]
        self._later = asyncio.Event()
        self._steps = 0
        clock.uptime_ms = logfile.uptime_ms = self.uptime_ms
        clock.sleep_ms = self.sleep_ms

    def now(self) -> int:
        return 900000000 + self.seconds

    def uptime_ms(self) -> int:
        return self.seconds * 1000

    async def sleep_ms(self, ms: int) -> None:
        self._steps += 1
        if ms <= 0:
            await asyncio.sleep(0)
        deadline = self.uptime_ms() + ms
        while self.uptime_ms() < deadline:
            await self._later.wait()

    def boot(self) -> None:
        """Mount, and open everything."""
        settings = self.settings
        vfs.mount(vfs.VfsLfs2(self.flash), "/f")
        self.logfile = logfile.LogFile("/f", settings["log_kb"] * 1024, 1024, self, print)
        self.logfile.open()
        self.store = state.Store("/f")
        self.store.open()
        self.store.begin("power on")
        self.queue = Queue(_SLOTS, Time(), self.seconds + 1)
        self.cursors = [self.queue.cursor(name) for name in ("mqtt", "influxdb")]
        for cursor in self.cursors:
            cursor.durable = True
        sizes = settings["spill_kb"] * 1024, settings["page_bytes"], settings["sync_s"]
        blocks = opening._file_system("/f")[2]
        self.spool = opening.open_spool(self.queue, Files("/f/queue"), *sizes, False, blocks)
        self._task = asyncio.create_task(self.spool.run())

    async def run(self, days: int, outage: bool) -> None:
        """So many days; in an outage one of the two sinks gets nothing."""
        self.counts = dict.fromkeys(("history", "most_kb", "lost"), 0)
        for name in ("log", "store", "writes", "bytes", "readings"):
            self.counts[name] = 0
        self._forget_writers()
        always = self.settings["sync_s"]
        step_s = _INTERVAL_S if outage else 60
        for _ in range(days):
            for _ in range(_DAY_S // step_s):
                self._measure()
                for cursor in self.cursors[: 1 if outage else 2]:
                    await self._send(cursor)
                await self._pass_time(step_s)
                if self.seconds % 60 == 0:
                    self._minute(self.seconds // 60, outage)
            if outage and not always:
                await self._cut_power()  # the power is no better than the network
        self.counts["years"] = wear.years_of(self.spool)
        if outage:  # the server is back
            await self._send(self.cursors[1])
            await self._pass_time(60)
        self._note_writers()

    async def _pass_time(self, seconds: int) -> None:
        self.seconds += seconds
        self._later.set()
        self._later.clear()
        steps = -1
        while steps != self._steps:
            steps = self._steps
            for _ in range(3):
                await asyncio.sleep(0)

    async def _cut_power(self) -> None:
        self._note_writers()
        self._task.cancel()
        await asyncio.sleep(0)
        vfs.umount("/f")
        self.boot()

    def _measure(self) -> None:
        for number in range(self._number, self._number + 2):
            values = self._readings[number % len(self._readings)]
            self.queue.put((self.now(), self._sources[values[0]], values[1:]))
        self._number += 2

    async def _send(self, cursor) -> None:
        item = await cursor.next()
        while item:
            cursor.confirm(item[0])
            item = await cursor.next()

    def _forget_writers(self) -> None:
        self.logfile.writes = self.store.writes = 0
        self.spool.log.writes = self.spool.written_bytes = self.spool.stored = 0

    def _note_writers(self) -> None:
        counts = self.counts
        counts["log"] += self.logfile.writes
        counts["store"] += self.store.writes
        counts["writes"] += self.spool.log.writes
        counts["bytes"] += self.spool.written_bytes
        counts["readings"] += self.spool.stored
        counts["lost"] += sum([cursor.dropped for cursor in self.cursors])
        self._forget_writers()

    def _minute(self, minute: int, outage: bool) -> None:
        settings = self.settings
        if minute % settings["outage_line_min" if outage else "line_min"] == 0:
            self.logfile.add(_LINE)
        self.logfile.tick()
        if minute % settings["value_min"] == 0:
            self.store.set("pulses", minute)
        self.store.save()
        if minute % settings["history_min"] == 0:
            self._history(self.seconds // _DAY_S)
        self.counts["most_kb"] = max(self.counts["most_kb"], self.spool.used // 1024)

    def _history(self, day: int) -> None:
        mode = "wb" if self.seconds % _DAY_S == 0 else "ab"
        with open("/f/quarters%d" % (day % self.settings["history_days"]), mode) as file:
            file.write(bytes(32))
        self.counts["history"] += 1


def fill(flash: Flash, kilobytes: int) -> None:
    """Write what lies on the flash and stays."""
    vfs.mount(vfs.VfsLfs2(flash), "/f")
    for number in range(kilobytes // 32):
        with open("/f/static%d" % number, "wb") as file:
            file.write(bytes(32 * 1000))  # 8 blocks, with what littlefs adds
    vfs.umount("/f")


async def main() -> None:
    with open(sys.argv[1]) as file:
        settings = json.loads(file.readline())
        readings = [tuple(json.loads(line)) for line in file]
    flash = Flash(settings["flash_kb"] // 4)
    vfs.VfsLfs2.mkfs(flash)
    board = Board(settings, readings, flash)
    fill(flash, settings["static_kb"])
    board.boot()
    found: list = []
    for days, outage in settings["phases"]:
        before = list(flash.erases)
        await board.run(days, outage)
        erases = [after - early for after, early in zip(flash.erases, before)]
        found.append((erases, board.counts))
    print("WEAR", json.dumps([[one[0] for one in found], [one[1] for one in found]]))


asyncio.run(main())
