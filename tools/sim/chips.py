"""What a loader can see of Espressif's chips: registers, and what each one's ROM can do.

    chip = CHIPS["esp32c3"]
    chip.name, chip.commands, chip.image_at          # "ESP32-C3", {…}, 0x0
    registers = Registers(chip, flash_kb=4096)
    registers[0x40001000]                            # tells which chip it is

A register that nobody has described reads 0 until it is written. The SPI controller answers the
commands by which a loader asks the flash who it is (JEDEC: RDID, RDSR, RDSFDP).

Addresses from the chips' technical reference manuals; commands by chip from Espressif's page
"Serial Protocol".
"""

from dataclasses import dataclass, field

MAC = bytes.fromhex("18fe34121a2b")  # an access point made of it would end in 1A2B

_MAGIC = 0x40001000  # a word of the ROM that differs from chip to chip
_USER_COMMAND = 1 << 18  # starts what the USR registers describe
_RDID, _RDSR, _RDSR2, _RDSR3, _RDSFDP = 0x9F, 0x05, 0x35, 0x15, 0x5A
_MAKER = 0xEF  # of the flash: Winbond, device 40xx

# Commands of the ROMs, by what they have in common.
_BASIC = frozenset(range(0x02, 0x0B))
_ESP32 = _BASIC | {0x0B, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13}
_LATER = _ESP32 | {0x14}


@dataclass(frozen=True)
class Chip:
    """A chip as its loader shows it."""

    name: str
    magic: int
    spi: int  # the SPI controller of the flash: its first register is the command
    user: tuple[int, int]  # offsets: what a command has, and which one it is
    words: int  # offset of what it sends and receives
    image_at: int  # where in the flash the ROM looks for a program
    commands: frozenset[int]
    security: bytes = b""  # what GET_SECURITY_INFO tells
    status_bytes: int = 4  # of the ROM; of a stub always 2
    reset: str = ""  # what the ROM says when it starts
    fixed: dict[int, int] = field(default_factory=dict)


def _security(chip_id: int | None) -> bytes:
    """No security enabled: flags, a counter, seven purposes of keys; the chip and its revision."""
    told = bytes(12)
    return told if chip_id is None else told + chip_id.to_bytes(4, "little") + bytes(4)


def _mac(low: int, high: int) -> dict[int, int]:
    """The two registers that hold the address."""
    return {low: int.from_bytes(MAC[2:], "big"), high: int.from_bytes(MAC[:2], "big")}


_BOOT = "rst:0x1 (POWERON),boot:{mode}\r\n"
_DIVIDER = 40_000_000 // 115200  # of the UART, at the speed at which a ROM begins

CHIPS = {
    "esp8266": Chip(
        name="ESP8266",
        magic=0xFFF0C101,
        spi=0x60000200,
        user=(0x1C, 0x24),
        words=0x40,
        image_at=0,
        commands=_BASIC,
        status_bytes=2,
        reset="\r\n ets Jan  8 2013,rst cause:2, boot mode:{mode}\r\n\r\n",
        fixed={
            0x3FF00050: MAC[5] << 24,
            0x3FF00054: MAC[3] << 8 | MAC[4],  # and by two zero bits who made it: 18:FE:34
            0x60000014: 2 * 26_000_000 // 115200,
        },
    ),
    "esp32": Chip(
        name="ESP32",
        magic=0x00F01D83,
        spi=0x3FF42000,
        user=(0x1C, 0x24),
        words=0x80,
        image_at=0x1000,
        commands=_ESP32,
        reset="ets Jun  8 2016 00:22:57\r\n\r\n" + _BOOT,
        fixed={**_mac(0x3FF5A004, 0x3FF5A008), 0x3FF40014: _DIVIDER},
    ),
    "esp32s2": Chip(
        name="ESP32-S2",
        magic=0x000007C6,
        spi=0x3F402000,
        user=(0x18, 0x20),
        words=0x58,
        image_at=0x1000,
        commands=_LATER,
        security=_security(None),
        reset="ESP-ROM:esp32s2-rc4-20191025\r\nBuild:Oct 25 2019\r\n" + _BOOT,
        fixed={**_mac(0x3F41A044, 0x3F41A048), 0x3F400014: _DIVIDER},
    ),
    "esp32s3": Chip(
        name="ESP32-S3",
        magic=0x00000009,
        spi=0x60002000,
        user=(0x18, 0x20),
        words=0x58,
        image_at=0,
        commands=_LATER,
        security=_security(9),
        reset="ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n" + _BOOT,
        fixed={**_mac(0x60007044, 0x60007048), 0x60000014: _DIVIDER},
    ),
    "esp32c3": Chip(
        name="ESP32-C3",
        magic=0x1B31506F,
        spi=0x60002000,
        user=(0x18, 0x20),
        words=0x58,
        image_at=0,
        commands=_LATER,
        security=_security(5),
        reset="ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n" + _BOOT,
        fixed={**_mac(0x60008844, 0x60008848), 0x60000014: _DIVIDER},
    ),
}


class Registers:
    """The memory of a chip in words of 32 bits, with the SPI controller behind its registers."""

    def __init__(self, chip: Chip, flash_kb: int) -> None:
        self._chip = chip
        self._size_bits = (flash_kb * 1024).bit_length() - 1  # as a flash tells its size
        self._words = {_MAGIC: chip.magic, **chip.fixed}

    def __getitem__(self, address: int) -> int:
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int) -> None:
        """Set the bits of the mask; the SPI controller's command register starts a command."""
        value = self[address] & ~mask | value & mask
        if address == self._chip.spi and value & _USER_COMMAND:
            self._words[self._chip.spi + self._chip.words] = self._flash_says()
            value &= ~_USER_COMMAND  # done
        self._words[address] = value

    def _flash_says(self) -> int:
        command = self[self._chip.spi + self._chip.user[1]] & 0xFF
        if command == _RDID:
            return _MAKER | 0x40 << 8 | self._size_bits << 16
        return _MAKER if command == _RDSFDP else 0
