"""`make flash` and its relatives, with the real mpremote and esptool, on a simulated board.

The board is the MicroPython VM behind a REPL on a pseudo terminal, with littlefs as '/'.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import esp_images, tiers
from tests.integration.flash_rig import (
    CONFIG,
    REPORT,
    flash,
    get,
    mpremote,
    on,
    put,
    refused,
    telegram,
)
from tests.waiting import HANG_S
from tools import ROOT
from tools.flash import FlashError, image, install, settings, target, tree
from tools.flash.link import Link
from tools.host import deps
from tools.rig import raw_repl

# The board itself: what mpremote can do on it


def test_mpremote_works_on_the_simulated_board(make, tmp_path):
    board = make()
    said = mpremote(board.port, "exec", "import os, sys; print(sys.platform, os.uname().release)")
    assert said == "esp32 1.25.0\n"
    data = bytes(range(256)) * 40
    (tmp_path / "every.bin").write_bytes(data)
    mpremote(board.port, "fs", "mkdir", "d", "+", "cp", str(tmp_path / "every.bin"), ":d/a.bin")
    mpremote(board.port, "fs", "cp", ":d/a.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == data
    assert __import__("hashlib").sha256(data).hexdigest() in mpremote(
        board.port, "fs", "sha256sum", "d/a.bin"
    )
    assert "10240 a.bin" in mpremote(board.port, "fs", "ls", "d")
    assert "VfsLfs2" in mpremote(board.port, "df")
    mpremote(board.port, "fs", "rm", "-r", "d")
    assert "d/" not in mpremote(board.port, "fs", "ls").split()


def test_a_soft_reset_runs_boot_and_a_hard_one_main_as_well(make):
    board = make()
    put(board, "/boot.py", b"print('BOOT')\n")
    put(board, "/main.py", b"print('MAIN')\nwhile True:\n    pass\n")
    with Link(board.port) as link:
        link.attach()
        link.restart()
        heard = link.watch(3, lambda _: None)
        assert heard.index("BOOT") < heard.index("MAIN")
        link.attach()  # a program that never ends gives way to Ctrl-C
        assert link.value("'never' in globals()") is False
        link.run("never = 1")
        link.attach()
        assert link.value("'never' in globals()") is False


def test_files_outlive_a_power_cut_of_the_board(make, tmp_path):
    board = make()
    put(board, "/a.txt", b"still here")
    board.__exit__()
    again = raw_repl.Board(tmp_path / "board0")
    with again:
        assert get(again, "/a.txt") == b"still here"
    board.__exit__ = lambda *_: None  # the fixture need not stop it twice


# Install


def test_an_empty_board_gets_all_it_needs_and_boots(make, packages, config):
    board = make()
    telegram(board)
    done = flash("install", *on(board), "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert REPORT in done.stdout
    assert "gas=124.456" in done.stdout  # a reading: 123.456 of the telegram, and its offset
    assert "very secret word" not in done.stdout + done.stderr

    wanted = {f"/lib/{path}" for path in tree.packages(target.load("ESP32_GENERIC"))}
    wanted |= {"/lib/joulelog.files", "/main.py", "/config.py", "/config.example.py"}
    with Link(board.port) as link:
        link.attach()
        files = {path for path, size in link.listing().items() if size >= 0}
    own = {"/joulelog.log", "/state.a", "/state.b"}  # what the firmware writes
    assert files - own == wanted | {"/telegram.txt"}
    modules = {
        source.relative_to(ROOT / "firmware").with_suffix(".mpy").as_posix()
        for source in (ROOT / "firmware/joulelog").rglob("*.py")
    }
    assert {f"/lib/{module}" for module in modules} <= files


def test_every_module_that_arrives_can_be_imported(make, packages, config):
    board = make(heap_kb=2048)
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    computer_only = ("http_computer",)
    with Link(board.port) as link:
        link.attach()
        for path in tree.packages(target.load("ESP32_GENERIC")):
            module = path.removesuffix(".mpy").removesuffix("/__init__").replace("/", ".")
            if module.split(".")[-1] not in computer_only:
                link.run(f"import {module}", f"import {module}")


def test_a_second_flash_copies_nothing_and_keeps_the_settings(make, packages, config):
    board = make()
    telegram(board)
    first = flash("install", *on(board), "--config", str(config))
    assert "0 up to date" in first.stdout, first.stderr
    second = flash("install", *on(board))
    assert "\n0 of " in second.stdout, second.stdout + second.stderr
    assert REPORT in second.stdout
    assert get(board, "/config.py") == CONFIG.encode()


def test_an_update_replaces_and_removes_only_what_is_ours(make, packages, config):
    board = make()
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    files = (get(board, "/lib/joulelog.files") or b"").decode()
    put(board, "/lib/joulelog/readers/old_meter.mpy", b"of an older version")
    put(board, "/lib/oldpackage/__init__.mpy", b"of an older version")
    put(board, "/lib/theirs.py", b"x = 1\n")
    put(board, "/lib/exact/__init__.py", b"raise SystemError('imported instead of ours')\n")
    put(board, "/lib/joulelog/flow/queue.mpy", b"damaged")
    gone = "/lib/joulelog/readers/old_meter.mpy\n/lib/oldpackage/__init__.mpy\n"
    put(board, "/lib/joulelog.files", (files + gone + "/config.py\n/lib/../x\n").encode())
    done = flash("install", *on(board))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n1 of " in done.stdout
    assert "3 removed" in done.stdout
    assert REPORT in done.stdout
    with Link(board.port) as link:
        link.attach()
        listing = link.listing()
    assert "/lib/theirs.py" in listing
    assert "/config.py" in listing
    assert "/lib/oldpackage" not in listing
    assert "/lib/joulelog/readers/old_meter.mpy" not in listing
    assert (get(board, "/lib/joulelog.files") or b"").decode() == files


def test_a_stopped_install_is_completed_by_the_next(make, packages, config):
    board = make()
    telegram(board)
    command = [sys.executable, "-m", "tools.flash", "install", *on(board), "--config", str(config)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(1.6)
    process.kill()
    process.wait()
    done = flash("install", *on(board), "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert REPORT in done.stdout


def test_somebody_elses_main_is_kept_under_another_name(make, packages, config):
    board = make()
    telegram(board)
    put(board, "/main.py", b"print('another project')\n")
    put(board, "/config.py", b"theirs = 1\n")
    done = flash("install", *on(board), "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert get(board, "/main.old.py") == b"print('another project')\n"
    assert get(board, "/config.old.py") == b"theirs = 1\n"


def test_the_default_config_says_what_is_next(make, packages):
    done = flash("install", *on(make()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"sim" is for a computer' in done.stdout
    assert "This ESP32_GENERIC is not configured yet" in done.stdout
    assert "make config" in done.stdout


# Refusals


def test_an_old_micropython_is_refused_with_the_image_to_use(make, packages):
    said = refused(*on(make(version="1.23.0")))
    assert "1.23.0" in said
    assert "1.24" in said
    assert "micropython.org/download/ESP32_GENERIC/" in said


def test_another_chip_is_refused_with_the_boards_that_fit(make, packages):
    said = refused(*on(make(machine="LOLIN_C3_MINI with ESP32-C3FH4")))
    assert "esp32c3" in said
    assert "ESP32_GENERIC_C3" in said


def test_an_esp8266_is_sent_to_a_frozen_or_romfs_image(make, packages):
    board = make(machine=raw_repl.ESP8266, platform="esp8266")
    said = refused(*on(board, "ESP8266_GENERIC"))
    assert "make firmware" in said
    assert "make romfs" in said


def test_frozen_code_would_shadow_files(make, packages, tmp_path):
    frozen = tmp_path / "frozen"
    (frozen / "joulelog").mkdir(parents=True)
    (frozen / "joulelog/__init__.py").write_text("VERSION = '0'\n")
    said = refused(*on(make(before=[frozen])))
    assert "imported first" in said


def test_files_in_the_root_would_shadow_ours(make, packages):
    board = make()
    put(board, "/joulelog/__init__.py", b"")
    put(board, "/logging.py", b"")
    said = refused(*on(board))
    assert "rm -r" in said
    assert ":/joulelog" in said
    assert ":/logging.py" in said


def test_too_little_space_is_refused_before_anything_is_written(make, packages):
    board = make(flash_kib=256)
    put(board, "/big.txt", b"x" * 20000)
    said = refused(*on(board))
    assert "KiB" in said
    assert "/big.txt" in said
    with Link(board.port) as link:
        link.attach()
        assert "/lib" not in link.listing()


def test_a_wrong_config_is_refused_before_the_board_is_touched(make, packages, tmp_path):
    config = tmp_path / "config.py"
    config.write_text("readers = [{'type': 'dsmr', 'uart': 7}]\nsinks = []\n")
    board = make()
    said = refused(*on(board), "--config", str(config))
    assert "allowed: 1, 2" in said


def test_a_port_that_cannot_be_used_says_why(make, packages, tmp_path):
    assert "not there" in refused("--port", "/dev/ttyNONE", "--board", "ESP32_GENERIC")
    file = tmp_path / "file"
    file.touch()
    assert "no serial port" in refused("--port", str(file), "--board", "ESP32_GENERIC")
    assert "PORT=… is missing" in refused("--board", "ESP32_GENERIC")
    assert "ESP32_GENERIC_C3" in refused("--port", "/dev/null", "--board", "ESP32_XYZ")
    board = make()
    with Link(board.port):
        assert "is in use" in refused(*on(board))


def test_a_port_without_permission_names_the_group(tmp_path):
    master, slave = os.openpty()
    name = os.ttyname(slave)
    os.chmod(name, 0)
    text = (ROOT / "tools/flash/ports.py").read_text() + f"\nprint(fault({name!r}))\n"
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    done = subprocess.run(
        [python, "-"], input=text, capture_output=True, text=True, check=False, cwd="/", **user
    )
    os.close(master)
    os.close(slave)
    assert "dialout" in done.stdout, done.stderr


def test_a_silent_port_is_no_board():
    master, slave = os.openpty()
    try:
        with Link(os.ttyname(slave)) as link, pytest.raises(FlashError, match="no MicroPython"):
            link.attach()
    finally:
        os.close(master)
        os.close(slave)


def test_a_board_that_goes_away_is_named(make):
    board = make()
    with Link(board.port) as link:
        link.attach()
        board.__exit__()
        with pytest.raises(FlashError, match="gone|stopped answering"):
            link.run("print(1)")
    board.__exit__ = lambda *_: None


# Logs and settings


def test_logs_are_fetched_with_the_lines_that_waited(make, packages, config):
    board = make()
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    done = flash("logs", "--port", board.port)
    assert done.returncode == 0, done.stderr
    assert "==> joulelog.log" in done.stdout
    assert "meter TEST" in done.stdout
    with Link(board.port) as link:  # and it runs again
        assert REPORT in link.watch(5, lambda _: None)


def test_logs_of_a_board_in_safe_mode_say_why(make, packages, config):
    board = make()
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    put(board, "/config.py", CONFIG.encode() + b"\ndevice = 7\n")
    with Link(board.port) as link:
        link.attach()
        link.restart()
        said = link.watch(HANG_S, lambda _: None)
    assert "safe mode: no meter is read" in said
    done = flash("logs", "--port", board.port)
    assert done.returncode == 0, done.stderr
    assert "ERROR safe: config: `device` is 7" in done.stdout, done.stdout


def test_settings_are_shown_with_their_origins_and_without_secrets(make, packages, config):
    lines = settings.merged(CONFIG, target.load("ESP32_GENERIC"))
    rows = {line.split()[0]: line.split(None, 2)[1:] for line in lines}
    assert rows["device"] == ["config", '"cellar"']
    assert rows["wifi.password"] == ["config", "***"]
    assert rows["log.size_kb"][0] == "board"
    assert rows["clock.ntp"][0] == "default"
    assert rows["readers[0].name"] == ["default", '"replay"']
    board = make()
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    done = flash("config", "--port", board.port, "--show")
    assert done.stdout.splitlines() == lines, done.stderr


def test_settings_are_edited_checked_and_written_back(make, packages, config):
    board = make()
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    done = flash("config", "--port", board.port, EDITOR="sed -i s/cellar/attic/", VISUAL="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "device attic" in done.stdout  # the start report
    changed = CONFIG.replace("cellar", "attic").encode()
    assert get(board, "/config.py") == changed
    wrong = flash("config", "--port", board.port, EDITOR="sed -i s/console/consul/", VISUAL="")
    assert wrong.returncode == 1
    assert 'did you mean "console"' in wrong.stdout
    assert "nothing was written" in wrong.stderr
    kept = Path(wrong.stderr.split(" is in ")[1].strip())
    assert "consul" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    kept.unlink()
    same = flash("config", "--port", board.port, EDITOR="true", VISUAL="")
    assert "as it was" in same.stdout
    assert get(board, "/config.py") == changed


# ROMFS

# Its partition; everything that an ESP32 can have is 508 kB.
_ROM_KIB = {"esp32": 640, "esp8266": 320}


@pytest.mark.parametrize(
    ("name", "machine", "platform"),
    [
        ("ESP32_GENERIC", raw_repl.ESP32, "esp32"),
        ("ESP8266_GENERIC", raw_repl.ESP8266, "esp8266"),
    ],
)
def test_romfs_is_deployed_and_booted_from(make, packages, config, name, machine, platform):
    board = make(machine=machine, platform=platform, rom_kib=_ROM_KIB[platform])
    telegram(board)
    done = flash("romfs", *on(board, name), "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"on {name}, device cellar" in done.stdout
    assert "gas=124.456" in done.stdout
    with Link(board.port) as link:
        link.attach()
        listing = link.listing()
        assert "/lib/joulelog" not in listing
        assert link.value("__import__('joulelog').__file__").startswith("/rom/")
    if name == "ESP32_GENERIC":
        assert "make romfs" in refused(*on(board))  # files behind it would have no effect


def test_romfs_takes_the_place_of_files(make, packages, config):
    board = make(rom_kib=_ROM_KIB["esp32"])
    telegram(board)
    assert flash("install", *on(board), "--config", str(config)).returncode == 0
    done = flash("romfs", *on(board))
    assert done.returncode == 0, done.stdout + done.stderr
    with Link(board.port) as link:
        link.attach()
        assert "/lib/joulelog" not in link.listing()
        assert link.read("/config.py") == CONFIG.encode()


def test_a_micropython_without_romfs_is_refused(make, packages):
    assert "FLASH_2M_ROMFS" in refused(
        *on(make(machine=raw_repl.ESP8266, platform="esp8266"), "ESP8266_GENERIC"), action="romfs"
    )
    tiny = make(rom_kib=64)
    assert "too big" in refused(*on(tiny), action="romfs")


# MicroPython's images


def fake_image(chip_id: int, offset: int, version: bytes = b"1.25.0") -> bytes:
    data = bytearray(0x10000)
    data[0] = 0xE9
    data[12:14] = chip_id.to_bytes(2, "little")
    table = 0x8000 - offset
    data[table : table + 2] = b"\xaa\x50"
    data[0x9000:0x9030] = (b"MicroPython v" + version + b" on 2025").ljust(0x30, b"\0")
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "chip_id", "offset"),
    [
        ("ESP32_GENERIC", 0, 0x1000),
        ("ESP32_GENERIC_S2", 2, 0x1000),
        ("ESP32_GENERIC_S3", 9, 0),
        ("ESP32_GENERIC_C3", 5, 0),
    ],
)
def test_an_image_is_written_where_the_chip_wants_it(tmp_path, name, chip_id, offset):
    file = tmp_path / "image.bin"
    file.write_bytes(fake_image(chip_id, offset))
    board = target.load(name)
    command = image.write_command(board, "/dev/ttyUSB0", file, erase=True)
    assert command[-4:] == ["write-flash", "--erase-all", hex(offset), str(file)]
    assert command[command.index("--chip") + 1] == board.chip
    esptool_takes(command)
    esptool_takes(image.erase_command(board.chip, "/dev/ttyUSB0"))


def esptool_takes(command: list[str]) -> None:
    """The real esptool understands it: it fails at the port only, not at its arguments."""
    tiers.require("esptool", "host", "pip install esptool")
    command = [part.replace("/dev/ttyUSB0", "/dev/ttyNONE") for part in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "/dev/ttyNONE" in said, said
    assert "Usage" not in said, said


def test_an_esp8266_image_is_written_at_0(tmp_path):
    file = tmp_path / "image.bin"
    file.write_bytes(b"\xe9" + bytes(5000))
    command = image.write_command(
        target.load("ESP8266_GENERIC"), "/dev/ttyUSB0", file, erase=False
    )
    assert command[-4:] == ["write-flash", "--flash-size=detect", "0x0", str(file)]
    esptool_takes(command)
    # One of ours has its files where the installer page expects them as well.
    for name, size in (("ESP8266_GENERIC", "2MB"), ("WEMOS_D1_MINI", "4MB")):
        file.write_bytes(esp_images.image_of(name))
        command = image.write_command(target.load(name), "/dev/ttyUSB0", file, erase=False)
        assert command[-4:] == ["write-flash", f"--flash-size={size}", "0x0", str(file)]
        esptool_takes(command)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"not an image", "no firmware image"),
        (b"", "no firmware image"),
        (fake_image(5, 0), "no partition table"),  # of a chip with another offset
        (fake_image(2, 0x1000), "is for an esp32s2"),
        (fake_image(0, 0x1000, b"1.23.0"), "needs 1.24 or newer"),
        (b"\xe9" + bytes(0x9000), "app-bin"),
    ],
)
def test_an_image_that_would_not_start_is_refused(tmp_path, data, text):
    file = tmp_path / "image.bin"
    file.write_bytes(data)
    with pytest.raises(FlashError) as problem:
        image.write_command(target.load("ESP32_GENERIC"), "/dev/ttyUSB0", file, erase=True)
    assert text in str(problem.value)
    assert "micropython.org/download/ESP32_GENERIC/" in str(problem.value)


def test_erase_asks_first(make):
    board = make()
    assert "nothing was erased" in refused("--port", board.port, action="erase")


def test_make_has_the_targets():
    for name, part in (
        ("flash", "install --port '/dev/x' --board 'B'"),
        ("romfs", "romfs --port '/dev/x' --board 'B'"),
        ("micropython", "micropython --port '/dev/x' --board 'B' --image 'i.bin'"),
        ("logs", "logs --port '/dev/x'"),
        ("config", "config --port '/dev/x' --board 'B'  \n"),
        ("erase", "erase --port '/dev/x'"),
    ):
        arguments = ["PORT=/dev/x", "BOARD=B", "IMAGE=i.bin"]
        environment = {k: v for k, v in os.environ.items() if k != "CONFIG"}
        done = subprocess.run(
            ["make", "-n", name, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        assert part in done.stdout + "\n", done.stdout


# By hand, and mip


def restarted(board, config) -> str:
    """Copy what is ours to edit, restart, and return what the board prints in 20 seconds."""
    copies = ("fs", "cp", "firmware/main.py", ":main.py", "+", "cp", str(config), ":config.py")
    mpremote(board.port, *copies)
    with Link(board.port) as link:
        link.attach()
        link.restart()
        return link.watch(20, lambda _: None)


def test_copying_by_hand_boots(make, packages, config):
    """With mpremote's cp in the place of a file manager, as docs/install.md says it."""
    board = make()
    telegram(board)
    folder = tree.folder_of(target.load("ESP32_GENERIC"))
    mpremote(
        board.port, "fs", "mkdir", "lib", "+", "cp", "-r", *map(str, folder.iterdir()), ":lib"
    )
    assert "gas=124.456" in restarted(board, config)


def test_the_application_installs_with_mip(make, packages, config, tmp_path):
    """The real package.json; what it takes from GitHub comes from the installed packages."""
    package = json.loads((ROOT / "package.json").read_text())
    folder = deps.path()
    for entry in package["urls"]:
        entry[1] = (
            str(ROOT / entry[1]) if not entry[1].startswith("https:") else str(folder / entry[0])
        )
    local = tmp_path / "package.json"
    local.write_text(json.dumps(package))
    os.symlink("/", tmp_path / "root")  # mip makes local paths relative to the file
    for entry in package["urls"]:
        entry[1] = "root" + entry[1]
    local.write_text(json.dumps(package))
    board = make(heap_kb=400, flash_kib=3072)  # sources: 1.9 MB, and folders
    telegram(board)
    mpremote(board.port, "mip", "install", str(local))
    mpremote(board.port, "fs", "cp", "boards/ESP32_GENERIC/board.py", ":lib/board.py")
    assert "gas=124.456" in restarted(board, config)


def test_the_package_list_is_complete(packages):
    package = json.loads((ROOT / "package.json").read_text())
    listed = {name: source for name, source in package["urls"]}
    wanted = {
        Path(place).as_posix()
        for place in tree.sources(target.load("ESP32_GENERIC"))
        if place != "board.py"
    }
    assert set(listed) == wanted, "run: make packages"
    pins = json.loads((ROOT / "tools/host/deps.json").read_text())
    commits = {pin["commit"] for pin in pins.values()}
    for source in listed.values():
        if source.startswith("https:"):
            assert any(commit in source for commit in commits), source
        else:
            assert (ROOT / source).is_file(), source


@pytest.mark.parametrize("name", sorted(p.parent.name for p in ROOT.glob("lib/*/package.json")))
def test_a_package_of_lib_installs_with_mip(make, name):
    board = make(heap_kb=1024)
    mpremote(board.port, "mip", "install", f"lib/{name}/package.json")
    package = json.loads((ROOT / "lib" / name / "package.json").read_text())
    if not package.get("deps"):
        mpremote(board.port, "exec", f"import {name}")


def test_what_cannot_fit_is_told_before_anything_is_written(make, packages, tmp_path):
    """The same sums as at the start, with the heap that this board has."""
    config = tmp_path / "large.py"
    config.write_text(
        'readers = [{"type": "dsmr", "uart": 2}]\n'
        'sinks = [{"type": "mqtt", "host": "a"}, {"type": "influxdb", "url": "http://a", '
        '"database": "b"}]\n'
    )
    board = make()
    done = flash("install", *on(board), "--config", str(config))
    assert done.returncode == 1
    assert "nothing was written" in done.stderr and "it does not fit" in done.stderr
    assert "kB of memory from files" in done.stderr and "(make firmware)" in done.stderr
    assert get(board, "/config.py") is None and get(board, "/main.py") is None


def test_a_phone_joins_by_a_code(capsys):
    line = "Set-up: join the Wi-Fi JouleLog-1A2B (password mb2k-2hsb-c9xm)\r\n"
    install._show_point(
        "MicroPython\r\n" + line + "  then open http://192.168.4.1/ in a browser\r\n"
    )
    said = capsys.readouterr().out
    assert "join the Wi-Fi JouleLog-1A2B, password mb2k-2hsb-c9xm" in said
    assert said.count("█") > 200
    install._show_point("another start\r\n")
    assert capsys.readouterr().out == ""
