"""A folder of files, as lib/ringlog needs it of a medium: littlefs, FAT, or a computer's disk.

    place_of(config, board)                        # "/spool"

    folder = Files("/log")
    folder.append("00000000.log", data)        # it is on the medium when this returns
    folder.read("00000000.log", 0, buffer)     # -> number of bytes
    folder.names(), folder.size("00000000.log")
    folder.remove("00000000.log")

At most one file is open, the one that was read last. They raise OSError.
"""

import os

from .. import registry


def place_of(config, board) -> str:
    """The folder of the readings that wait."""
    directory = config.queue["directory"]
    return directory or registry.log_folder(config, board).rstrip("/") + "/spool"


class Files:
    """The files of one folder; it is made when it is looked into."""

    def __init__(self, directory: str) -> None:
        self._directory = directory.rstrip("/")
        self._file = None
        self._name = ""  # of the file that is open
        self._at = 0  # where the next read goes on

    def names(self) -> list:
        """The names of all files."""
        try:
            return os.listdir(self._directory or "/")
        except OSError:
            os.mkdir(self._directory)
        return []

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return os.stat(self._path(name))[6]

    def append(self, name: str, data) -> None:
        """Write behind the end of a file; make it where there is none."""
        self._close(name)  # an open file does not see on littlefs that it has grown
        with open(self._path(name), "ab") as file:
            file.write(data)
            file.flush()
            if hasattr(os, "fsync"):  # a computer's flush() leaves the data with the system
                os.fsync(file.fileno())

    def read(self, name: str, offset: int, buffer) -> int:
        """Fill the buffer from there on; the number of bytes that there were."""
        try:
            if not self._file or self._name != name:
                self._close(self._name)
                self._file = open(self._path(name), "rb")  # noqa: SIM115 - stays open
                self._name = name
                self._at = 0
            if self._at != offset:
                self._file.seek(offset)
            size = self._file.readinto(buffer)
            self._at = offset + size
            return size
        except OSError:
            self._close(self._name)
            raise

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._close(name)
        os.remove(self._path(name))

    def close(self) -> None:
        """Leave no file open."""
        self._close(self._name)

    def _path(self, name: str) -> str:
        return self._directory + "/" + name

    def _close(self, name: str) -> None:
        if self._file and self._name == name:
            file = self._file
            self._file = None
            self._name = ""
            file.close()
