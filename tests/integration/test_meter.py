"""`make meter NAME=demo` in a copy of the repository: what it writes works as it is."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiers, waiting
from tools import ROOT, meter
from tools.rig import vm

WRITTEN = """\
docs/demo.md
examples/configs/demo.py
firmware/joulelog/readers/demo.py
firmware/joulelog/registry.py
lib/demo/README.md
lib/demo/__init__.py
tests/unit/test_demo.py
tools/sim/demo.py
""".split()
GENERATED = """\
boards/README.md
boards/common/features.json
docs/configuration.md
docs/design.md
docs/mqtt.md
lib/demo/manifest.py
lib/demo/package.json
package.json
""".split()


def run(folder: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=waiting.HANG_S,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not re.match(r"build/|.*(__pycache__|_cache)/", name):
            found[name] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy with the meter in it: (folder, what it was before, what was said)."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    before = contents(folder)
    done = run(folder, "tools.meter", "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, before, done.stdout


def test_it_lists_what_it_has_touched(clone):
    folder, before, said = clone
    after = contents(folder)
    changed = sorted(name for name in after if before.get(name) != after[name])
    assert changed == sorted(WRITTEN + GENERATED)
    assert sorted(re.findall(r"^written: (.+)$", said, re.M)) == WRITTEN
    registry = "firmware/joulelog/registry.py"
    added = set(after[registry].split(b"\n")) - set(before[registry].split(b"\n"))
    assert added == {b'    ("demo", "joulelog.readers.demo"),'}
    assert before.keys() <= after.keys()


def test_a_second_time_it_refuses(clone):
    folder = clone[0]
    before = contents(folder)
    done = run(folder, "tools.meter", "demo")
    assert (done.returncode, contents(folder)) == (2, before)
    assert "there is a reader, sink or something else of that name" in done.stderr


def test_what_follows_from_it_is_written(clone):
    folder = clone[0]
    for tool in ("tools.packages", "tools.docs"):
        done = run(folder, tool, "--check")
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_in_the_style_of_the_house(clone):
    folder = clone[0]
    ruff = str(Path(sys.executable).with_name("ruff"))
    python = [name for name in WRITTEN if name.endswith(".py")] + ["lib/demo/manifest.py"]
    for what in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *what, *python], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_tests_and_those_of_the_house_pass(clone):
    folder = clone[0]
    names = ("demo", "purity", "house", "docs", "features", "boards", "schema")
    files = [f"tests/unit/test_{name}.py" for name in names]
    done = run(folder, "pytest", "-q", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_its_tests_pass_on_the_vm(clone):
    _needs_vm()
    script = ["tests/vm/runner.py", "tests/unit/test_demo.py"]
    done = run(clone[0], "tools.rig.run_vm", "--heap", "2M", *script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout


@pytest.mark.parametrize("how", ["cpython", "vm"])
def test_it_reads_its_simulator(clone, how):
    if how == "vm":
        _needs_vm()
    command = [sys.executable, "-m", "tools.run", "--config", "examples/configs/demo.py"]
    command += ["--vm"] if how == "vm" else []
    said = clone[0] / f"said-{how}"
    with said.open("w") as output:
        child = subprocess.Popen(
            command,
            cwd=clone[0],
            env=os.environ | {"SPEED": "5"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            lines = re.compile(r"demo.*\bvoltage=2\d\d\.\d\b.*\benergy=4567\d\.\d{3}\b")
            waiting.until(
                lambda: len(lines.findall(said.read_text())) >= 3 or child.poll() is not None,
                said.read_text,
            )
        finally:
            child.send_signal(signal.SIGTERM)  # of which it tells the firmware
            status = child.wait(waiting.HANG_S)
    text = said.read_text()
    assert (status, len(lines.findall(text)) >= 3) == (0, True), text
    assert "Traceback" not in text
    told = "demo counts as the largest reader until `make size ONLY=parts` has measured it"
    assert (told in text) == (how == "vm"), text
    said.unlink()


def _needs_vm() -> None:
    try:
        vm.ensure()
    except vm.Unavailable as error:
        tiers.missing("the MicroPython VM", "vm", str(error))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Demo", "begins with a letter"),
        ("2nd", "begins with a letter"),
        ("a", "2 to 16"),
        ("a" * 17, "2 to 16"),
        ("../x", "2 to 16"),
        ("", "2 to 16"),
        ("class", "word of Python"),
        ("match", "word of Python"),
        ("json", "would hide"),
        ("machine", "would hide"),
        ("umqtt", "would hide"),
        ("pytest", "would hide"),
        ("joulelog", "would hide"),
        ("exact", "is there already"),
        ("pzem", "a reader, sink or something else"),
        ("spool", "a reader, sink or something else"),
        ("bus", "readers/bus.py is there"),
        ("wifi", "test_wifi.py is there"),
        ("newmeter", "the template itself"),
        ("answer", "such as answer_meter"),
    ],
)
def test_a_name_that_cannot_be(name, why):
    assert why in meter.problem(name)


def test_names_that_can_be():
    for name in ("demo", "em24", "kamstrup_hc", "a_long_name_of16"):
        assert meter.problem(name) == ""


@pytest.mark.parametrize("name", ["ab", "a_long_name_of16"])
def test_the_length_of_a_name_changes_nothing(name, tmp_path):
    for path, text in meter.texts(name).items():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    ruff = str(Path(sys.executable).with_name("ruff"))
    for what in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *what, "--config", str(ROOT / "pyproject.toml"), str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
