"""MicroPython's own tools take our manifests and board folders; needs a checkout of MicroPython.

    make test TESTS=tests/integration/test_manifests.py

That of `make deps`, or with MICROPYTHON=<folder> another, with its submodule lib/micropython-lib.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiers
from tools import ROOT, boards
from tools.host import deps
from tools.images import features, firmware

CHIP_BOARDS = [name for name in boards.names() if name != "HOST"]
PACKAGES = sorted(path.parent for path in (ROOT / "lib").glob("*/__init__.py"))


@pytest.fixture(scope="module")
def micropython() -> Path:
    checkout = deps.micropython()
    if not checkout or not (checkout / "lib/micropython-lib/python-stdlib").is_dir():
        tiers.missing("MicroPython", "micropython", "make deps")
    return checkout


@pytest.fixture(scope="module")
def packages() -> Path:
    folder = deps.path()
    return folder or tiers.missing("the pinned packages", "deps", "make deps")


def port_of(name: str) -> str:
    return "esp8266" if boards.load(boards.FOLDERS / name).CHIP == "esp8266" else "esp32"


def resolve(
    micropython: Path,
    packages: Path | None,
    mode: str,
    manifest: Path,
    board: Path,
    page: str = "",
):
    environment = {**os.environ, "JOULELOG_PAGE": page}
    environment.pop("JOULELOG_DEPS", None)
    if packages:
        environment["JOULELOG_DEPS"] = str(packages)
    port = micropython / "ports" / port_of(board.name)
    return subprocess.run(
        [
            sys.executable,
            str(micropython / "tools/manifestfile.py"),
            f"--{mode}",
            f"--top={micropython}",
            f"--port={port}",
            f"--board={board}",
            str(manifest),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.mark.parametrize("name", CHIP_BOARDS)
def test_a_boards_manifest_freezes_all_that_it_runs(micropython, packages, name):
    folder = boards.FOLDERS / name
    done = resolve(micropython, packages, "freeze", folder / "manifest.py", folder)
    assert done.returncode == 0, done.stderr
    targets = re.findall(r"target_path='([^']+)'", done.stdout)
    assert len(targets) == len(set(targets)), "a module is frozen twice"
    wanted = {"main.py", "config.py", "board.py", "_boot.py", "inisetup.py", "logging.py"}
    wanted |= {"mqtt_as/__init__.py", "aiohttp/__init__.py", "asyncio/core.py", "webrepl.py"}
    left_out = features.left_out(getattr(boards.load(folder), "FEATURES", None))
    assert bool(left_out) == (port_of(name) == "esp8266")
    assert (wanted | ours()) - set(targets) == left_out
    assert f"{folder}/board.py" in done.stdout


@pytest.mark.parametrize("name", CHIP_BOARDS)
def test_setups_page_is_where_set_up_is(micropython, packages, tmp_path, name):
    (tmp_path / "setup_page.py").write_text("HTML = b''\n")
    folder = boards.FOLDERS / name
    done = resolve(micropython, packages, "freeze", folder / "manifest.py", folder, str(tmp_path))
    assert done.returncode == 0, done.stderr
    targets = re.findall(r"target_path='([^']+)'", done.stdout)
    wanted = getattr(boards.load(folder), "FEATURES", None)
    assert ("setup_page.py" in targets) == (wanted is None or "setup" in wanted)


def ours() -> set[str]:
    """All that we have to freeze, by its path in the image."""
    found = set()
    for base in (ROOT / "firmware/joulelog", *PACKAGES):
        for source in base.rglob("*.py"):
            if source.name != "manifest.py":
                found.add(str(source.relative_to(base.parent)))
    return found


@pytest.mark.parametrize(
    ("given", "wanted"), [("", None), (', features=("dsmr", "mqtt")', ("dsmr", "mqtt"))]
)
def test_in_a_manifest_of_somebodys_own(micropython, tmp_path, given, wanted):
    manifest = tmp_path / "manifest.py"
    manifest.write_text(f"include({str(ROOT / 'firmware/manifest.py')!r}{given})\n")
    done = resolve(micropython, None, "freeze", manifest, boards.FOLDERS / "ESP32_GENERIC")
    assert done.returncode == 0, done.stderr
    targets = re.findall(r"target_path='([^']+)'", done.stdout)
    assert sorted(targets) == sorted(ours() - features.left_out(wanted) | {"main.py", "config.py"})


def test_a_feature_that_there_is_not(micropython, tmp_path):
    manifest = tmp_path / "manifest.py"
    manifest.write_text(
        f"include({str(ROOT / 'firmware/manifest.py')!r}, features=('dsmr', 'p1'))\n"
    )
    done = resolve(micropython, None, "freeze", manifest, boards.FOLDERS / "ESP32_GENERIC")
    assert done.returncode == 1
    assert "there is no feature 'p1'; there are: dsmr, " in done.stderr


def test_without_the_packages_it_says_what_to_do(micropython):
    folder = boards.FOLDERS / "ESP32_GENERIC"
    done = resolve(micropython, None, "freeze", folder / "manifest.py", folder)
    assert done.returncode == 1
    assert "JOULELOG_DEPS=$(python3 -m tools.host.deps path)" in done.stderr


def modules(source: Path):
    """Yield the top of each module that a source imports."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_of_lib_installs_with_all_it_needs(micropython, tmp_path, package):
    manifest = tmp_path / "manifest.py"
    manifest.write_text(
        'metadata(version="1")\n'
        f'add_library("joulelog-lib", {str(ROOT / "lib")!r})\n'
        f"require({package.name!r})\n"
    )
    done = resolve(micropython, None, "compile", manifest, boards.FOLDERS / "ESP32_GENERIC")
    assert done.returncode == 0, done.stderr
    targets = set(re.findall(r"target_path='([^']+)'", done.stdout))
    names = {path.name for path in PACKAGES}
    imported = {package.name}
    for source in package.rglob("*.py"):
        if source.name != "manifest.py":
            assert str(source.relative_to(ROOT / "lib")) in targets
            imported |= names & set(modules(source))
    assert {target.split("/")[0] for target in targets} >= imported


@pytest.mark.parametrize("name", CHIP_BOARDS)
def test_the_port_has_what_a_board_refers_to(micropython, name):
    """Settings and linker scripts are named by their path in the port, which may change."""
    port = micropython / "ports" / port_of(name)
    referred = firmware.referred(boards.FOLDERS / name)
    assert referred
    for path in referred:
        assert (port / path).exists(), path


SETTINGS = """
set(CMAKE_BINARY_DIR ${OUTPUT})
set(MICROPY_BOARD_DIR ${BOARD})
include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)
foreach(PART ${SDKCONFIG_DEFAULTS})
    file(READ ${PART} TEXT)
    file(APPEND ${OUTPUT}/combined "${TEXT}\\n")
endforeach()
file(WRITE ${OUTPUT}/manifest ${MICROPY_FROZEN_MANIFEST})
file(WRITE ${OUTPUT}/target ${IDF_TARGET})
file(WRITE ${OUTPUT}/btree ${MICROPY_PY_BTREE})
"""
TAKEN_BACK = (
    "LWIP_PPP_SUPPORT",
    "ETH_USE_SPI_ETHERNET",
    "MBEDTLS_SSL_PROTO_DTLS",
    "MBEDTLS_PSK_MODES",
)


@pytest.mark.parametrize("name", [n for n in CHIP_BOARDS if port_of(n) == "esp32"])
def test_the_settings_of_an_esp32_as_cmake_puts_them_together(micropython, tmp_path, name):
    cmake = tiers.require("cmake", "micropython", "apt install cmake")
    (tmp_path / "settings.cmake").write_text(SETTINGS)
    folder = boards.FOLDERS / name
    subprocess.run(
        [cmake, f"-DBOARD={folder}", f"-DOUTPUT={tmp_path}", "-P", tmp_path / "settings.cmake"],
        cwd=micropython / "ports/esp32",
        check=True,
    )
    assert (tmp_path / "target").read_text() == boards.load(folder).CHIP
    assert (tmp_path / "manifest").read_text() == str(folder / "manifest.py")
    last = {}  # the IDF takes the last of several lines for a setting
    for line in (tmp_path / "combined").read_text().splitlines():
        if line.startswith("CONFIG_"):
            key, value = line.split("=", 1)
            last[key[len("CONFIG_") :]] = value.strip('"')
    assert last["COMPILER_OPTIMIZATION_SIZE"] == "y"
    assert last["COMPILER_OPTIMIZATION_PERF"] == "n"
    assert last["BOOTLOADER_APP_ROLLBACK_ENABLE"] == "y"
    assert "BT_ENABLED" not in last
    for key in TAKEN_BACK:
        assert last[key] == "n", key
    assert (tmp_path / "btree").read_text() == "OFF"
    table = Path(last["PARTITION_TABLE_CUSTOM_FILENAME"])
    assert table.resolve() == boards.partition_file(folder).resolve()


def test_what_is_left_out_is_what_the_port_would_put_in(micropython):
    """A name that the port no longer has leaves nothing out. The IDF's own are not seen here."""
    port = micropython / "ports/esp32"
    base = (port / "boards/sdkconfig.base").read_text().splitlines()
    for key in TAKEN_BACK:
        assert f"CONFIG_{key}=y" in base, key
    header = (port / "mpconfigport.h").read_text()
    ours = (boards.FOLDERS / "common/esp32.h").read_text()
    names = [name for name in re.findall(r"#define (\w+)", ours) if name != "MICROPY_ROM_CODE"]
    assert len(names) == 4
    for name in names:
        assert re.search(rf"#ifndef {name}\n#define {name} +\(1\)", header), name
    assert "if (NOT DEFINED MICROPY_PY_BTREE)" in (port / "esp32_common.cmake").read_text()


def test_the_container_has_the_idf_that_the_port_recommends(micropython):
    readme = (micropython / "ports/esp32/README.md").read_text()
    (best,) = re.findall(r"recommended\s+version\s+of\s+ESP-IDF.*?\s(v[\d.]*\d)\.\s", readme)
    assert (ROOT / ".ci/idf-version").read_text().strip() == best


def test_one_version_everywhere():
    from joulelog import VERSION

    manifest = (ROOT / "firmware/manifest.py").read_text()
    assert re.findall(r'version="([^"]+)"', manifest) == [VERSION]
    project = (ROOT / "pyproject.toml").read_text()
    assert re.findall(r'^version = "([^"]+)"', project, re.M) == [VERSION]
