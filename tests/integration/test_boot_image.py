"""`make boot-image`: the story of a boot, on the VM in place of an emulated chip; what is missing.

No emulator of a whole chip can be had from a registry. tests/fakes/computer/chip_emulator.py is
called as one would be, and has the real firmware, REPL and mosquitto behind it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import esp_images, tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.images import boot_image, espimage
from tools.rig import vm

# With the python of these tests, and not with the first on PATH.
EMULATOR = """\
#!/bin/sh
exec env PYTHONPATH=%s %s -m tests.fakes.computer.chip_emulator "$@"
"""
TABLE = [(0, 0x10, 0x10000, 0x1C0000, "ota_0"), (1, 0x81, 0x390000, 0x70000, "vfs")]


def image(folder: Path, board: str = "ESP32_GENERIC_C3", chip: str = "esp32c3") -> Path:
    """An image that says what it is for."""
    text = espimage.line(board, "0.1.0", "2026-01-01T00:00:00Z", "own").encode()
    loader = esp_images.program(chip, [(0x3FC80000, b"boot" * 50), (0x40380000, b"code" * 400)])
    app = esp_images.application(chip, text, 100_000)
    path = folder / "image.bin"
    path.write_bytes(esp_images.esp32(0, loader, esp_images.table(TABLE), app))
    return path


def boot(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "tools.images.boot_image", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=HANG_S,
    )


@pytest.fixture
def emulator(tmp_path) -> Path:
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    tiers.require("mpremote", "vm", "pip install mpremote")
    if deps.path() is None:
        tiers.missing("the MicroPython packages", "deps", "make deps")
    try:
        vm.ensure()
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))
    program = tmp_path / "qemu"
    program.write_text(EMULATOR % (ROOT, sys.executable))
    program.chmod(0o755)
    return program


def test_it_boots_says_that_it_is_not_configured_and_delivers(tmp_path, emulator):
    arguments = ("--qemu", emulator, "--minutes", "0.3", "--host", "127.0.0.1")
    done = boot("--image", image(tmp_path), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This ESP32_GENERIC_C3 is not configured yet" in done.stdout
    assert "INFO start: sink mqtt" in done.stdout
    assert "energy_import_t1 42856.892\n" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert "messages; heap free: " in last and "too short to say" in last


def test_an_image_that_does_not_start(tmp_path, emulator):
    done = boot("--image", image(tmp_path), "--qemu", emulator, FAULT="silent")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "boot-image: a fresh image does not say that it is not configured" in done.stderr


def left_out(*arguments: str | Path) -> str:
    done = boot(*arguments)
    assert done.returncode == 3, done.stdout + done.stderr
    return done.stderr


def test_what_is_missing_is_named(tmp_path):
    there = image(tmp_path)
    assert "is no file; make firmware makes one" in left_out("--image", tmp_path / "none.bin")
    assert "QEMU= is no program: give one that has the machine esp32c3-picsimlab" in left_out(
        "--image", there
    )
    program = tmp_path / "qemu"
    program.write_text('#!/bin/sh\necho "Supported machines are:\nvirt    RISC-V"\n')
    program.chmod(0o755)
    told = left_out("--image", there, "--qemu", program)
    assert "has no machine esp32c3-picsimlab (github.com/lcgamboa/qemu has); it has: virt" in told

    program.write_text('#!/bin/sh\n[ "$1" = -machine ] && echo "Supported\nesp32c3-picsimlab x"\n')
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    assert "the emulator does not start" in left_out("--image", there, "--qemu", program)

    there = image(tmp_path, "ESP32_GENERIC_S3", "esp32s3")
    assert "no emulator of a whole esp32s3 with Wi-Fi is known" in left_out("--image", there)
    there.write_bytes(b"\xe9" * 100)
    assert "does not say for which board it is" in left_out("--image", there)
    there.write_bytes(espimage.line("ESP32_GENERIC_C3", "1", "2", "own").encode())
    assert "is no firmware image" in left_out("--image", there)


def test_a_heap_that_shrinks_is_told_from_one_that_fills():
    """What is free when its queue fills falls, and then stays; with a leak it falls for ever."""
    hour = range(0, 3601, 300)
    filling = [(at, 100_000 - min(at * 30, 17_000) + at % 700) for at in hour]
    assert abs(boot_image.lost_per_hour(filling) or 9999) < 500
    leaking = [(at, 100_000 - at - at % 700) for at in hour]
    lost = boot_image.lost_per_hour(leaking)
    assert lost and lost == pytest.approx(3600, rel=0.2)
    assert boot_image.lost_per_hour(filling[:4]) is None
