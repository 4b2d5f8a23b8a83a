"""The page of updates in a real browser: a password, a file, a bar, and the version that runs."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.update_rig import OLD, PASSWORD, Flashed

HANG_MS = 120_000
expect.set_options(timeout=HANG_MS)


@pytest.fixture
def board(tmp_path):
    with Flashed("cpython", tmp_path) as flashed:
        yield flashed


@pytest.fixture
def page(browser: Browser, board: Flashed):
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.set_default_timeout(HANG_MS)
    asked: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: "Security" in told.text and complaints.append(told.text))
    page.goto(f"http://{board.host}/update")
    yield page
    context.close()
    assert asked == {board.host} and complaints == []


def log_in(page: Page, password: str) -> None:
    page.fill("#password", password)
    page.click("text=Log in")


def send(page: Page, data: bytes, forced: bool = False) -> None:
    page.set_input_files(
        "#file", {"name": "some.update", "mimeType": "application/octet-stream", "buffer": data}
    )
    page.set_checked("#force", forced)
    page.click("button:text('Update')")


def test_from_a_browser(page, board):
    told = page.locator("#told")
    expect(page.locator("#now")).to_contain_text(f"HOST, version {OLD}")
    expect(told).to_have_text("There is no password yet: choose one.")
    expect(page.locator("#send")).to_be_hidden()
    log_in(page, "short")
    expect(told).to_contain_text("8 to 64 characters")
    log_in(page, PASSWORD)
    expect(page.locator("#login")).to_be_hidden()
    page.click("button:text('Update')")
    expect(told).to_have_text("Choose a file first.")
    send(page, board.update("0.2.0", board="ESP32_GENERIC"))
    expect(told).to_contain_text("this update is for the board ESP32_GENERIC")
    # The bar goes up, and never back; the script of the page is the only one that moves it.
    page.evaluate(
        "() => { window.seen = []; const bar = document.getElementById('bar');"
        "new MutationObserver(() => seen.push(bar.value)).observe(bar, {attributes: true}); }"
    )
    send(page, board.update("0.0.9", 60_000))
    expect(told).to_contain_text("older")
    seen = page.evaluate("() => seen")
    assert seen and seen[-1] == 1 and all(0 < share <= 1 for share in seen)
    data = board.update("0.0.9", 60_000)
    send(page, data, forced=True)
    expect(told).to_have_text("Version 0.0.9 runs.")
    assert board.starts == [OLD, "0.0.9"]
    assert board.application()[: len(data) - 1024] == data[1024:]
    # The session ended with the restart.
    expect(page.locator("#login")).to_be_visible()
    log_in(page, "not this password")
    expect(told).to_have_text("that is not the password")
    for _ in range(5):
        log_in(page, "a guess that is wrong")
    expect(told).to_contain_text("try again in")
