"""The installer page in a real browser, with a simulated chip behind its Web Serial.

ESP Web Tools, as npm has it, finds the chip, writes the image and sets up the Wi-Fi by Improv.
The firmware's own Improv answers, and another one that is written apart. What the page asks for is
recorded: nothing of another host.
"""

import base64
import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import esp_images, tiers
from tests.fakes.firmware_improv import FirmwareImprov
from tests.fakes.improv_board import ADDRESS, NETWORKS, ImprovBoard
from tests.waiting import HANG_S
from tools import ROOT, boards
from tools.host.cache import Unavailable
from tools.images import espimage, installer, licences, npm, releases
from tools.sim.esp_board import Board
from tools.sim.nor_flash import Flash

SERIAL = Path(__file__).with_name("fake_serial.js")
MISSING = "M5STICKC_PLUS"  # of which there is no image here
BOARDS = [name for name in releases.image_boards() if name != MISSING]
# Deadlines only catch what hangs.
HANG_MS = 120_000
expect.set_options(timeout=HANG_MS)
PASSWORD = "pässwörd€ 日本 \"'<&"
KIB = 4096


@pytest.fixture(scope="module")
def images() -> dict[str, bytes]:
    return {name: esp_images.image_of(name) for name in BOARDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, images) -> Path:
    made = tmp_path_factory.mktemp("web")
    try:
        installer.write(made, images, {"a part of an image": "its licence"})
    except Unavailable as problem:
        tiers.missing("ESP Web Tools", "npm", str(problem))
    return made


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    handler = functools.partial(installer._Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()


class Visit:
    """A page, the board at its serial port, and all that the page asked for and complained of."""

    def __init__(self, browser: Browser, address: str, board: Board | None = None, **options):
        self.said: list[bytes] = []  # what the board has sent and nobody fetched
        self.baud = 0
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.board = board
        self._context = browser.new_context(**options)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(HANG_MS)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._console)
        self.page.expose_function("board", self._board)
        self.address = address

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def go(self, path: str = "") -> Page:
        self.page.goto(self.address + path)
        return self.page

    def others(self) -> set[str]:
        """Hosts that were asked besides this one."""
        mine = urlsplit(self.address).netloc
        asked = {urlsplit(url).netloc for url in self.asked if urlsplit(url).scheme != "blob"}
        return asked - {mine, ""}

    def _console(self, message) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _board(self, what: str, value) -> str:
        """fake_serial.js calls this."""
        assert self.board is not None
        if what == "open":
            self.baud = value
        elif what == "lines":
            self.board.lines(*value)
        elif what == "write":
            self.board.receive(base64.b64decode(value))
        said = b"".join(self.said)
        del self.said[:]
        return base64.b64encode(said).decode()


def visit_with_board(browser: Browser, address: str, chip: str, flash: Flash, program) -> Visit:
    visit = Visit(browser, address)
    visit.board = Board(chip, flash, visit.said.append, program)
    visit.page.add_init_script(path=SERIAL)
    return visit


def used_flash() -> Flash:
    """Something is on it already."""
    flash = Flash(KIB)
    flash.program(0, bytes(range(256)) * (KIB * 4))
    return flash


def press_install(page: Page, name: str) -> None:
    page.locator(f'.choices a[href="#{name}"]').click()
    page.locator(f"#{name} button.install").click()


def dialog(page: Page) -> Locator:
    """ESP Web Tools'."""
    return page.locator("ewt-install-dialog")


def says(page: Page, text: str) -> None:
    """Wait for a page of the dialog; its text is in no element of its own."""
    message = dialog(page).locator("ewt-page-message")
    expect(message).to_have_js_property("label", text)


def confirm(page: Page) -> None:
    """ "Do you want to install JouleLog …?" """
    expect(page.get_by_text("Do you want to install")).to_be_visible()
    page.get_by_role("button", name="Install", exact=True).click()


def written(image: bytes, name: str) -> bytes:
    kib = boards.facts(boards.FOLDERS / name)["flash"]["kb"]
    chip = boards.facts(boards.FOLDERS / name)["chip"]
    return espimage.with_flash_size_8266(image, kib) if chip == "esp8266" else image


def enter(page: Page, board: ImprovBoard | FirmwareImprov, password: str) -> None:
    """Give the password until the board has heard it: a form that is just being made loses it."""
    wanted = ("my network", password)
    for _ in range(5):
        before = len(board.joined)
        page.locator("ew-filled-text-field[name=password] input").fill(password)
        page.get_by_role("button", name="Connect").click()
        while len(board.joined) == before:
            page.wait_for_timeout(20)  # the page's calls are served meanwhile
        if board.joined[-1] == wanted:
            return
        expect(page.get_by_text("Unable to connect")).to_be_visible()
    raise AssertionError(f"the board was told {board.joined}")


# Writing


@pytest.mark.parametrize("program", [ImprovBoard, FirmwareImprov])
def test_from_an_empty_board_to_its_address(browser, address, images, program):
    """Erased, written, restarted, found by Improv, a wrong password, the right one, an address."""
    name, flash = "ESP32_GENERIC_C3", used_flash()
    started: list[ImprovBoard | FirmwareImprov] = []

    def boots(send) -> ImprovBoard | FirmwareImprov:
        started.append(program(send, PASSWORD))
        return started[-1]

    with visit_with_board(browser, address, "esp32c3", flash, boots) as visit:
        flash.erase(0, 4096)  # no program: nothing answers Improv
        page = visit.go()
        press_install(page, name)
        dialog(page).get_by_text("Install JouleLog", exact=True).click()
        page.locator("ew-checkbox").click()  # erase it
        page.get_by_role("button", name="Next").click()
        confirm(page)
        says(page, "Installation complete!")
        image = images[name]
        assert flash.data[: len(image)] == image
        end = -(-len(image) // 4096) * 4096
        assert flash.data[end:] == b"\xff" * (KIB * 1024 - end)
        assert visit.baud == 115200 and len(started) == 1

        page.get_by_role("button", name="Next").click()
        found = page.get_by_role("combobox", name="Network")
        expect(found).to_contain_text("my network")  # the strongest
        assert page.locator("ew-select-option").count() == len(NETWORKS) + 1
        enter(page, started[-1], "wrong password")
        expect(page.get_by_text("Unable to connect")).to_be_visible()
        enter(page, started[-1], PASSWORD)
        says(page, "Device connected to the network!")
        link = page.locator("ew-list-item[type=link]")
        expect(link).to_contain_text("Visit Device")
        assert link.get_attribute("href") == ADDRESS
        assert visit.others() == set()
        if program is FirmwareImprov:
            assert started[-1].stored == [{"ssid": "my network", "password": PASSWORD}]
        assert [text for text in visit.complaints if "Improv" not in text] == []


@pytest.mark.parametrize(
    "name",
    ["ESP32_GENERIC", "LILYGO_T8_S2", "ESP32_GENERIC_S3", "WEMOS_D1_MINI", "ESP8266_GENERIC"],
)
def test_an_update_keeps_the_files(browser, address, images, name):
    """The running JouleLog is found by its name, so nothing is erased but what is written."""
    told = boards.facts(boards.FOLDERS / name)
    flash = used_flash()
    image_at = {"esp32": 0x1000, "esp32s2": 0x1000}.get(told["chip"], 0)
    flash.erase(image_at, 1)
    flash.program(image_at, b"\xe9")
    files = -told["flash"]["layouts"]["frozen"]["filesystem_kb"] * 1024
    before = bytes(flash.data[files:])
    with visit_with_board(
        browser, address, told["chip"], flash, functools.partial(ImprovBoard, password=PASSWORD)
    ) as visit:
        page = visit.go()
        press_install(page, name)
        page.get_by_text("Update JouleLog", exact=True).click()
        expect(page.get_by_text("Do you want to update")).to_be_visible()
        page.get_by_role("button", name="Install", exact=True).click()
        says(page, "Installation complete!")
        offset = int(told["micropython"]["offset"], 0)
        image = written(images[name], name)
        assert flash.data[offset : offset + len(image)] == image
        assert flash.data[files:] == before
        assert visit.others() == set()


def test_another_chip_than_the_boards(browser, address):
    flash = used_flash()
    before = bytes(flash.data)
    with visit_with_board(browser, address, "esp32s3", flash, None) as visit:
        page = visit.go("#ESP32_GENERIC_C3")
        press_install(page, "ESP32_GENERIC_C3")
        dialog(page).get_by_text("Install JouleLog", exact=True).click()
        page.get_by_role("button", name="Next").click()
        confirm(page)
        says(page, "Your ESP32-S3 board is not supported.")
    assert flash.data[:] == before


# The page


def test_every_board_has_its_wiring(browser, address):
    with Visit(browser, address) as visit:
        page = visit.go()
        assert page.locator(".board:visible").count() == 0
        for name in releases.image_boards():
            module = boards.load(boards.FOLDERS / name)
            page.locator(f'.choices a[href="#{name}"]').click()
            assert page.locator(".board:visible").count() == 1
            expect(page.locator('.choices a[aria-current="true"]')).to_have_count(1)
            shown = page.locator(f"#{name} table")
            for number, pins in module.UARTS.items():
                row = shown.locator("tr", has_text=f"UART {number}")
                expect(row).to_contain_text(f"(RX) on GPIO {pins['rx']}")
                expect(row).to_contain_text(f"(TX) on GPIO {pins['tx']}")
            text = shown.inner_text()
            for what, pin in (("LED", module.LED), ("button", module.BUTTON)):
                assert (f"{what}\tGPIO {pin['pin']}" in text) if pin else what not in text
            assert ("data request" in text) == (module.REQUEST is not None)
        assert visit.complaints == [] and visit.others() == set()


def test_a_board_without_an_image_says_so(browser, address):
    with Visit(browser, address) as visit:
        page = visit.go(f"#{MISSING}")
        expect(page.locator(f"#{MISSING} .missing")).to_contain_text(
            f"make firmware BOARD={MISSING} builds it"
        )
        assert page.locator(f"#{MISSING} button").count() == 0
        expect(page.locator(f'.choices a[href="#{MISSING}"]')).to_contain_text("no image here")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_browser_without_web_serial_is_shown_the_commands(browser, address, scripts):
    name = "WEMOS_D1_MINI"
    with Visit(browser, address, java_script_enabled=scripts) as visit:
        if scripts:
            visit.page.add_init_script("delete Navigator.prototype.serial")
        page = visit.go(f"#{name}")
        board = page.locator(f"#{name}")
        command = f"make micropython PORT=/dev/ttyUSB0 BOARD={name} IMAGE={name}.bin KEEP=1"
        expect(board.get_by_text(command)).to_be_visible()
        expect(
            board.get_by_text("esptool --chip esp8266 --port PORT write-flash 0x0")
        ).to_be_visible()
        expect(board.locator("button.install")).not_to_be_visible()
        expect(board.locator("table")).to_be_visible()
        note = board.get_by_text("This browser cannot write to a board")
        expect(note).to_be_visible(visible=scripts)
        link = board.locator("a[download]").get_attribute("href")
        assert page.request.get(address + str(link)).ok


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(browser, address, width, scheme):
    """No sideways scrolling; each text has a contrast of 4.5 (WCAG AA); pictures for people."""
    size = {"width": width, "height": 800}
    with Visit(browser, address, viewport=size, color_scheme=scheme) as visit:
        page = visit.go("#LILYGO_T8_S2")
        page.locator("#LILYGO_T8_S2 summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) >= 4.5
        page.screenshot(path=ROOT / f"build/installer-{width}-{scheme}.png", full_page=True)


# The least contrast of any visible text, by WCAG's relative luminance.
CONTRAST = """
(() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => {
    const [r, g, b] = numbers(text).map((part) => {
      const c = part / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((numbers(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  let least = 21;
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility() || !element.innerText?.trim()) continue;
    const pair = [light(getComputedStyle(element).color), light(ground(element))];
    least = Math.min(least, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05));
  }
  return least;
})()
"""


def test_by_the_keyboard_alone(browser, address):
    with Visit(browser, address) as visit:
        page = visit.go()
        for _ in range(BOARDS.index("ESP32_GENERIC_C3") + 1):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#ESP32_GENERIC_C3")).to_be_visible()
        assert page.evaluate("document.activeElement.id") == "ESP32_GENERIC_C3-title"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "install"


# The folder


def test_the_folder_is_ours_npms_and_the_licences(folder, images):
    tools = npm.package("esp-web-tools")
    for path in (tools / "dist/web").iterdir():
        assert (folder / "esp-web-tools" / path.name).read_bytes() == path.read_bytes()
    texts = licences.read((folder / "LICENCES.txt").read_text())
    wanted = {row["what"] for row in licences.table()["installer"]}
    assert set(texts) == wanted | {"a part of an image"}
    assert (tools / "LICENSE").read_text().strip() in texts["ESP Web Tools"]
    stubs = next(texts[what] for what in texts if what.startswith("flasher stubs"))
    assert "https://github.com/espressif/esptool/tree/v4.6.1/flasher_stub" in stubs
    assert "GNU GENERAL PUBLIC LICENSE" in stubs
    for name, image in images.items():
        assert (folder / "images" / f"{name}.bin").read_bytes() == written(image, name)
    assert sorted(path.name for path in (folder / "boards").iterdir()) == [
        f"{name}.json" for name in sorted(images)
    ]


def test_what_ends_up_in_it_asks_for_nothing_elsewhere(folder):
    """Links that somebody may press there are known; nothing is loaded from them."""
    known = {
        *("www.w3.org", "esphome.github.io", "my.home-assistant.io"),
        *("www.silabs.com", "www.wch.cn"),
    }
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".js", ".css", ".json", ".svg"):
            found = set(re.findall(r"https?://([a-z0-9.-]+)", path.read_text()))
            assert found <= known, path
    index = (folder / "index.html").read_text()
    assert "default-src 'none'" in index and "connect-src 'self'" in index


def test_a_package_that_is_another_one_is_refused():
    with pytest.raises(Unavailable, match="another file than tools/images/npm.json"):
        npm.check(b"something else", npm.pins()["esp-web-tools"]["integrity"], "x.tgz")


def test_without_npm_it_says_what_is_missing(tmp_path):
    environment = {**os.environ, "JOULELOG_CACHE": str(tmp_path), "PATH": "/nowhere"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tools.images.installer",
            "--only-write",
            "--output",
            tmp_path / "w",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 3
    assert "npm is missing, which fetches esp-web-tools@10.4.0" in done.stderr


def test_make_installer_serves_it(tmp_path, images):
    """On this computer alone; images that are none are named, and left out."""
    for name in ("ESP32_GENERIC", "ESP32_GENERIC_C3"):
        (tmp_path / releases.image_name(name)).write_bytes(images["ESP32_GENERIC"])
    with subprocess.Popen(
        ["make", "installer", "PORT=0", f"IMAGES={tmp_path}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout
            said = []
            for line in process.stdout:
                said.append(line)
                if line.startswith("http"):
                    break
            text = "".join(said)
            bad = releases.image_name("ESP32_GENERIC_C3")
            assert f"left out: {bad} has no partition table at 0x8000" in text
            assert "no image yet: ESP32_GENERIC_C3, ESP32_GENERIC_S2" in text
            found = re.search(r"^(http://localhost:\d+/)", text, re.M)
            assert found, text
            fetched = subprocess.run(
                [sys.executable, "-c", FETCH, found[1]],
                capture_output=True,
                text=True,
                check=True,
                timeout=HANG_S,
            )
            assert "Install JouleLog" in fetched.stdout
        finally:
            os.killpg(process.pid, 2)


FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
