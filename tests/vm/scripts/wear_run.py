"""Let all that writes to the flash write for some days, and count the erases of each block.

    wear_run.py INPUT

tools/wear.py writes INPUT, reads the last line, and says what that means. The first line of INPUT
has the settings, the others one reading each, in JSON: [number of the source, values ...].
The disk is littlefs on blocks of 4096 bytes, mounted as MicroPython does. The clock is our own: a
day passes as fast as the writers can write.
"""

import json
import os
import sys

import vfs
from ringlog.ringlog import Log

from joulelog import clock, logfile, store
from joulelog.folder import Files

_BLOCK = 4096
_DAY_MIN = 1440
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


class Source:
    def __init__(self, name, channels):
        self.name = name
        self.channels = channels


class Board:
    """The writers of a firmware that runs, minute by minute."""

    def __init__(self, settings: dict, readings: list, flash: Flash) -> None:
        self.settings = settings
        self.flash = flash
        self.minute = 0
        self.serial = 0
        self.counts: dict = {}
        self._readings = readings
        self._sources = [
            Source(name, tuple([tuple(channel) for channel in channels]))
            for name, channels in settings["schemas"]
        ]

    def now(self) -> int:
        return 900000000 + self.minute * 60

    def make(self, name, channels):
        for source in self._sources:
            if source.name == name and source.channels == channels:
                return source
        raise ValueError(name)

    def boot(self) -> None:
        """Mount, and open everything."""
        settings = self.settings
        vfs.mount(vfs.VfsLfs2(self.flash), "/f")
        self.logfile = logfile.LogFile("/f", settings["log_kb"] * 1024, 1024, self, print)
        self.logfile.open()
        self.store = store.Store("/f")
        self.store.open()
        self.store.begin("power on")
        if "queue" not in os.listdir("/f"):
            os.mkdir("/f/queue")
        sizes = settings["spill_kb"] * 1024, settings["segment_bytes"], settings["page_bytes"]
        self.log = Log(Files("/f/queue"), *sizes, self.make)
        for _ in self.log.open():
            pass

    def fill(self, kilobytes: int) -> None:
        """What lies on the flash and stays."""
        for number in range(kilobytes // 32):
            with open("/f/static%d" % number, "wb") as file:
                file.write(bytes(32 * 1000))  # 8 blocks, with what littlefs adds

    def run(self, days: int, outage: bool) -> None:
        """So many days; with an outage readings go to the flash, else only what always does."""
        always = self.settings["sync_min"]
        for _ in range(days):
            for _ in range(_DAY_MIN):
                self.minute += 1
                self._minute(outage)
                if outage:
                    self._spill()
            if not outage or always:
                continue
            self._note_writers()
            vfs.umount("/f")
            self.boot()  # once a day: the power is no better than the network
        if outage and not always:  # the server is back, and has taken everything
            self._flush()
            self.log.trim(self.serial)

    def begin_counting(self) -> None:
        """Forget what was counted."""
        self.counts = {
            "history": 0,
            "state": 0,
            "pages": 0,
            "page_bytes": 0,
            "drops": 0,
            "readings": 0,
            "most_kb": 0,
        }
        self.counts["log"] = -self.logfile.writes
        self.counts["store"] = -self.store.writes

    def counted(self) -> dict:
        """Writes since begin_counting()."""
        self._note_writers()
        return self.counts

    def _note_writers(self) -> None:
        self.counts["log"] += self.logfile.writes
        self.counts["store"] += self.store.writes
        self.logfile.writes = self.store.writes = 0

    def _minute(self, outage: bool) -> None:
        settings = self.settings
        minute = self.minute
        if minute % settings["outage_line_min" if outage else "line_min"] == 0:
            self.logfile.add(_LINE)
        self.logfile.tick()
        if minute % settings["value_min"] == 0:
            self.store.set("pulses", minute)
        self.store.save()
        if minute % settings["outage_state_min" if outage else "state_min"] == 0:
            self.log.state["influxdb"] = self.serial
            self.log.state["minute"] = minute
            self.log.save_state()
            self.counts["state"] += 1
        if minute % settings["history_min"] == 0:
            self._history(minute // _DAY_MIN)

    def _history(self, day: int) -> None:
        mode = "wb" if self.minute % _DAY_MIN == 0 else "ab"
        with open("/f/quarters%d" % (day % 40), mode) as file:
            file.write(bytes(32))
        self.counts["history"] += 1

    def _spill(self) -> None:
        sync_min = self.settings["sync_min"] or self.settings["outage_sync_min"]
        for second in range(0, 60, 10):
            for _ in range(2):
                values = self._readings[self.serial % len(self._readings)]
                made = self._sources[values[0]]
                stamp = self.now() + second
                while not self.log.append(self.serial, 1, stamp, made, values[1:]):
                    self._flush()
                self.serial += 1
                self.counts["readings"] += 1
        if self.minute % sync_min == 0:
            self._flush()

    def _flush(self) -> None:
        if not self.log.pending:
            return
        before = self.log.used_bytes
        while not self.log.flush():
            self.log.drop_oldest()
            self.counts["drops"] += 1
            before = self.log.used_bytes
        self.counts["pages"] += 1
        self.counts["most_kb"] = max(self.counts["most_kb"], self.log.used_bytes // 1024)
        self.counts["page_bytes"] += self.log.used_bytes - before


def main() -> None:
    with open(sys.argv[1]) as file:
        settings = json.loads(file.readline())
        readings = [tuple(json.loads(line)) for line in file]
    flash = Flash(settings["flash_kb"] // 4)
    vfs.VfsLfs2.mkfs(flash)
    board = Board(settings, readings, flash)

    def uptime_ms():
        return board.minute * 60000

    clock.uptime_ms = logfile.uptime_ms = uptime_ms
    board.boot()
    board.fill(settings["static_kb"])
    found: list = []
    for days, outage in settings["phases"]:
        before = list(flash.erases)
        board.begin_counting()
        board.run(days, outage)
        erases = [after - early for after, early in zip(flash.erases, before)]
        found.append((erases, board.counted()))
    print("WEAR", json.dumps([[one[0] for one in found], [one[1] for one in found]]))


main()
