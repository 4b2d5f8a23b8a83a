"""Flash whose power can go at any operation, and the image at each of them (on the VM).

    disk = Disk(Image(4096), blocks=32)         # the whole run, recorded
    ... vfs.mount(vfs.VfsLfs2(disk), "/x") ...
    for image, operation in replay(disk.image, disk.operations):
        cut = Disk(image, 32)                   # as the medium was before this operation
        cut.half(operation)                     # a torn one: its first half
        ... mount it; what is written goes into `cut`, not into `image` ...
        cut.dead = True                         # file objects left behind must not write

A sweep over n operations copies nothing but the blocks that a mount of the cut writes.
"""

_EIO = -5


class Image:
    """Blocks by number; a block that is not there reads as `blank`."""

    def __init__(self, block_bytes: int, blank: int = 0xFF) -> None:
        self.block_bytes = block_bytes
        self.blank = bytes([blank]) * block_bytes
        self.blocks: dict = {}

    def block(self, number: int):
        """Bytes to read."""
        return self.blocks.get(number, self.blank)

    def copy(self) -> "Image":
        """Another image with the same content."""
        other = Image(self.block_bytes, self.blank[0])
        for number in self.blocks:
            other.blocks[number] = bytearray(self.blocks[number])
        return other

    def apply(self, operation: tuple) -> None:
        """Do (block, offset, data), or (block, 0, None): an erase."""
        block, offset, data = operation
        if data is None:
            self.blocks.pop(block, None)
            return
        for number, at, part in _parts(block, offset, data, self.block_bytes):
            if number not in self.blocks:
                self.blocks[number] = bytearray(self.blank)
            self.blocks[number][at : at + len(part)] = part


def _parts(block: int, offset: int, data, size: int) -> list:
    """(block, offset, data) that stay in their block each."""
    if offset + len(data) <= size:
        return [(block, offset, data)]
    data = bytes(data)
    return [
        (block + at // size, 0, data[at : at + size]) for at in range(0, len(data), size)
    ]  # a driver writes several whole sectors at once


class Disk:
    """A block device: what is written stays here, in front of an image or another disk."""

    def __init__(self, below, blocks: int, left: int = -1) -> None:
        self.below = below
        self.block_bytes = below.block_bytes
        self.blank = below.blank
        self.count = blocks
        self.left = left  # operations until the power goes; -1: it stays
        self.fail_at = -1  # this operation alone fails, without a trace
        self.dead = False  # what is written fails …
        self.gone = False  # … and nobody is there any more to be told so
        self.attempted: tuple = ()  # the operation that the power went at
        self.operations: list = []
        self.erases = 0
        self._own: dict = {}

    def block(self, number: int):
        """Bytes to read."""
        own = self._own.get(number)
        return self.below.block(number) if own is None else own

    def half(self, operation: tuple) -> None:
        """Do the first half of an operation, as a cut in the midst of it leaves it."""
        block, offset, data = operation
        if data is None:
            self._put(block, 0, b"\xff" * (self.block_bytes // 2))
            return
        data = bytes(data)[: len(data) // 2]
        for number, at, part in _parts(block, offset, data, self.block_bytes):
            self._put(number, at, part)

    def ruin(self, operation: tuple) -> None:
        """The sectors that an operation writes become garbage, as a card may leave them."""
        block, offset, data = operation
        for number, _, part in _parts(block, offset, data, self.block_bytes):
            self._put(number, 0, b"\xa5" * self.block_bytes)

    def readblocks(self, block, buf, offset=0):
        at = len(buf) if self.gone else 0  # a finaliser must not allocate
        while at < len(buf):
            part = min(self.block_bytes - offset, len(buf) - at)
            buf[at : at + part] = memoryview(self.block(block))[offset : offset + part]
            at += part
            block += 1
            offset = 0
        return 0

    def writeblocks(self, block, buf, offset=0):
        if self.dead:  # allocates nothing: finalisers come here too
            return 0 if self.gone else _EIO
        operation = (block, offset, bytes(buf))
        if self._fails(operation):
            return _EIO
        for number, at, part in _parts(block, offset, operation[2], self.block_bytes):
            if part != self.below.blank or number in self._own:  # mkfs writes many zeroes
                self._put(number, at, part)
                self.operations.append((number, at, part))
        return 0

    def ioctl(self, command, block):
        if command == 4:
            return self.count
        if command == 5:
            return self.block_bytes
        if command == 6:
            if self.dead:
                return 0 if self.gone else _EIO
            operation = (block, 0, None)
            if self._fails(operation):
                return _EIO
            self.erases += 1
            self.operations.append(operation)
            self._put(block, 0, b"\xff" * self.block_bytes)
        return 0

    def _put(self, number: int, at: int, part) -> None:
        own = self._own.get(number)
        if own is None:
            own = self._own[number] = bytearray(self.below.block(number))
        own[at : at + len(part)] = part

    def _fails(self, operation: tuple) -> bool:
        if len(self.operations) == self.left:
            self.dead = True
            self.attempted = operation
            return True
        if len(self.operations) == self.fail_at:
            self.fail_at = -1
            return True
        return False


def replay(image: Image, operations: list, first: int = 0):
    """Yield (image before the operation, operation) from operation `first` on.

    The image is one object that changes.
    """
    for number, operation in enumerate(operations):
        if number >= first:
            yield image, operation
        image.apply(operation)
