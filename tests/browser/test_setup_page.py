"""Set-up's page in a real browser, as wide as a small phone's, against the firmware.

From nothing to a reading in a real broker; every example config typed in; secrets; the plain forms
without scripts. Pictures of each step go to build/setup-….png.
"""

import gzip
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from joulelog import registry
from joulelog.config import schema, tables
from joulelog.config.settings import opened
from tests import tiers
from tests.browser.test_installer import CONTRAST
from tests.integration.run_rig import Run
from tests.servers.real_mosquitto import Mosquitto, Recorder, free_port
from tests.waiting import until
from tools import ROOT, boards, user_config
from tools.host.cache import Unavailable
from tools.images import page as built

HANG_MS = 120_000
expect.set_options(timeout=HANG_MS)
SIZE = {"width": 360, "height": 740}
NAME, KEY = 'café & "co"; <b>', "pässwört+%&=;'\"<€ 日"
AROUND = json.dumps([["home", "correct horse battery", -50], [NAME, KEY, -60], ["open", "", -70]])
LONG = os.environ.get("JOULELOG_LONG") == "1"
EXAMPLES = sorted((ROOT / "examples/configs").glob("*.py"))
# Each type of field, each section, several boards; all of them in the long form.
SOME = ["emoncms", "four_meters", "german_codes", "influxdb_v2", "lan", "pulse", "webhook"]


@pytest.fixture(scope="module", autouse=True)
def module() -> Path:
    """The page, built."""
    try:
        return built.build()
    except Unavailable as problem:
        return tiers.missing("npm", "browser", str(problem))


class Visit:
    """A phone, and all that its browser was sent."""

    def __init__(self, browser: Browser, address: str, **options) -> None:
        self.address = address
        self.answers: list[str] = []
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        self.context = browser.new_context(**{"viewport": SIZE, **options})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(HANG_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("response", self._answer)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def go(self, path: str = "", says: str = "Set-up") -> Page:
        self.page.goto(self.address + path)
        expect(self.page.locator("h2").first).to_have_text(says)
        return self.page

    def _console(self, message) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def _answer(self, response) -> None:
        self.hosts.add(response.url.split("/")[2])
        if "/api/" in response.url and response.request.method == "GET":
            self.answers.append(response)

    def told(self) -> str:
        """What the board has answered, and what the page holds."""
        return "".join(answer.text() for answer in self.answers) + self.page.content()


class Served:
    """The site of a board, as a process."""

    def __init__(self, name: str, folder: Path, *how: str, around: str = AROUND) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.board = boards.load(boards.FOLDERS / name)
        self.board.LOG_DIRECTORY = str(folder)
        command = [sys.executable, "-m", "tests.browser.setup_board", name, str(folder)]
        self._process = subprocess.Popen(
            [*command, str(self.port), *how], cwd=ROOT, env={**os.environ, "AROUND": around}
        )
        until(self._answers)

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def settings(self) -> dict:
        """What it has stored."""
        return opened({}, self.board).merged()

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the site has ended"
        try:
            with urllib.request.urlopen(self.address + "api/state") as answer:
                return answer.status == 200
        except OSError:
            return False


@pytest.fixture
def run(tmp_path) -> Iterator[Run]:
    """`make run SETUP=1` with an empty config."""
    (tmp_path / "empty.py").write_text("")
    port = str(free_port())
    arguments = ("--setup", "--config", str(tmp_path / "empty.py"), "--folder", str(tmp_path))
    process = Run(*arguments, AROUND=AROUND, WEB_PORT=port)
    process.wait_for(f"then open http://127.0.0.1:{port}/")
    process.address = f"http://127.0.0.1:{port}/"  # type: ignore[attr-defined]
    yield process
    process.close()


def picture(page: Page, name: str) -> None:
    """Of a step; and nothing is wider than the phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    page.screenshot(path=ROOT / f"build/setup-{name}.png", full_page=True)


# Filling in


def fill(form: Locator, values: dict) -> None:
    """Type values into the fields of their names."""
    for key, value in values.items():
        field = form.locator(f'[name="{key}"]')
        expect(field).to_be_attached()
        if not field.is_visible():
            form.locator("summary").click()
        kind = field.evaluate("e => e.type")
        if kind == "select-one":
            word = json.dumps(value) if isinstance(value, bool) else str(value)
            field.select_option(word)
        elif kind == "checkbox":
            field.set_checked(value)
        elif kind == "button":  # a dict
            for one, text in value.items():
                field.click()
                last = form.locator(".pairs .line").last.locator("input")
                last.nth(0).fill(one)
                last.nth(1).fill(text)
        elif isinstance(value, (list, tuple)):
            field.fill("\n".join(value))
        else:
            field.fill(str(value))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def add(page: Page, section: str, entry: dict) -> None:
    """An entry of readers or sinks, from the view of what is set and back to it."""
    before = page.locator(f"#{section} li").count()
    page.locator(f"#{section} select").select_option(entry["type"])
    page.locator(f"#{section}").get_by_role("button", name="Add").click()
    form = page.locator("form")
    fill(form, {key: value for key, value in entry.items() if key != "type"})
    press(page, "Save")
    expect(page.locator(f"#{section} li")).to_have_count(before + 1)


def join(page: Page, network: dict) -> None:
    """From the view of what is set, to "In the Wi-Fi"."""
    page.get_by_role("button", name="Wi-Fi").click()
    network = dict(network)
    page.locator(".network", has=page.get_by_text(network.pop("ssid"), exact=True)).click()
    fill(page.locator("form"), network)
    press(page, "Join")


# From nothing


def test_from_nothing_to_a_reading(browser, run, tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    with Mosquitto(tmp_path / "broker") as broker, Visit(browser, run.address) as visit:
        page = visit.go()
        picture(page, "1-nothing")
        join(page, {"ssid": NAME, "password": "wrong password"})
        picture(page, "2-trying")
        problem = page.locator("form > .problem").nth(1)
        expect(problem).to_have_text(f"Wi-Fi {NAME}: the password is not accepted")
        expect(page.get_by_role("radio", checked=True)).to_have_count(1)
        picture(page, "3-wrong-password")
        fill(page.locator("form"), {"password": KEY})
        press(page, "Join")
        expect(page.locator("h2")).to_have_text("In the Wi-Fi")
        expect(page.locator("main")).to_contain_text(NAME)
        picture(page, "4-joined")
        press(page, "Go on")
        picture(page, "5-online")
        add(page, "readers", {"type": "dsmr", "uart": "sim"})
        page.goto(run.address + "#sinks/+mqtt")
        press(page, "Save")
        wrong = page.locator(".field", has=page.locator("[name=host]")).locator(".problem")
        expect(wrong).to_have_text("host is missing: name or address of the broker")
        assert page.evaluate("document.activeElement.name") == "host"
        picture(page, "6-problem")
        fill(page.locator("form"), {"host": "127.0.0.1", "port": broker.port, "topic": "set up"})
        press(page, "Save")
        expect(page.locator("#sinks li")).to_have_count(1)
        expect(page.get_by_text("A meter is missing")).to_have_count(0)
        picture(page, "7-ready")
        press(page, "Start")
        expect(page.locator("h2")).to_have_text("It starts")
        picture(page, "8-started")
        with Recorder(broker.port, "set up/#") as recorder:
            recorder.wait_for(lambda: any(b"power_import" in m[1] for m in recorder.messages))
        assert visit.complaints == [] and visit.hosts == {run.address.split("/")[2]}
        assert KEY not in visit.told()


def test_without_scripts(browser, run, tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    with Mosquitto(tmp_path / "broker") as broker:
        with Visit(browser, run.address, java_script_enabled=False) as visit:
            page = visit.page
            page.goto(run.address)
            page.get_by_role("link", name="Set up without scripts").click()
            fields = page.locator("form").first
            fields.locator("[name=ssid]").fill(NAME)
            fields.locator("[name=password]").fill(KEY)
            press(page, "Join")
            expect(page.get_by_text(f"In the Wi-Fi {NAME}")).to_be_visible()
            page.get_by_role("link", name="dsmr").click()
            page.locator("[name=uart]").fill("sim")
            press(page, "Add")
            page.get_by_role("link", name="mqtt").click()
            page.locator("[name=host]").fill("127.0.0.1")
            page.locator("[name=port]").fill("65536")
            press(page, "Add")
            expect(page.locator(".problem")).to_contain_text("from 1 to 65535")
            page.locator("[name=port]").fill(str(broker.port))
            press(page, "Add")
            press(page, "Start")
        with Recorder(broker.port) as recorder:
            recorder.wait_for(lambda: any(b"power_import" in m[1] for m in recorder.messages))


@pytest.mark.parametrize(
    "path",
    [path for path in EXAMPLES if LONG or path.stem in SOME],
    ids=lambda path: path.stem,
)
def test_every_example_config_by_the_form(browser, tmp_path, path):
    """What the board has checked in the end is what it checks of the file."""
    given = schema.given_of(user_config.read(path))
    network = given.get("wifi") or {}
    around = [[network.get("ssid", ""), network.get("password", ""), -50]]
    name = given.get("board", "HOST")
    with (
        Served(name, tmp_path, around=json.dumps(around)) as board,
        Visit(browser, board.address) as visit,
    ):
        page = visit.go()
        if network:
            join(page, network)
            press(page, "Go on")
        for section in ("readers", "sinks"):
            for entry in given.get(section, ()):
                add(page, section, entry)
        rest = {key: value for key, value in given.items() if isinstance(value, dict)}
        rest["top"] = {key: given[key] for key in ("device", "board") if key in given}
        for section in sorted(set(rest) - {"wifi"}):
            page.goto(board.address + "#" + section)
            fill(page.locator("form"), rest[section])
            press(page, "Save")
            expect(page.locator("h2")).to_have_text("Set-up")
        stored = schema.check(board.settings(), board.board, registry)
        assert vars(stored) == vars(schema.check(given, board.board, registry))
        assert visit.complaints == []


# Secrets, and who may what


def test_secrets_stay_where_they_are(browser, tmp_path):
    secrets = ["key of mqtt €", "another, typed"]
    with Served("HOST", tmp_path) as board, Visit(browser, board.address) as visit:
        page = visit.go()
        add(
            page,
            "sinks",
            {"type": "mqtt", "host": "one.example", "user": "u", "password": secrets[0]},
        )
        page.get_by_role("button", name="Edit").click()
        field = page.locator("[name=password]")
        assert field.input_value() == ""
        expect(field).to_have_attribute("placeholder", "stored; is kept")
        fill(page.locator("form"), {"topic": "new topic"})
        press(page, "Save")
        expect(page.locator("h2")).to_have_text("Set-up")
        (entry,) = board.settings()["sinks"]
        assert entry["password"] == secrets[0] and entry["topic"] == "new topic"

        page.get_by_role("button", name="Edit").click()
        fill(page.locator("form"), {"host": "stranger.example"})
        press(page, "Save")
        problem = page.locator(".field.secret .problem")
        expect(problem).to_contain_text("password has to be given again")
        assert board.settings()["sinks"] == [entry]
        field.fill(secrets[1])
        press(page, "Save")
        expect(page.locator("h2")).to_have_text("Set-up")
        assert board.settings()["sinks"][0]["password"] == secrets[1]

        page.get_by_role("button", name="Edit").click()
        page.locator("form").get_by_role("button", name="Remove", exact=True).click()
        press(page, "Save")
        expect(page.locator("h2")).to_have_text("Set-up")
        assert "password" not in board.settings()["sinks"][0]
        for secret in secrets:
            assert secret not in visit.told()


def test_from_the_lan_a_password_comes_first(browser, tmp_path):
    with Served("HOST", tmp_path, "lan") as board:
        with Visit(browser, board.address) as visit:
            page = visit.go(says="Choose a password")
            page.locator("[name=password]").fill("short")
            press(page, "Set it")
            expect(page.locator(".problem").first).to_contain_text("8")
            page.locator("[name=password]").fill("long enough")
            picture(page, "password")
            press(page, "Set it")
            expect(page.locator("h2")).to_have_text("Set-up")
            add(page, "sinks", {"type": "console"})
        with Visit(browser, board.address) as visit:  # another browser
            page = visit.go(says="Log in")
            page.locator("[name=password]").fill("not that one")
            press(page, "Log in")
            expect(page.locator(".problem").first).not_to_be_empty()
            page.locator("[name=password]").fill("long enough")
            press(page, "Log in")
            expect(page.locator("#sinks li")).to_have_count(1)


def test_where_only_the_wifi_may_be_set(browser, tmp_path):
    with (
        Served("HOST", tmp_path, "only_wifi") as board,
        Visit(browser, board.address) as visit,
    ):
        page = visit.go(says="Wi-Fi")
        page.get_by_text("Another name").click()
        fill(page.locator("form"), {"ssid": "home", "password": "correct horse battery"})
        picture(page, "only-wifi")
        press(page, "Join")
        expect(page.locator("h2")).to_have_text("In the Wi-Fi")
        expect(page.get_by_text("That is all there is to do here")).to_be_visible()
        assert board.settings()["wifi"]["ssid"] == "home"


def test_a_phone_that_drops_off_while_the_board_joins(browser, tmp_path):
    with Served("HOST", tmp_path) as board, Visit(browser, board.address) as visit:
        page = visit.go()
        page.get_by_role("button", name="Wi-Fi").click()
        page.locator(".network", has_text="open").last.click()
        expect(page.locator("[name=password]")).not_to_be_visible()
        page.route("**/api/state", lambda route: route.abort())  # from now on
        press(page, "Join")
        expect(page.get_by_text("join its Wi-Fi JouleLog-TEST again")).to_be_visible()
        page.unroute("**/api/state")
        expect(page.locator("h2")).to_have_text("In the Wi-Fi")


# The form code


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(browser, tmp_path, scheme):
    """At 360 px nothing is cut; a contrast of 4.5 (WCAG AA); every field has a label."""
    with (
        Served("ESP32_GENERIC", tmp_path) as board,
        Visit(browser, board.address, color_scheme=scheme) as visit,
    ):
        page = visit.go()
        text = page.evaluate("fetch('/api/schema').then(answer => answer.text())")
        views = ["", "wifi", "top", "clock", "log", "queue", "led", "webrepl"]
        for line in text.split("\n"):
            if line[:9] == "[readers " or line[:7] == "[sinks ":
                views.append(line[1:-1].replace(" ", "/+"))
        assert len(views) > 20
        for view in views if LONG else views[:2] + views[2 + (scheme == "dark") :: 4]:
            page.goto(board.address + "#" + view)
            heading = page.locator("h2")
            expect(heading).to_be_focused()
            if view:
                expect(heading).not_to_have_text("Set-up")
            for fold in page.locator("summary").all():
                fold.click()
            picture(page, f"{scheme}-{view.replace('/+', '-') or 'all'}")
            assert page.evaluate(CONTRAST) >= 4.5, view
            for field in page.locator("input:visible, select:visible, textarea:visible").all():
                assert field.evaluate("e => e.labels.length > 0 || e.ariaLabel"), view
        assert visit.complaints == []


def test_by_the_keyboard_alone(browser, tmp_path):
    with Served("ESP32_GENERIC", tmp_path) as board, Visit(browser, board.address) as visit:
        page = visit.go()
        expect(page.locator("h2")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")  # behind the Wi-Fi
        page.keyboard.type("P1")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("h2")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.type("UART 2")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")  # invert
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#readers li")).to_have_count(1)
        assert board.settings()["readers"] == [{"type": "dsmr", "uart": 2, "invert": True}]
        page.go_back()
        expect(page.locator("h2")).to_contain_text("Meter")


def test_it_reads_the_schema_as_the_firmware_does(browser):
    code = subprocess.run(
        [built.tools() / "esbuild", "schema.ts", "--bundle", "--global-name=made"],
        cwd=ROOT / "web/src",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    texts = {"wifi": tables.WIFI, "top": tables.TOP}
    for name in registry.names(registry.SINKS):
        own = registry.module(registry.SINKS, name).SCHEMA
        texts["sinks " + name] = own if isinstance(own, str) else "\n".join(own)
    whole = "".join(f"[{name}]\n{text}\n" for name, text in texts.items())
    page = browser.new_page()
    page.add_script_tag(content=code)
    for name, text in texts.items():
        found = page.evaluate(
            "([text, name, type]) => new made.Schema(text).rows(name, type)",
            [whole, *(name.split(" ") + [""])[:2]],
        )
        wanted = [row for row in schema.rows(text) if row[0] != "type"]
        assert [one["key"] for one in found] == [row[0] for row in wanted]
        for one, (_, kind, default, text_of) in zip(found, wanted, strict=True):
            assert f"{one['kind']} {one['limits']}".strip() == kind
            assert one["required"] == (default == "required")
            assert one["required"] or one["initial"] == json.loads(default)
            assert one["help"] == text_of
    page.close()


def test_usual_keys_are_keys():
    """What the page shows at once is in some meter's or destination's schema."""
    known = set()
    for table in (registry.READERS, registry.SINKS):
        for name in registry.names(table):
            texts = registry.module(table, name).SCHEMA
            for text in (texts,) if isinstance(texts, str) else texts:
                known |= {row[0] for row in schema.rows(text)}
    for text in (tables.READER, tables.CLOCK):
        known |= {row[0] for row in schema.rows(text)}
    source = (ROOT / "web/src/fields.ts").read_text()
    block = source[source.index("export const USUAL") : source.index("interface Control")]
    usual = [word for word in block.split('"')[1::2]]
    assert len(usual) > 10 and set(usual) <= known


# The build


def test_it_is_small_and_built_alike(module, tmp_path, monkeypatch):
    text = module.read_bytes()
    assert sum(built.sizes().values()) <= 12 * 1024
    monkeypatch.setattr(built, "PAGE", tmp_path)
    assert built.build().read_bytes() == text
    names: dict = {}
    exec(text, names)
    page = gzip.decompress(names["HTML"])
    assert b"<script src=" in page and b"style=" not in page and b"://" not in page


def test_without_node_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(built, "_STAMP", tmp_path / "nothing")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="npm is missing.*plain forms"):
        built.build()
