"""An ESP8266's image is linked, and is within its budgets: `make size ONLY=chip`.

    MICROPYTHON=~/micropython ESP_SDK=~/esp8266-sdk make test TESTS=tests/integration/test_chip.py

Needs what `make firmware` needs for such a board; ESP_SDK where the compiler has no SDK.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import esp_images, tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.images import chip, espimage, features, firmware, licences, releases

BOARD = "WEMOS_D1_MINI"


@pytest.fixture(scope="module")
def arguments() -> list[str]:
    firmware.use_own_tools()
    how = "make deps, the chip's compiler, and for that of a distribution ESP_SDK=<folder>"
    micropython = firmware.deps.micropython()
    given = os.environ.get("ESP_SDK")
    sdk = Path(given).expanduser() if given else None
    problems = list(firmware.missing(BOARD, micropython, sdk))
    if problems:
        tiers.missing("; ".join(problems), "esp8266", how)
    found = ["--micropython", str(micropython), "--board", BOARD]
    return found + (["--esp-sdk", str(sdk)] if sdk else [])


def run(tool: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=HANG_S,
    )


def test_it_is_within_its_budgets(arguments):
    done = run("tools.bench.size", "--only", "chip", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    left = re.search(r"left for the SDK: (\d+) bytes$", done.stdout)
    assert left and int(left[1]) >= chip.SDK_BYTES
    assert "no budget" not in done.stdout


def test_a_smaller_image_has_less_in_it(arguments):
    """The features of the command line reach the image, and mpy-cross stays out of it."""
    wanted = ("dsmr", "console")
    done = run("tools.images.firmware", *arguments, "--features", " ".join(wanted))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    output = ROOT / "build/firmware" / BOARD / "output"
    content = (output / "frozen_content.c").read_text()
    frozen = set(re.findall(r"frozen file name: (\S+)", content))
    assert {"joulelog/readers/dsmr.py", "joulelog/sinks/console.py"} <= frozen
    assert frozen & (features.left_out(wanted) | {"mqtt_as/__init__.py", "webrepl.py"}) == set()
    told = re.search(r"flash segment: (\d+) of (\d+) bytes", done.stdout)
    assert told and int(told[1]) < int(told[2]) - 350000
    image = ROOT / "build/images" / releases.image_name(BOARD)
    told = espimage.told(image.read_bytes())
    assert told and (told.board, told.features) == (BOARD, "dsmr console")
    esp_images.check_with_esptool(image, espimage.read(image.read_bytes(), 0, "esp8266"))
    assert not (output / "mpy-cross").exists()
    assert (output.parent / "mpy-cross/mpy-cross").exists()
    if not (deps.licences() / "micropython-mqtt").is_file():
        tiers.missing("the licence of mqtt_as", "deps", "make deps")
    texts = licences.read((image.parent / releases.licences_name(BOARD)).read_text())
    for row in licences.parts("esp8266"):
        words = texts.get(row["what"], "")
        assert bool(words) == bool(row["texts"]), row["what"]
        assert not words or re.search("(?i)copyright", words), row["what"]
    assert "make dist refuses the image" not in done.stdout


def test_what_is_missing_is_named(tmp_path):
    done = run("tools.bench.size", "--only", "chip", "--board", BOARD, PATH=str(tmp_path))
    assert done.returncode == 3
    assert "chip: left out: needs what `make firmware` needs: " in done.stdout
    assert "mpy-cross is built with make and gcc: install both" in done.stdout
    assert "xtensa-lx106-elf-gcc is not on PATH" in done.stdout
    done = run("tools.bench.size", "--only", "chip", "--board", "ESP32_GENERIC")
    assert "an ESP8266: BOARD=ESP8266_GENERIC or WEMOS_D1_MINI" in done.stdout


def test_a_folder_that_is_no_sdk(tmp_path):
    compiler = tmp_path / "xtensa-lx106-elf-gcc"
    compiler.write_text("#!/bin/sh\necho /nowhere\n")  # its answer to -print-sysroot
    compiler.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = run("tools.images.firmware", "--board", BOARD, "--esp-sdk", str(tmp_path), PATH=path)
    assert f"ESP_SDK is {tmp_path}, which has no include/user_interface.h" in done.stderr
    done = run("tools.images.firmware", "--board", BOARD, PATH=path)
    assert "has no SDK of its own, so give ESP_SDK=<folder>; /nowhere/usr has no" in done.stderr


def test_a_feature_that_there_is_not():
    done = run("tools.images.firmware", "--board", BOARD, "--features", "dsmr p1")
    assert done.returncode == 3
    assert "FEATURES: there is no feature 'p1'; there are: dsmr, " in done.stderr
