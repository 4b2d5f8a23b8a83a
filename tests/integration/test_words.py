"""Small things that people are told: by the Makefile, the tools, and a run on the computer."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests import waiting
from tests.integration.run_rig import config
from tools import ROOT
from tools.host import deps
from tools.images import dist

REPLAY = """\
wifi = {{"ssid": "home", "password": "12345678"}}
readers = [{{"type": "replay", "file": "{file}"}}]
sinks = [{{"type": "console"}}]
log = {{"directory": "{folder}"}}
"""


def told(*command: str, **variables: str) -> str:
    """What a command says that cannot do what it was asked."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=waiting.HANG_S,
        check=False,
    )
    assert done.returncode, done.stdout
    return done.stdout + done.stderr


def test_a_python_that_is_not_there(tmp_path):
    said = told("make", f"VENV={tmp_path}/venv", "PYTHON=python3.99", "run")
    assert "there is no python3.99 here" in said and "3.11" not in said


def test_packages_that_cannot_be_fetched_name_every_repository(tmp_path):
    said = told(
        *(sys.executable, "-m", "tools.host.deps", "ensure"),
        JOULELOG_CACHE=str(tmp_path), https_proxy="http://127.0.0.1:9", DEPS_FROM="",
    )  # fmt: skip
    for pin in deps.projects().values():
        if "pypi" not in pin:  # that one is here already
            assert f"https://github.com/{pin['repository']}" in said


def test_the_archive_names_the_checksums_of_what_it_does_not_contain():
    text = dist.install_text({})
    folder = deps.path()
    for pin in deps.projects().values():
        for package in pin["packages"]:
            for name, file in package["files"].items():
                assert f"{file['sha256']}  lib/{name}" in text
                if folder:
                    data = (folder / name).read_bytes()
                    assert hashlib.sha256(data).hexdigest() == file["sha256"]


def test_a_run_that_was_killed_is_told_by_the_next_one(start, tmp_path):
    wanted = config(tmp_path, REPLAY.format(file=ROOT / "examples/telegrams.txt", folder=tmp_path))

    def told_by_the_store(count: int) -> bool:
        files = [Path(tmp_path, f"state.{letter}") for letter in "ab"]
        texts = [file.read_text() for file in files if file.exists()]
        return sum('"running"' in text for text in texts) >= count

    cut = "the run before was cut off"
    first = start("--config", wanted)
    first.wait_for("energy_import_t1=", count=2)
    assert "started by the computer, boot 1" in first.output
    assert "network: the computer's network" in first.output
    assert cut not in first.output and "leapt" not in first.output
    waiting.until(lambda: told_by_the_store(1))
    for pid in first.descendants():
        os.kill(pid, signal.SIGKILL)
    second = start("--config", wanted)
    second.wait_for("energy_import_t1=", count=2)
    assert cut in second.output
    assert second.interrupt() == 0
    third = start("--config", wanted)
    third.wait_for("energy_import_t1=", count=2)
    assert cut not in third.output
