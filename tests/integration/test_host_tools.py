"""tools/host does what the other tests build on: shims, VM, profiles, packages, runner."""

import os
import pty
import shutil
import subprocess
import sys
import termios
import tty
from pathlib import Path

import pytest

from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import checkout, deps
from tools.rig import romfs, run_vm, vm

SCRIPTS = ROOT / "tests/vm/scripts"
SHIMS = ROOT / "tools/host/shims"


def on_vm(script: Path, *arguments: str, profile: str = "esp32", heap: str | None = None):
    try:
        return run_vm.command(script, arguments, profile, heap)
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))


def on_cpython(script: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(script), *arguments]


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("start", [on_cpython, on_vm])
def test_a_uart_is_a_serial_device(start):
    master, slave = pty.openpty()
    tty.setraw(slave)
    environment = {**os.environ, "PYTHONPATH": str(SHIMS)}
    process = subprocess.Popen(
        start(SCRIPTS / "uart_echo.py", os.ttyname(slave)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert process.stdout
    assert process.stdout.readline() == "READY 0 None None\n"
    os.close(slave)
    assert termios.tcgetattr(master)[4] == termios.B9600
    sent = bytes(range(256))
    heard = b""
    for at in range(0, 256, 50):  # control characters and line ends included
        piece = sent[at : at + 50]
        os.write(master, piece)
        while len(heard) < at + len(piece):
            try:
                heard += os.read(master, 256)
            except OSError:
                pytest.fail(f"{len(heard)} bytes, then: {process.communicate()[0]}")
    os.close(master)
    assert heard == sent
    rest, _ = process.communicate(timeout=HANG_S)
    assert rest.startswith("GONE")
    assert "has gone" in rest


@pytest.mark.parametrize("start", [on_cpython, on_vm])
def test_a_uart_that_is_not_there_says_so(start, tmp_path):
    script = tmp_path / "missing.py"
    script.write_text(
        "import machine\n"
        "for place in ('/dev/ttyNONE', '/etc/hostname'):\n"
        "    try:\n"
        "        machine.UART(place, 9600)\n"
        "    except OSError as problem:\n"
        "        print(place in str(problem))\n"
    )
    assert run(start(script), PYTHONPATH=str(SHIMS)).stdout == "True\nTrue\n"


def test_aes_is_the_one_of_the_boards(tmp_path):
    tiers.require("cryptography", "host", "pip install cryptography")
    script = tmp_path / "aes.py"
    script.write_text(
        "import cryptolib\n"
        "key = bytes(range(16))\n"
        "print(cryptolib.aes(key, 1).encrypt(bytes(32)).hex())\n"
        "print(cryptolib.aes(key, 2, key).decrypt(bytes(32)).hex())\n"
        "out = bytearray(b'0123456789abcdef')\n"
        "cryptolib.aes(key + key, 1).encrypt(out, out)\n"
        "print(bytes(out))\n"
        "for arguments in ((bytes(5), 1), (key, 6), (key, 2)):\n"
        "    try:\n"
        "        print(cryptolib.aes(*arguments))\n"
        "    except ValueError as problem:\n"
        "        print(problem)\n"
    )
    here = run(on_cpython(script), PYTHONPATH=str(SHIMS))
    assert here.stdout.count("\n") == 6
    assert here.stdout == run(on_vm(script)).stdout


@pytest.mark.parametrize("profile", sorted(run_vm.PROFILES))
def test_a_profile_has_its_heap_and_its_kind_of_image(profile):
    done = run(on_vm(SCRIPTS / "where.py", "a", "-v", profile=profile))
    assert done.returncode == 7, done.stderr
    first, second = done.stdout.splitlines()
    heap, packed = run_vm.PROFILES[profile]
    exact = "/rom/exact" if packed else str(ROOT / "build" / profile)
    assert first.startswith("__main__ ['a', '-v'] " + exact)
    assert first.endswith("/shims/machine.mpy")
    size, used = map(int, second.split())
    assert 0.95 * 1024 * int(heap[:-1]) < size <= 1024 * int(heap[:-1])
    assert used < 9000  # boot code, shims and lib/exact


def test_a_script_that_does_not_compile_is_named(tmp_path):
    on_vm(SCRIPTS / "where.py")
    script = tmp_path / "broken.py"
    script.write_text("x = = 1\n")
    with pytest.raises(romfs.BuildError, match=r"broken\.py"):
        run_vm.command(script)


def test_a_changed_source_is_built_again(tmp_path):
    script = tmp_path / "hello.py"
    for text in ("one", "two"):
        script.write_text(f"print({text!r})\n")
        assert run(on_vm(script)).stdout == text + "\n"


def test_something_else_is_no_vm():
    done = run([sys.executable, "-m", "tools.rig.vm", "path"], JOULELOG_VM=sys.executable)
    assert done.returncode == 3
    assert "JOULELOG_VM" in done.stderr


def test_packages_that_differ_from_their_pins_are_named_each_time(tmp_path):
    command = [sys.executable, "-m", "tools.host.deps", "ensure"]
    place = {"JOULELOG_CACHE": str(tmp_path / "cache"), "DEPS_FROM": str(tmp_path)}
    nothing = run(command, **place)
    assert nothing.returncode == 3
    assert "micropython-lib is missing" in nothing.stderr
    for source in (
        "micropython-lib/python-stdlib/logging/logging.py",
        "micropython-lib/python-stdlib/ssl/ssl.py",
        "micropython-lib/python-ecosys/aiohttp/aiohttp/__init__.py",
        "micropython-lib/python-ecosys/aiohttp/aiohttp/aiohttp_ws.py",
        "micropython-mqtt/mqtt_as/__init__.py",
    ):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / source).write_text("VERSION = 0\n")
    for _ in range(2):
        done = run(command, **place)
        assert done.returncode == 0
        assert "mqtt_as 0.8.3" in done.stderr
        folder = Path(done.stdout.split()[0])
        assert (folder / "mqtt_as/__init__.py").read_text() == "VERSION = 0\n"


def git(folder: Path, *words: str) -> str:
    """Run git in a folder as somebody."""
    who = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    command = ["git", "-C", str(folder), *who, *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path, name: str, text: str) -> str:
    """Make a repository with one file; return its commit."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", "one")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def pinned(tmp_path, monkeypatch):
    """A pin whose checkout lies in tmp_path/src, a submodule beside it, and an empty cache."""
    monkeypatch.setenv("JOULELOG_CACHE", str(tmp_path / "cache"))
    lib = repository(tmp_path / "src/some-lib", "lib.py", "LIB = 1\n")
    top = repository(tmp_path / "src/micropython", "main.c", "int main;\n")
    part = {"repository": "somebody/some-lib", "commit": lib}
    return {
        "repository": "somebody/micropython",
        "version": "1.2.3",
        "commit": top,
        "submodules": {"lib/some": part},
    }


def test_micropython_is_fetched_at_its_pins(pinned, tmp_path, capsys):
    source = tmp_path / "src"
    (source / "micropython/main.c").write_text("edited\n")  # not in the commit
    (source / "micropython/build").mkdir()
    (source / "micropython/build/main.o").touch()
    assert checkout.path(pinned) is None
    (tmp_path / "cache/micropython/new-killed").mkdir(parents=True)
    folder = checkout.ensure(pinned, source)
    assert folder == checkout.path(pinned) == checkout.ensure(pinned, None)
    assert (folder / "main.c").read_text() == "int main;\n"
    assert (folder / "lib/some/lib.py").read_text() == "LIB = 1\n"
    assert not (folder / "build").exists()
    assert git(folder, "describe", "--tags") == "v1.2.3"
    assert sorted(p.name for p in folder.parent.iterdir()) == sorted([folder.name, "lock"])
    assert capsys.readouterr().err == ""


def test_another_commit_is_copied_and_said_so_each_time(pinned, tmp_path, capsys):
    (tmp_path / "src/micropython/main.c").write_text("newer\n")
    git(tmp_path / "src/micropython", "commit", "-qam", "two")
    other = {**pinned, "commit": "1" * 40}
    folder = checkout.ensure(other, tmp_path / "src")
    assert (folder / "main.c").read_text() == "newer\n"
    assert (folder / "lib/some/lib.py").read_text() == "LIB = 1\n"
    for _ in range(2):
        assert checkout.path(other) == folder
        assert "not the pinned versions" in capsys.readouterr().err
    # As soon as the pinned commit is there, it takes that place.
    (folder / "DIFFERS.txt").rename(tmp_path / "note")
    assert checkout.ensure(other, tmp_path / "src") == folder


def test_half_a_checkout_is_none(pinned, tmp_path, monkeypatch):
    """A submodule, or a network, that cannot be had."""
    broken = {**pinned, "submodules": {"lib/none": {"repository": "a/none", "commit": "2" * 40}}}
    with pytest.raises(vm.Unavailable, match="submodule update --init lib/none"):
        checkout.ensure(broken, tmp_path / "src")
    assert checkout.path(broken) is None
    assert [p.name for p in (tmp_path / "cache/micropython").iterdir()] == ["lock"]
    monkeypatch.setattr(checkout, "_GITHUB", (tmp_path / "nowhere").as_uri())
    with pytest.raises(vm.Unavailable, match="git fetch"):
        checkout.ensure(pinned, None)
    assert [p.name for p in (tmp_path / "cache/micropython").iterdir()] == ["lock"]
    monkeypatch.setattr(checkout, "_GITHUB", (tmp_path / "src").as_uri())
    network = {**pinned, "repository": "micropython"}
    network["submodules"] = {
        "lib/some": {**pinned["submodules"]["lib/some"], "repository": "some-lib"}
    }
    assert (checkout.ensure(network, None) / "lib/some/lib.py").exists()


def test_packages_are_installed_where_micropython_cannot_be_had(tmp_path):
    packages = deps.path()
    if packages is None:
        tiers.missing("the pinned packages", "deps", "make deps")
    cache = tmp_path / "cache"
    installed = cache / "deps" / packages.name
    installed.parent.mkdir(parents=True)
    installed.symlink_to(packages)
    command = [sys.executable, "-m", "tools.host.deps"]
    place = {"JOULELOG_CACHE": str(cache), "DEPS_FROM": str(tmp_path), "MICROPYTHON": ""}
    done = run([*command, "ensure"], **place)
    assert done.returncode == 0 and done.stdout.strip() == str(installed)
    assert "MicroPython is left out" in done.stderr and "make firmware" in done.stderr
    assert run([*command, "micropython"], **place).returncode == 3
    place["MICROPYTHON"] = str(tmp_path)
    assert run([*command, "micropython"], **place).stdout.strip() == str(tmp_path)


def test_microdot_is_pypis_and_whole_each_time(tmp_path):
    packages = deps.path()
    if packages is None:
        tiers.missing("the pinned packages", "deps", "make deps")
    found = dict((place, source) for source, place in deps.from_pypi())
    assert list(found) == ["microdot.py"]
    copy = tmp_path / "cache/deps" / packages.name
    shutil.copytree(packages, copy)
    for change in (
        lambda: (copy / "microdot.py").write_text("cut"),
        (copy / "microdot.py").unlink,
    ):
        change()
        done = run(
            [sys.executable, "-m", "tools.host.deps", "path"],
            JOULELOG_CACHE=str(tmp_path / "cache"),
        )
        assert done.stdout.strip() == str(copy)
        assert (copy / "microdot.py").read_bytes() == found["microdot.py"].read_bytes()


def test_the_runner_tells_failures_from_passes(tmp_path):
    test = tmp_path / "test_sample.py"
    test.write_text(
        "import unittest\n"
        "class Sample(unittest.TestCase):\n"
        "    def test_right(self):\n"
        "        self.assertEqual(1, 1)\n"
        "    def test_wrong(self):\n"
        "        self.assertEqual(1, 2)\n"
        "    def test_error(self):\n"
        "        {}['key']\n"
        "    def test_not_raised(self):\n"
        "        with self.assertRaises(ValueError):\n"
        "            pass\n"
        "    @unittest.skipIf(True, 'reason')\n"
        "    def test_left_out(self):\n"
        "        self.fail()\n"
    )
    runner = ROOT / "tests/vm/runner.py"
    done = run(on_vm(runner, str(test), heap="2M"))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[-1] == "1 passed, 3 failed, 1 skipped"
    wrong = "FAIL test_sample.Sample.test_wrong AssertionError: 1 != 2 (test_sample.py:6)"
    assert wrong in lines
    assert run(on_vm(runner, heap="2M")).returncode == 1  # no test is no success
