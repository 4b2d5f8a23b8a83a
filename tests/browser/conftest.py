"""The real browser that the tests of pages share."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import tiers


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = "/usr/bin/chromium"
    if not os.access(program, os.X_OK):
        program = tiers.require("chromium", "browser", "apt install chromium")
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
