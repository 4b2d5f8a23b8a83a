"""Flash in RAM for tests on the VM, which counts its operations and can lose its power.

disk = RamDisk(64)
vfs.VfsLfs2.mkfs(disk)
disk.left = 3              # the third write or erase from here on is done by half, then nothing
"""

_BLOCK = 512


class RamDisk:
    """A block device of 512-byte blocks."""

    def __init__(self, blocks: int, data=None) -> None:
        self.data = bytearray(data) if data else bytearray(b"\xff" * (blocks * _BLOCK))
        self.erases = 0
        self.left = -1  # operations until the power goes; -1: it stays

    def readblocks(self, block, buf, offset=0):
        at = block * _BLOCK + offset
        buf[:] = memoryview(self.data)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        if not self._powered():
            return -5
        if self.left == 0:
            buf = memoryview(buf)[: len(buf) // 2]
        at = block * _BLOCK + offset
        self.data[at : at + len(buf)] = buf
        return 0

    def ioctl(self, command, block):
        if command == 4:
            return len(self.data) // _BLOCK
        if command == 5:
            return _BLOCK
        if command == 6:
            if not self._powered():
                return -5
            self.erases += 1
            end = _BLOCK // 2 if self.left == 0 else _BLOCK
            at = block * _BLOCK
            self.data[at : at + end] = b"\xff" * end
        return 0

    def _powered(self) -> bool:
        if self.left == 0:
            return False
        if self.left > 0:
            self.left -= 1
        return True
