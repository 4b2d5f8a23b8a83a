"""The simulated loader of Espressif's chips, with the real esptool, and `make micropython` on it.

esptool knows chips and their stubs: what it writes, reads back and verifies was understood. What
it never sends (damage, wrong order) is fed here.
"""

import hashlib
import os
import random
import struct
import subprocess
import sys
import zlib

import pytest

from tests import esp_images, tiers
from tests.integration.flash_rig import flash
from tests.waiting import HANG_S, until
from tools import ROOT, boards
from tools.sim.chips import CHIPS
from tools.sim.esp_board import Board, OnPty
from tools.sim.nor_flash import Flash, OutOfRange
from tools.sim.rom_loader import RomLoader, slip

STUB, NO_STUB = (), ("--no-stub",)
KIB = 4096


@pytest.fixture(autouse=True)
def tools_are_here():
    tiers.require("esptool", "host", "pip install esptool")


def esptool(port: OnPty, *arguments: str, chip: str = "auto") -> subprocess.CompletedProcess:
    line = ("--chip", chip, "--port", port.device, "--baud", "460800")
    return subprocess.run(
        [sys.executable, "-m", "esptool", *line, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_S,
    )


def filled() -> Flash:
    """A flash that has been used: every byte says where it is."""
    full = Flash(KIB)
    full.program(0, hashlib.shake_256(b"used").digest(KIB * 1024))
    return full


# The real esptool


@pytest.mark.parametrize("how", [STUB, NO_STUB], ids=["stub", "no-stub"])
@pytest.mark.parametrize("chip", CHIPS)
def test_esptool_writes(chip, how, tmp_path):
    """Behind the end of what was written, up to the end of its sector, and nowhere else."""
    data = hashlib.shake_256(b"image").digest(90_001)
    image = tmp_path / "image.bin"
    image.write_bytes(data)
    used = filled()
    before = bytes(used.data)
    with OnPty(chip, used) as port:
        done = esptool(port, *how, "write-flash", "0x11000", str(image), chip=chip)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"Connected to {CHIPS[chip].name} on" in done.stdout
        assert "MAC:                18:fe:34:12:1a:2b" in done.stdout
        assert ("Stub flasher running." in done.stdout) == (how == STUB)
        assert port.board.loader is None  # it has been started
    end = 0x11000 + len(data)
    assert used.data[0x11000:end] == data
    assert used.data[:0x11000] == before[:0x11000]
    assert used.data[-(-end // 4096) * 4096 :] == before[-(-end // 4096) * 4096 :]


@pytest.mark.parametrize("chip", ["esp8266", "esp32", "esp32c3"])
def test_esptool_asks_reads_and_erases(chip, tmp_path):
    used = filled()
    before = bytes(used.data)
    back = tmp_path / "back.bin"
    with OnPty(chip, used) as port:
        done = esptool(port, "flash-id")
        assert f"Connected to {CHIPS[chip].name} on" in done.stdout, done.stdout + done.stderr
        assert "Detected flash size: 4MB" in done.stdout
        done = esptool(port, "read-flash", "0x1234", "70000", str(back))
        assert done.returncode == 0, done.stdout + done.stderr
        assert back.read_bytes() == before[0x1234 : 0x1234 + 70000]
        done = esptool(port, "erase-region", "0x3000", "0x2000")
        assert done.returncode == 0, done.stdout + done.stderr
        assert used.data[0x3000:0x5000] == b"\xff" * 0x2000
        assert used.data[:0x3000] == before[:0x3000] and used.data[0x5000:] == before[0x5000:]
        if chip != "esp8266":  # of which the ROM can read nothing
            port.hold()  # without it the stub is still there
            done = esptool(port, "--no-stub", "read-flash", "0x20001", "1000", str(back))
            assert done.returncode == 0, done.stdout + done.stderr
            assert back.read_bytes() == before[0x20001 : 0x20001 + 1000]


def test_esptool_finds_another_chip():
    with OnPty("esp32c3", Flash(KIB)) as port:
        done = esptool(port, "flash-id", chip="esp32")
    assert done.returncode != 0
    assert "This chip is ESP32-C3, not ESP32." in done.stdout + done.stderr


# make micropython, make erase


@pytest.mark.parametrize(
    "name", ["ESP32_GENERIC", "ESP32_GENERIC_C3", "WEMOS_D1_MINI", "ESP8266_GENERIC"]
)
def test_make_micropython_writes_an_image(name, tmp_path):
    """KEEP=1 leaves the files; without it they go; then the board is erased."""
    told = boards.facts(boards.FOLDERS / name)
    data = esp_images.image_of(name)
    image = tmp_path / "image.bin"
    image.write_bytes(data)
    offset = int(told["micropython"]["offset"], 0)
    layout = told["flash"]["layouts"]["frozen"]
    files = (told["flash"]["kb"] - layout["filesystem_kb"]) * 1024  # from there on
    used = filled()
    before = bytes(used.data[files:])
    with OnPty(told["chip"], used) as port:
        on = ("--port", port.device, "--board", name)
        done = flash("micropython", *on, "--image", str(image), "--keep")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "MicroPython is on the board." in done.stdout
        written = bytearray(used.data[offset : offset + len(data)])
        if told["chip"] == "esp8266":
            assert written[3] == {4096: 0x40, 2048: 0x30}[told["flash"]["kb"]]
            written[3] = data[3]
        assert written == data
        assert used.data[files:] == before

        port.hold()
        done = flash("micropython", *on, "--image", str(image))
        assert done.returncode == 0, done.stdout + done.stderr
        assert used.data[files:] == b"\xff" * (KIB * 1024 - files)
        port.hold()
        done = flash("erase", *on, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "The flash is empty." in done.stdout
        assert used.data[:] == b"\xff" * KIB * 1024


def test_make_itself_and_another_chip(tmp_path):
    image = tmp_path / "image.bin"
    image.write_bytes(esp_images.image_of("ESP32_GENERIC_C3"))
    with OnPty("esp32s3", Flash(KIB)) as port:
        words = [f"PORT={port.device}", "BOARD=ESP32_GENERIC_C3", f"IMAGE={image}"]
        done = subprocess.run(
            ["make", "micropython", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG_S,
        )
        assert done.returncode != 0
        said = done.stdout + done.stderr
        assert "This chip is ESP32-S3, not ESP32-C3." in said
        assert "esptool did not do it (its reason is above)" in said
        assert port.board.flash.data[:] == b"\xff" * KIB * 1024


# What boots behind it


class Echo:
    """A program that says what it hears."""

    def __init__(self, send) -> None:
        self._send = send
        send(b"HELLO\r\n")

    def receive(self, data: bytes) -> None:
        self._send(data.upper())

    def stop(self) -> None:
        self._send(b"BYE")


def test_what_was_written_boots(tmp_path):
    image = tmp_path / "image.bin"
    image.write_bytes(esp_images.image_of("ESP32_GENERIC_C3"))
    with OnPty("esp32c3", Flash(KIB), Echo) as port:
        done = esptool(port, "write-flash", "0", str(image))
        assert done.returncode == 0, done.stdout + done.stderr
        until(lambda: port.board.loader is None)
        heard = b""
        line = os.open(port.device, os.O_RDWR | os.O_NOCTTY)
        os.write(line, b"are you there")
        while b"ARE YOU THERE" not in heard:
            heard += os.read(line, 100)
        os.close(line)


def test_dtr_and_rts_reset_it():
    said: list[bytes] = []
    used = Flash(KIB)
    board = Board("esp32", used, said.append, Echo)
    assert b"".join(said).endswith(b"(SPI_FAST_FLASH_BOOT)\r\n\r\ninvalid header: 0xffffffff\r\n")
    used.program(0x1000, b"\xe9")
    for dtr, rts in ((False, True), (True, False), (False, False)):  # as a loader's host does it
        board.lines(dtr, rts)
    assert board.loader is not None and b"waiting for download" in said[-1]
    board.lines(True, True)
    board.lines(False, False)
    assert board.loader is not None  # both lines together do nothing
    board.lines(False, True)
    board.receive(b"nobody hears this")
    assert board.loader is None
    board.lines(False, False)
    assert said[-1] == b"HELLO\r\n"
    board.receive(b"hi")
    assert said[-1] == b"HI"
    board.hold()
    board.lines(False, True)
    assert said[-1] == b"BYE"
    board.lines(False, False)
    assert board.loader is not None  # the button is held


# What no esptool sends


class Host:
    """A loader without a line: what is sent is answered at once."""

    def __init__(self, chip: str = "esp32c3", stub: bool = False) -> None:
        self.flash = Flash(1024)
        self.answers: list[bytes] = []
        self.loader = RomLoader(chip, self.flash, self.answers.append)
        if stub:
            self.upload(0x4038_0000)

    def packet(self, command: int, *words: int, data: bytes = b"", total: int | None = None):
        body = struct.pack(f"<{len(words)}I", *words) + data
        right = 0xEF
        for byte in data:
            right ^= byte
        total = right if total is None else total
        return slip(struct.pack("<BBHI", 0, command, len(body), total) + body)

    def ask(self, command: int, *words: int, **more) -> bytes:
        """The status of the answer, and why; b"" where there is none."""
        del self.answers[:]
        self.loader.receive(self.packet(command, *words, **more))
        status = 2 if self.loader.is_stub else self.loader.chip.status_bytes
        return self.answers[0][:-1][-status:][:2] if self.answers else b""

    def upload(self, entry: int, code: bytes = b"code" * 32) -> None:
        assert self.ask(0x05, len(code), 1, len(code), 0x4038_0000) == b"\0\0"
        assert self.ask(0x07, len(code), 0, 0, 0, data=code) == b"\0\0"
        assert self.ask(0x06, 0, entry) == b"\0\0"


def test_whole_and_byte_by_byte_and_behind_noise():
    host = Host()
    ask = host.packet(0x0A, 0x40001000)
    host.loader.receive(b"ets Jun  8 2016\r\n" + random.Random(1).randbytes(2000) + ask)
    assert host.answers.pop()
    del host.answers[:]  # what the noise may have been
    for index in range(len(ask)):
        host.loader.receive(ask[index : index + 1])
    host.loader.receive(ask[:-3])  # the next one begins before this is over
    host.loader.receive(ask + ask)
    assert host.loader.refused == 1 and host.answers.pop(1)[-3:-1] == b"\0\0"
    assert len(host.answers) == 3
    assert {struct.unpack("<I", answer[5:9])[0] for answer in host.answers} == {0x1B31506F}


def test_noise_is_bounded_and_answered_with_nothing():
    host = Host()
    noise = random.Random(2)
    for _ in range(100):
        host.loader.receive(noise.randbytes(5000))
    assert len(host.loader._held) <= 65536
    host.loader.receive(b"\xc0")
    assert host.ask(0x0A, 0x40001000) == b"\0\0"
    assert host.flash.data[:] == b"\xff" * 1024 * 1024


def test_a_stub_that_is_not_there_does_not_start():
    host = Host()
    host.upload(0x4039_0000)
    assert not host.loader.is_stub and len(host.answers) == 1
    host.upload(0x4038_0000)
    assert host.loader.is_stub and host.answers[1] == slip(b"OHAI")
    assert host.ask(0xD0) == b"\0\0"
    assert Host().ask(0xD0) == b"\x01\x05"  # a ROM cannot


def test_a_flash_that_is_not_attached_is_not_written():
    host = Host()
    assert host.ask(0x02, 4096, 1, 4096, 0) == b"\x01\x06"
    assert host.ask(0x0D, 0, 0) == b"\0\0"
    assert host.ask(0x02, 4096, 1, 4096, 0) == b"\0\0"


@pytest.mark.parametrize("stub", [False, True])
def test_blocks_that_are_damaged_or_out_of_turn(stub):
    host = Host(stub=stub)
    host.ask(0x0D, 0, 0)
    block = random.Random(3).randbytes(1024)
    assert host.ask(0x03, 1024, 0, 0, 0, data=block) == b"\x01\x06"  # none has been begun
    assert host.ask(0x02, 2048, 2, 1024, 0x2000) == b"\0\0"
    assert host.ask(0x03, 1024, 0, 0, 0, data=block, total=1) == b"\x01\x07"
    assert host.ask(0x03, 1024, 1, 0, 0, data=block) == b"\x01\x06"
    assert host.ask(0x03, 1023, 0, 0, 0, data=block) == b"\x01\x06"
    assert host.flash.data[0x2000:0x2800] == b"\xff" * 2048
    assert host.ask(0x03, 1024, 0, 0, 0, data=block) == b"\0\0"
    assert host.ask(0x03, 1024, 1, 0, 0, data=block) == b"\0\0"
    assert host.ask(0x03, 1024, 2, 0, 0, data=block) == b"\x01\x06"
    assert host.flash.data[0x2000:0x2800] == block + block
    assert host.ask(0x02, 4096, 4, 1024, 1024 * 1024) == b"\x01\x08"  # behind its end
    assert host.ask(0x10, 4096, 1, 1024, 0) == b"\0\0"
    assert host.ask(0x11, 9, 0, 0, 0, data=b"no deflate") == b"\x01\x06"
    assert host.ask(0x11, 10, 0, 0, 0, data=b"no deflate") == b"\x01\x0b"


def test_deflated_blocks():
    host = Host(stub=True)
    data = b"again and again" * 1000
    packed = zlib.compress(data)
    half = len(packed) // 2
    assert host.ask(0x10, len(data), 2, half + 1, 0x4000) == b"\0\0"
    for number, part in enumerate((packed[:half], packed[half:])):
        assert host.ask(0x11, len(part), number, 0, 0, data=part) == b"\0\0"
    assert host.flash.data[0x4000 : 0x4000 + len(data)] == data
    assert host.ask(0x12, 1) == b"\0\0" and not host.loader.left
    assert host.ask(0x12, 0) == b"\0\0" and host.loader.left


def test_what_has_not_been_erased_is_not_written():
    one = Flash(8)
    one.program(100, b"\xf0\x0f")
    one.program(100, b"\x3c\x3c")
    assert one.read(100, 2) == b"\x30\x0c"
    one.erase(101, 1)
    assert one.read(100, 2) == b"\xff\xff"
    for at, size in ((8191, 2), (9000, 1)):
        with pytest.raises(OutOfRange):
            one.read(at, size)
        with pytest.raises(OutOfRange):
            one.erase(at, size)


def test_a_flash_in_a_file_outlives_the_chip(tmp_path):
    Flash(8, tmp_path / "flash.bin").program(4096, b"still here")
    assert Flash(8, tmp_path / "flash.bin").read(4096, 10) == b"still here"
    assert Flash(16, tmp_path / "flash.bin").read(4096, 10) == b"\xff" * 10  # another one


def test_people_can_start_it(tmp_path):
    """python3 -m tools.sim.esp_board, and esptool on what it prints."""
    command = [sys.executable, "-m", "tools.sim.esp_board", "--chip", "esp8266", "--kib", "2048"]
    command += ["--flash", str(tmp_path / "flash.bin")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = process.stdout.readline().strip()
        done = subprocess.run(
            [sys.executable, "-m", "esptool", "--port", port, "flash-id"],
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG_S,
        )
        process.terminate()
    assert "Detected flash size: 2MB" in done.stdout, done.stdout + done.stderr
