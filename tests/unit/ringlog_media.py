"""Logs, sources and readings for the tests of lib/ringlog, and the media that they run on."""

import sys

from ramdisk import RamDisk
from ramfolder import RamFolder
from ringlog.ringlog import Log
from same_source import Source, make_source

from joulelog.backlog.files import Files

VM = sys.implementation.name == "micropython"
if VM:
    import vfs
else:
    import os
    import tempfile

    MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # there an fsync takes no time


def channels(count: int) -> tuple:
    """Some channels of each kind."""
    units = ("W", "kWh", "V", "", "furlong")
    kinds = ("measurement", "total_increasing", "measurement", "text", "total")
    classes = ("power", "energy", "voltage", "", "speed")
    return tuple(
        [("key_%d" % i, units[i % 5], i % 7, kinds[i % 5], classes[i % 5]) for i in range(count)]
    )


PZEM = make_source("pzem", channels(7))
P1 = make_source("p1", channels(30))


def values_of(source: Source, serial: int) -> tuple:
    """The values of a reading: numbers that move, counters, now and then None and texts."""
    found: list = []
    for index, channel in enumerate(source.channels):
        if channel[3] == "text":
            found.append("text %d" % (serial // 16))
        elif channel[3] == "total_increasing":
            found.append(1073741800 + serial * (index + 1))
        elif index % 3 == 0:
            found.append((serial * 7919 + index) % 97 - 48)
        elif index % 7 == 6 and serial % 11 == 5:
            found.append(None)
        else:
            found.append(2300 + (serial >> 3) % 5)
    return tuple(found)


def reading(serial: int) -> tuple:
    """(serial, boot, stamp, source, values): two sources in turn, each at 10 s."""
    source = PZEM if serial & 1 else P1
    stamp = 800000000 + serial // 2 * 10 + (serial & 1) * 3 + (serial % 13 == 0)
    return serial, serial // 50, stamp, source, values_of(source, serial)


def run(generator) -> int:
    """Run a generator to its end; the number of its slices."""
    slices = 0
    for _ in generator:
        slices += 1
    return slices


def opened(folder, capacity: int = 65536, segment: int = 2048, page: int = 256) -> Log:
    log = Log(folder, capacity, segment, page, make_source)
    run(log.open())
    return log


def put(log: Log, item: tuple) -> int:
    """Append a reading, and flush where that is needed; the number of segments lost."""
    lost = 0
    while not log.append(*item):
        while not log.flush():
            log.drop_oldest()
            lost += 1
    return lost


def fill(log: Log, start: int, end: int) -> list:
    """Append and flush the readings with these serial numbers."""
    items = [reading(start + index) for index in range(end - start)]
    for item in items:
        put(log, item)
    while not log.flush():
        log.drop_oldest()
    return items


def drain(reader, most: int = 1000000, steps: int = 2000000) -> list:
    """What a reader gives until it is at the end, or so many readings."""
    found: list = []
    while len(found) < most:
        steps -= 1
        if steps < 0:
            raise AssertionError("it does not end")
        more = reader.step()
        if more:
            item = (reader.serial, reader.boot, reader.stamp, reader.source, reader.values)
            found.append(item)
        elif more is False:
            break
    return found


def read_all(log: Log, serial: int = 0) -> list:
    reader = log.reader()
    reader.seek(serial)
    return drain(reader)


def difference(found: list, expected: list) -> str:
    """Where two lists of readings differ, "" where they do not."""
    for index in range(min(len(found), len(expected))):
        if found[index] != expected[index]:
            return "%d: %r, expected %r" % (index, found[index], expected[index])
    if len(found) != len(expected):
        return "%d readings, expected %d" % (len(found), len(expected))
    return ""


class Ram:
    """A medium for a test: .folder, and close()."""

    def __init__(self) -> None:
        self.folder = RamFolder()

    def close(self) -> None:
        pass


class Posix:
    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(dir=MEMORY)
        self.folder = Files(self._temporary.name + "/log")
        self.folder.names()

    def close(self) -> None:
        self.folder.close()
        self._temporary.cleanup()


class OnDisk:
    """A file system of the VM, in RAM."""

    blocks = 512

    def __init__(self) -> None:
        disk = RamDisk(self.blocks)
        self.kind.mkfs(disk)
        vfs.mount(self.kind(disk), "/ring")
        self.folder = Files("/ring/log")
        self.folder.names()

    def close(self) -> None:
        self.folder.close()
        vfs.umount("/ring")


class Littlefs(OnDisk):
    kind = vfs.VfsLfs2 if VM else None


class Fat(OnDisk):
    kind = vfs.VfsFat if VM else None
