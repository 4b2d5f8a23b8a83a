"""The loader in the ROM of an ESP32 or ESP8266, and the stub that esptool puts into its place.

    loader = RomLoader("esp32c3", nor_flash.Flash(4096), send=answers.append)
    loader.receive(bytes)                             # what the host sends, in any pieces

It knows what a real esptool asks for: registers, RAM, the flash plain and deflated, MD5, the
security information; and from the stub erasing and reading as well. The stub's code is not run:
once it has been uploaded, and started where it lies, the loader says OHAI and answers as it does.

Specification: Espressif's page "Serial Protocol", https://docs.espressif.com/projects/esptool.
"""

import functools
import hashlib
import operator
import struct
import zlib
from collections.abc import Callable

from tools.sim.chips import CHIPS, Registers
from tools.sim.nor_flash import SECTOR, Flash, OutOfRange

_BLOCK_SECTORS = 16  # that an ESP8266's ROM erases at once
_MOST_BYTES = 65536  # of a packet; no loader takes more

_SYNC = b"\x07\x07\x12\x20" + b"\x55" * 32
_STUB_COMMANDS = frozenset({*range(0x02, 0x0C), *range(0x0D, 0x15), 0xD0, 0xD1, 0xD2, 0xD3}) - {
    0x0E  # reading slowly is the ROM's
}
# What goes wrong, in the second byte of the status.
_UNKNOWN, _FAILED, _BAD_SUM, _WRITE_FAILED, _BAD_DEFLATE = 0x05, 0x06, 0x07, 0x08, 0x0B


class Refused(Exception):
    """A command that fails; the number is the status that tells why."""


class _Writing:
    """One write of the flash, block by block."""

    def __init__(self, at: int, blocks: int, block_size: int, deflated: bool) -> None:
        self.at = at
        self.blocks = blocks
        self.block_size = block_size
        self.next = 0
        self.inflate = zlib.decompressobj() if deflated else None

    def plain(self, data: bytes, number: int) -> bytes:
        """What a block brings for the flash."""
        if number != self.next or number >= self.blocks or len(data) > self.block_size:
            raise Refused(_FAILED)
        self.next += 1
        if self.inflate is None:
            return data
        try:
            return self.inflate.decompress(data)
        except zlib.error:
            raise Refused(_BAD_DEFLATE) from None


class RomLoader:
    """The loader of a chip that has been reset into download mode."""

    def __init__(self, chip: str, flash: Flash, send: Callable[[bytes], object]) -> None:
        self.chip = CHIPS[chip]
        self.flash = flash
        self.is_stub = False
        self.baud = 115200
        self.refused = 0  # commands
        self.wrote = False  # anything into the flash
        self.left = False  # told to start the program in the flash
        self._send = send
        self._registers = Registers(self.chip, flash.kib)
        self._attached = False
        self._ram: list[tuple[int, int]] = []  # what has been uploaded: from, to
        self._upload = [0, 0, 0]  # from, next block, blocks
        self._writing: _Writing | None = None
        self._reading: tuple[bytes, int] | None = None  # all of it, and how much has been sent
        self._held = b""
        self._commands = {
            0x02: self._flash_begin,
            0x03: self._flash_data,
            0x04: self._flash_end,
            0x05: self._memory_begin,
            0x06: self._memory_end,
            0x07: self._memory_data,
            0x08: self._sync,
            0x09: self._write_register,
            0x0A: self._read_register,
            0x0B: lambda *_: b"",  # the size of the flash: ours is known
            0x0D: self._attach,
            0x0E: self._read_slowly,
            0x0F: self._change_baud,
            0x10: self._flash_begin,
            0x11: self._flash_data,
            0x12: self._flash_end,
            0x13: self._md5,
            0x14: lambda *_: self.chip.security,
            0xD0: self._erase_all,
            0xD1: self._erase_region,
            0xD2: self._read_flash,
            0xD3: self._leave,
        }

    def receive(self, data: bytes) -> None:
        """Take bytes of the host; whole packets are answered."""
        *packets, self._held = (self._held + data).split(b"\xc0")
        if len(self._held) > _MOST_BYTES:
            self._held = b""
        for packet in packets:
            packet = packet.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
            if self._reading and len(packet) == 4:
                self._acknowledged(int.from_bytes(packet, "little"))
            elif len(packet) >= 8 and packet[0] == 0:
                self._answer(packet)

    def stop(self) -> None:
        """Nothing runs here between two bytes."""

    # Packets

    def _answer(self, packet: bytes) -> None:
        command, size, total = struct.unpack_from("<BHI", packet, 1)
        body = packet[8:]
        allowed = _STUB_COMMANDS if self.is_stub else self.chip.commands
        if command not in allowed or (command == 0x14 and not self.chip.security):
            self.refused += 1
            self._reply(command if self.is_stub else 0, 0, b"", _UNKNOWN)
            return
        self._value = 0
        self._afterwards: Callable[[], None] | None = None
        try:
            if size != len(body):
                raise Refused(_UNKNOWN)
            if command in (0x03, 0x07, 0x11) and total != _sum(body[16:]):
                raise Refused(_BAD_SUM)
            told = self._commands[command](body, command)
        except (Refused, OutOfRange, struct.error) as problem:
            self.refused += 1
            self._reply(command, 0, b"", _reason(problem))
            return
        if told is None:
            return
        for _ in range(8 if command == 0x08 else 1):
            self._reply(command, self._value, told, 0)
        if self._afterwards:
            self._afterwards()

    def _reply(self, command: int, value: int, body: bytes, reason: int) -> None:
        status = bytes([bool(reason), reason])
        body += status.ljust(2 if self.is_stub else self.chip.status_bytes, b"\0")
        self._send(slip(struct.pack("<BBHI", 1, command, len(body), value) + body))

    # Commands: each takes a body, and returns what its answer has; None: there is no answer

    def _sync(self, body: bytes, _: int) -> bytes:
        if body != _SYNC:
            raise Refused(_UNKNOWN)
        self._value = 0 if self.is_stub else 0x20120707
        return b""

    def _read_register(self, body: bytes, _: int) -> bytes:
        self._value = self._registers[struct.unpack("<I", body)[0]]
        return b""

    def _write_register(self, body: bytes, _: int) -> bytes:
        for address, value, mask, _delay in struct.iter_unpack("<IIII", body):
            self._registers.write(address, value, mask)
        return b""

    def _attach(self, _body: bytes, _: int) -> bytes:
        self._attached = True
        return b""

    def _change_baud(self, body: bytes, _: int) -> bytes:
        baud, before = struct.unpack("<II", body)
        if self.is_stub and before != self.baud:
            raise Refused(_FAILED)
        self._afterwards = lambda: setattr(self, "baud", baud)
        return b""

    def _memory_begin(self, body: bytes, _: int) -> bytes:
        size, blocks, block_size, at = struct.unpack("<IIII", body)
        if -(-size // block_size) != blocks:
            raise Refused(_FAILED)
        self._upload = [at, 0, blocks]
        self._ram = [part for part in self._ram if part[0] != at]
        return b""

    def _memory_data(self, body: bytes, _: int) -> bytes:
        size, number = struct.unpack_from("<II", body)
        at, expected, blocks = self._upload
        if number != expected or number >= blocks or size != len(body) - 16:
            raise Refused(_FAILED)
        self._ram.append((at, at + size))
        self._upload = [at + size, number + 1, blocks]
        return b""

    def _memory_end(self, body: bytes, _: int) -> bytes:
        stay, entry = struct.unpack("<II", body)
        # Code that is not there says nothing: the host finds that out.
        if not stay and any(start <= entry < end for start, end in self._ram):
            self._afterwards = self._start_stub
        return b""

    def _start_stub(self) -> None:
        self.is_stub = True
        self._attached = True
        self._send(slip(b"OHAI"))

    def _flash_begin(self, body: bytes, command: int) -> bytes:
        size, blocks, block_size, at = struct.unpack_from("<IIII", body)
        if self.chip.name == "ESP8266":
            self._attached = True
        if not self._attached:
            raise Refused(_FAILED)
        if blocks:
            self.flash.erase(at, self._erased(at, size))
        self._writing = _Writing(at, blocks, block_size, command == 0x10)
        return b""

    def _erased(self, at: int, size: int) -> int:
        """How many bytes are erased where so many are asked for.

        An ESP8266's ROM counts the sectors up to the end of the first 64 KiB twice; esptool asks
        for as much less.
        """
        if self.is_stub or self.chip.name != "ESP8266":
            return size
        sectors = -(-size // SECTOR)
        to_the_block = _BLOCK_SECTORS - at // SECTOR % _BLOCK_SECTORS
        return (sectors + min(sectors, to_the_block)) * SECTOR

    def _flash_data(self, body: bytes, _: int) -> bytes:
        size, number = struct.unpack_from("<II", body)
        if self._writing is None or size != len(body) - 16:
            raise Refused(_FAILED)
        data = self._writing.plain(body[16:], number)
        self.flash.program(self._writing.at, data)
        self._writing.at += len(data)
        self.wrote = True
        return b""

    def _flash_end(self, body: bytes, _: int) -> bytes:
        (stay,) = struct.unpack("<I", body)
        self._writing = None
        if not stay or not self.is_stub:  # from the ROM there is no way back
            self._afterwards = lambda: setattr(self, "left", True)
        return b""

    def _leave(self, _body: bytes, _: int) -> None:
        self.left = True

    def _md5(self, body: bytes, _: int) -> bytes:
        at, size = struct.unpack_from("<II", body)
        digest = hashlib.md5(self.flash.read(at, size))
        return digest.digest() if self.is_stub else digest.hexdigest().encode()

    def _read_slowly(self, body: bytes, _: int) -> bytes:
        at, size = struct.unpack("<II", body)
        if not self._attached:
            raise Refused(_FAILED)
        return self.flash.read(at, size).ljust(64, b"\xff")

    def _erase_all(self, _body: bytes, _: int) -> bytes:
        self.flash.erase(0, self.flash.kib * 1024)
        return b""

    def _erase_region(self, body: bytes, _: int) -> bytes:
        at, size = struct.unpack("<II", body)
        if at % SECTOR or size % SECTOR:
            raise Refused(_FAILED)
        self.flash.erase(at, size)
        return b""

    def _read_flash(self, body: bytes, _: int) -> bytes:
        at, size, block_size, _in_flight = struct.unpack("<IIII", body)
        data = self.flash.read(at, size)
        self._block_size = block_size
        self._afterwards = lambda: self._send_block(data, 0)
        return b""

    def _send_block(self, data: bytes, at: int) -> None:
        block = data[at : at + self._block_size]
        self._reading = data, at + len(block)
        self._send(slip(block))

    def _acknowledged(self, count: int) -> None:
        data, sent = self._reading or (b"", 0)
        if count < len(data):
            self._send_block(data, sent)
            return
        self._reading = None
        self._send(slip(hashlib.md5(data).digest()))


def slip(packet: bytes) -> bytes:
    """A packet as it goes over the line."""
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def _reason(problem: Exception) -> int:
    if isinstance(problem, Refused):
        return problem.args[0]
    return _WRITE_FAILED if isinstance(problem, OutOfRange) else _UNKNOWN


def _sum(data: bytes) -> int:
    return functools.reduce(operator.xor, data, 0xEF)
