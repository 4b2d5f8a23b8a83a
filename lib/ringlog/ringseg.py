"""The segment files of a log: which there are, how large, and what is read and written of them.

A segment is named by the lowest serial number that may be in it: "0000002a.log". Where several
have the same (nothing but states was written), the later ones are "0000002a_0001.log" and so on.
Other files of the folder are left alone.
"""

from micropython import const

from .ringwalk import PageBuffer

_SCRATCH = const(128)
_ENOENT = const(2)


class Segments:
    """All segments, oldest first, and the buffers that whoever reads them shares."""

    def __init__(self, folder, page_bytes: int) -> None:
        self.folder = folder
        self.buffer = PageBuffer(page_bytes)
        self.scratch = bytearray(_SCRATCH)  # nothing stays in it from one slice to the next
        self.names: list = []
        self.sizes: dict = {}  # name -> bytes
        self.used_bytes = 0
        self.damaged = 0  # times that something was met that is no page, or none any more
        self.removed = 0
        self._unsure = ""  # the segment to which an append has failed

    def oldest(self) -> str:
        """The name of the oldest segment, "" where there is none."""
        return self.names[0] if self.names else ""

    def size_of(self, name: str) -> int:
        """Bytes of a segment, 0 where it is gone."""
        return self.sizes.get(name, 0)

    def containing(self, serial: int) -> str:
        """The segment that this reading is in, or the oldest; "" if there is none."""
        found = self.oldest()
        for name in self.names:
            if first_of(name) <= serial:
                found = name
        return found

    def after(self, name: str) -> str:
        """The segment behind this one, "" where there is none."""
        for other in self.names:
            if other > name:
                return other
        return ""

    def new_name(self, serial: int) -> str:
        """The name of a segment that begins with this serial number."""
        name = "%08x.log" % serial
        if not self.names or self.names[-1] < name:
            return name
        newest = self.names[-1]
        number = int(newest[9:13], 16) + 1 if newest[8] == "_" else 1
        return "%s_%04x.log" % (newest[:8], number)

    def settle(self) -> bool:
        """After an append that failed: measure the segment. True where something had failed.

        OSError where the medium still fails.
        """
        name = self._unsure
        if not name:
            return False
        try:
            size = self.folder.size(name)
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            size = 0
        if size or name in self.names:
            self._set_size(name, size)
        self._unsure = ""
        return True

    def extend(self, name: str, data) -> None:
        """Write behind the end of the newest segment, or make it."""
        self._unsure = name
        self.folder.append(name, data)
        self._set_size(name, self.size_of(name) + len(data))
        self._unsure = ""

    def _set_size(self, name: str, size: int) -> None:
        before = self.size_of(name)
        if name not in self.names:
            self.names.append(name)
        self.sizes[name] = size
        self.used_bytes += size - before

    def remove(self, index: int) -> None:
        """Remove a segment; OSError where it stays."""
        name = self.names[index]
        try:
            self.folder.remove(name)
        except OSError as error:
            if error.errno != _ENOENT:
                raise
        del self.names[index]
        self.used_bytes -= self.sizes.pop(name, 0)
        self.removed += 1


def first_of(name: str) -> int:
    """The lowest serial number that may be in a segment."""
    return int(name[:8], 16)
