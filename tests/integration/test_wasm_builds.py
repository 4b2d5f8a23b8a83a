"""lib/'s unit tests again, on npm's oldest and newest official builds of MicroPython."""

import subprocess

import pytest

from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT


@pytest.mark.parametrize("build", ["oldest", "newest"])
def test_on_a_build(build: str) -> None:
    node = tiers.require("node", "wasm", "apt install nodejs npm")
    done = subprocess.run(
        [node, "tests/vm/wasm.mjs", "--" + build],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        cwd=ROOT,
        check=False,
    )
    if done.returncode == 3:
        tiers.missing("npm's MicroPython builds", "wasm", done.stderr.strip()[-200:])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
