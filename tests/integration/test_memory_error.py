"""Memory runs out in any statement of store and forward: see memory_story.py.

JOULELOG_LONG=1: in each statement that takes some; else in a sample.
"""

import os
import re
import subprocess
import sys

import pytest

from tests import with_unit_tests
from tools import ROOT

LONG = bool(os.environ.get("JOULELOG_LONG"))
STORIES = 5
SAMPLE = 20  # of each story


@pytest.mark.timeout(1800 if LONG else 900)
def test_memory_runs_out_in_any_statement() -> None:
    """Nothing is lost uncounted, altered or invented; no task ends, nothing waits for ever."""
    line = [
        sys.executable,
        "-m",
        "tests.integration.memory_story",
        "10000" if LONG else str(SAMPLE),
    ]
    done = subprocess.run(
        line, env=with_unit_tests(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    tried, there = map(int, re.findall(r"(\d+) of (\d+) statements", done.stdout)[-1])
    assert there > 1500
    assert tried == (there if LONG else STORIES * SAMPLE)
