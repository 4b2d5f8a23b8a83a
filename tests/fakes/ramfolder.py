"""A medium in RAM, with the interface that a Log needs of one.

    folder = RamFolder()
    folder.append("00000000.log", b"data")    # durable when it returns; makes the file
    folder.names(), folder.size("00000000.log")
    folder.read("00000000.log", 0, buffer)     # -> number of bytes
    folder.remove("00000000.log")

They raise OSError, as those of a medium that can fail.
"""

from micropython import const

_ENOENT = const(2)


class RamFolder:
    """Files as bytearrays, by name."""

    def __init__(self) -> None:
        self.files: dict = {}

    def names(self) -> list:
        """The names of all files."""
        return list(self.files)

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return len(self._get(name))

    def append(self, name: str, data) -> None:
        """Write behind the end of a file; make it where there is none."""
        if name not in self.files:
            self.files[name] = bytearray()
        self.files[name].extend(data)

    def read(self, name: str, offset: int, buffer) -> int:
        """Fill the buffer from there on; the number of bytes that there were."""
        data = memoryview(self._get(name))[offset : offset + len(buffer)]
        size = len(data)
        memoryview(buffer)[:size] = data
        return size

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._get(name)
        del self.files[name]

    def _get(self, name: str) -> bytearray:
        if name not in self.files:
            raise OSError(_ENOENT, name)
        return self.files[name]
