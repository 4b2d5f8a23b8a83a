"""Set-up mode on a computer, from outside: a guest of the access point, somebody in the LAN.

A client at 127.0.0.1 stands for a guest, one at 127.0.0.2 for the LAN. The networks in reach are
those of AROUND (tools/host/shims/network.py). The firmware is `make run SETUP=1`.
"""

import contextlib
import http.client
import json
import os
import random
import socket
import urllib.parse

from tests.integration.run_rig import Run, config
from tests.waiting import until as wait_until

PASSWORD = 'correct "horse"; ä+%'
AROUND = json.dumps([["home & garden", PASSWORD, -50], ["café", "", -70]])
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PROBES = (
    ("connectivitycheck.gstatic.com", "/generate_204"),
    ("captive.apple.com", "/hotspot-detect.html"),
    ("www.msftconnecttest.com", "/connecttest.txt"),
    ("detectportal.firefox.com", "/canonical.html"),
)
LONG = bool(os.environ.get("JOULELOG_LONG"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Board:
    """A firmware in set-up mode, and requests to it."""

    def __init__(self, run: Run, port: int) -> None:
        self.run = run
        self.port = port
        self.answers: list[bytes] = []  # all that was ever answered
        self.cookie = ""
        self.csrf = ""

    def ask(self, method, path, body=None, headers=None, guest=True, host=None):
        """(status, headers, body) of a request of a page of the board's own."""
        source = "127.0.0.1" if guest else "127.0.0.2"
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=120, source_address=(source, 0)
        )
        asked = host or f"127.0.0.1:{self.port}"
        sent = {"Host": asked, "Origin": f"http://{asked}"} | (headers or {})
        if not guest and self.cookie:
            sent |= {"Cookie": self.cookie, "X-CSRF-Token": self.csrf}
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            data = answer.read()
        self.answers.append(repr(answer.getheaders()).encode() + data)
        return answer.status, answer.headers, data

    def get(self, path, **about):
        status, _, data = self.ask("GET", path, **about)
        assert status == 200, (path, status, data)
        return json.loads(data)

    def post(self, path, value, **about):
        status, _, data = self.ask("POST", path, json.dumps(value).encode(), JSON, **about)
        return status, json.loads(data)

    def form(self, path, **fields):
        body = urllib.parse.urlencode(fields).encode()
        status, _, data = self.ask("POST", path, body, FORM)
        return status, data.decode()

    def join(self, ssid, password, **about):
        """Join a network; what came of it."""
        status, told = self.post("/api/wifi", {"ssid": ssid, "password": password})
        assert status == 202, told
        wait_until(lambda: not self.get("/api/state")["trying"])
        return self.get("/api/state")

    def log_in(self, path, **fields):
        """By the LAN; the status."""
        body = json.dumps(fields).encode()
        status, headers, data = self.ask("POST", path, body, JSON, guest=False)
        if status == 200:
            self.cookie = headers["Set-Cookie"].split(";")[0]
            self.csrf = json.loads(data)["csrf"]
        return status


@contextlib.contextmanager
def board(tmp_path, text="", *arguments, **variables):
    port = free_port()
    about = {"WEB_PORT": str(port), "AROUND": AROUND} | variables
    with contextlib.closing(
        Run("--setup", *arguments, "--config", config(tmp_path, text), **about)
    ) as run:
        run.wait_for("then open http://127.0.0.1")
        found = Board(run, port)

        def answers() -> bool:
            with contextlib.suppress(OSError):
                return found.ask("GET", "/api/state")[0] == 200
            return False

        wait_until(answers)
        yield found


def settings_of(found: Board) -> dict:
    """What counts; without the folder that the test has given it."""
    counts = found.get("/api/settings")["config"]
    return {name: counts[name] for name in counts if name != "log"}


MQTT = {"type": "mqtt", "host": "192.0.2.9", "user": "me", "password": "of the broker"}
METER = {"type": "dsmr", "uart": "sim"}


def test_from_nothing_to_a_reading(tmp_path):
    """A wrong password is told, the right one kept; then meter, console, start."""
    with board(tmp_path) as found:
        networks = found.get("/api/networks")["networks"]
        assert networks == [["home & garden", -50, True], ["café", -70, False]]
        state = found.join("home & garden", "wrong password")
        assert state["problem"] == "Wi-Fi home & garden: the password is not accepted"
        assert state["address"] == "" and settings_of(found) == {}
        state = found.join("nowhere", "some password")
        assert "no network of that name" in state["problem"]
        state = found.join("home & garden", PASSWORD)
        assert state["problem"] == "" and state["address"]
        assert settings_of(found) == {"wifi": {"ssid": "home & garden", "password": True}}
        status, told = found.post(
            "/api/settings", {"readers": [METER], "sinks": [{"type": "mqt"}]}
        )
        assert status == 422 and 'did you mean "mqtt"' in told["problems"][0]
        status, told = found.post(
            "/api/settings", {"readers": [METER], "sinks": [{"type": "console", "style": "lines"}]}
        )
        assert (status, told) == (200, {"saved": True})
        assert found.get("/api/state")["usable"]
        assert found.post("/api/restart", {})[0] == 200
        found.run.wait_for("what config.py says of that does not count")
        found.run.wait_for("dsmr energy_import_t1=[0-9]+[.][0-9]{3} kWh")
        for text in [found.run.output.encode(), *found.answers]:
            assert PASSWORD.encode() not in text and b"horse" not in text


def test_a_secret_goes_to_no_stranger(tmp_path):
    with board(tmp_path) as found:
        assert found.post("/api/settings", {"readers": [METER], "sinks": [MQTT]})[0] == 200
        shown = settings_of(found)["sinks"][0]
        assert shown == MQTT | {"password": True}
        assert found.post("/api/settings", {"sinks": [shown | {"topic": "new"}]})[0] == 200
        status, told = found.post("/api/settings", {"sinks": [shown | {"host": "192.0.2.66"}]})
        assert status == 422
        assert "sinks[0]: `password` has to be given again" in told["problems"][0]
        for text in [found.run.output.encode(), *found.answers]:
            assert b"of the broker" not in text


def test_probes_lead_to_the_page(tmp_path):
    with board(tmp_path) as found:
        for host, path in PROBES:
            status, headers, data = found.ask("GET", path, host=host)
            assert status == 302 and headers["Location"] == "http://127.0.0.1/", host
            assert b"Success" not in data
        status, headers, _ = found.ask("GET", "/")
        assert (status, headers["Location"]) == (302, "/plain") or status == 200
        assert found.ask("GET", "/plain")[0] == 200


def test_pages_of_others_write_nothing(tmp_path):
    with board(tmp_path) as found:
        for origin in ("http://evil.example", "null", ""):
            body = json.dumps({"readers": [METER]}).encode()
            headers = JSON | {"Origin": origin}
            assert found.ask("POST", "/api/settings", body, headers)[0] == 403, origin
            assert found.ask("POST", "/plain/restart", b"", FORM | {"Origin": origin})[0] == 403
        assert settings_of(found) == {}


def test_in_the_lan_everything_that_writes_has_the_password(tmp_path):
    with board(tmp_path) as found:
        value = {"readers": [METER]}
        for path in ("/api/settings", "/api/wifi", "/api/restart"):
            status, told = found.post(path, value, guest=False)
            assert status == 403 and "choose a password first" in told["problem"]
        # A guest of the point has no business with it.
        for path in ("/api/password", "/api/login", "/api/logout"):
            assert found.post(path, {"password": "of a guest"})[0] == 404
        assert found.log_in("/api/password", password="of the owner") == 200
        assert found.post("/api/settings", value, guest=False)[0] == 200
        token, found.csrf = found.csrf, "another"
        assert found.post("/api/settings", value, guest=False)[0] == 403
        found.csrf = token
        assert found.post("/api/logout", {}, guest=False)[0] == 200
        assert found.post("/api/settings", value, guest=False)[0] == 401
        assert found.log_in("/api/login", password="of a thief") == 401
        assert found.log_in("/api/login", password="of the owner") == 200
        assert found.post("/api/settings", {"device": "attic"}, guest=False)[0] == 200
        for text in [found.run.output.encode(), *found.answers]:
            assert b"of the owner" not in text


def test_after_the_button_there_is_the_wifi_form_alone(tmp_path):
    with board(tmp_path, SETUP="button") as found:
        assert "open for ten minutes, for the Wi-Fi alone" in found.run.output
        assert found.get("/api/state")["only_wifi"]
        for path in ("/api/settings", "/api/schema", "/plain/add", "/api/session", "/x"):
            assert found.ask("GET", path)[0] == 404, path
        for path in ("/api/settings", "/api/restart", "/plain/add", "/plain/remove"):
            assert found.post(path, {})[0] == 404, path
        assert found.ask("GET", "/api/state", guest=False)[0] == 404
        assert found.join("home & garden", PASSWORD)["address"]


def test_the_button_for_twenty_seconds_forgets_settings_and_password(tmp_path):
    with board(tmp_path) as found:
        assert found.post("/api/settings", {"readers": [METER], "sinks": [MQTT]})[0] == 200
        assert found.log_in("/api/password", password="of the owner") == 200
        assert found.get("/api/session", guest=False)["password"]
    with board(tmp_path, SETUP="erase", SPEED="120") as found:
        found.run.wait_for("Set-up: join the Wi-Fi JouleLog-.... [(]password")
        assert settings_of(found) == {}
        assert not found.get("/api/session", guest=False)["password"]


def test_the_open_point_closes_and_nobody_comes(tmp_path):
    """Time is compressed: ten minutes, where nothing is configured; five, where something is."""
    with board(tmp_path, SETUP="button", SPEED="120") as found:
        found.run.wait_for("Set-up: join the Wi-Fi JouleLog-.... [(]password")
        assert not found.get("/api/state")["only_wifi"]
    text = "readers = [{'type': 'dsmr', 'uart': 'sim'}]\n"
    text += "sinks = [{'type': 'console', 'style': 'lines'}]\n"
    with board(tmp_path, text, SETUP="button", SPEED="120") as found:
        found.run.wait_for("nobody was there for five minutes")
        found.run.wait_for("energy_import_t1")


def test_without_a_script(tmp_path):
    """The plain forms: any characters, problems in the schema's words."""
    with board(tmp_path) as found:
        status, page = found.form("/plain/wifi", ssid="home & garden", password=PASSWORD)
        assert status == 200 and "Trying the Wi-Fi home &amp; garden" in page
        wait_until(lambda: found.get("/api/state")["address"])
        status, page = found.form("/plain/add?section=sinks&type=mqtt", host="")
        assert status == 422 and "`host` is missing" in page
        odd = '<b>"&;+% ü'
        status, page = found.form(
            "/plain/add?section=sinks&type=mqtt", host="192.0.2.9", user=odd, password="p" + odd
        )
        assert status == 303, page
        status, page = found.form(
            "/plain/add?section=readers&type=dsmr", uart="sim", interval="10", codes='{"a": 1}'
        )
        assert status == 422 and "codes" in page
        status, page = found.form(
            "/plain/add?section=readers&type=dsmr", uart="sim", interval="10"
        )
        assert status == 303, page
        counts = settings_of(found)
        assert counts["sinks"] == [
            {"type": "mqtt", "host": "192.0.2.9", "user": odd, "password": True}
        ]
        assert counts["readers"] == [{"type": "dsmr", "uart": "sim", "interval": 10}]
        _, _, data = found.ask("GET", "/plain")
        assert b'<b>"' not in data and b"Start</button>" in data
        assert found.form("/plain/remove", section="sinks", index="0")[0] == 303
        assert settings_of(found)["sinks"] == []
        assert found.form("/plain/remove", section="sinks", index="7")[0] == 303
        status, page = found.form("/plain/restart")
        assert status == 200 and "The board starts" in page
        found.run.wait_for("reader dsmr")


def test_hostile_values(tmp_path):
    """What no form sends: no exception, and nothing is stored."""
    chance = random.Random(14)
    keys = ["wifi", "readers", "sinks", "log", "type", "ssid", "password", "host", "url", "uart"]
    leaves = [None, True, 7, -1, 1 << 40, 1.5, "", "x" * 3000, "mqtt", "dsmr", "sim", "é\0", "../"]

    def value(depth: int):
        kind = chance.randrange(4) if depth else 3
        if kind == 0:
            return [value(depth - 1) for _ in range(chance.randrange(4))]
        if kind < 3:
            return {chance.choice(keys): value(depth - 1) for _ in range(chance.randrange(4))}
        return chance.choice(leaves)

    with board(tmp_path) as found:
        for number in range(10000 if LONG else 300):
            path = chance.choice(["/api/settings", "/api/wifi", "/plain/add?section=sinks&type=x"])
            body = json.dumps({chance.choice(keys): value(3) for _ in range(2)}).encode()
            if number % 3 == 0:
                body = bytes(chance.choice([byte, chance.randrange(256)]) for byte in body)
            status, _, data = found.ask("POST", path, body, JSON)
            assert status in (200, 202, 400, 404, 413, 422), (status, body, data)
            if status != 404:
                json.loads(data)
        wait_until(lambda: not found.get("/api/state")["trying"])
        assert "Traceback" not in found.run.output and "failed" not in found.run.output


def test_beside_the_running_app(tmp_path):
    """A router that is gone: the meter goes on, a new network is taken on the access point."""
    text = (
        "wifi = {'ssid': 'the old one', 'password': 'some password'}\n"
        "readers = [{'type': 'dsmr', 'uart': 'sim'}]\n"
        "sinks = [{'type': 'console', 'style': 'lines'}]\n"
    )
    port = free_port()
    about = {"WEB_PORT": str(port), "AROUND": AROUND, "SPEED": "60"}
    with contextlib.closing(Run("--config", config(tmp_path, text), **about)) as run:
        run.wait_for("no network for five minutes: the Wi-Fi JouleLog-.... takes a new one")
        found = Board(run, port)
        wait_until(lambda: _answers(found))
        assert found.get("/api/state")["only_wifi"]
        for path in ("/api/settings", "/api/schema", "/api/session", "/plain/add"):
            assert found.ask("GET", path)[0] == 404, path
        assert found.ask("GET", "/api/state", guest=False)[0] == 404
        before = run.output.count("energy_import_t1")
        assert found.join("home & garden", PASSWORD)["address"]
        run.wait_for("connected, address")
        run.wait_for("energy_import_t1", before + 30)
        wait_until(lambda: not _answers(found))  # the point is closed again


def _answers(found: Board) -> bool:
    with contextlib.suppress(OSError):
        return found.ask("GET", "/api/state")[0] == 200
    return False


def test_on_the_vm(tmp_path):
    """The same on MicroPython, whose code is in RAM here; an image's heap is size ONLY=setup's."""
    with board(tmp_path, "", "--vm", "--profile", "esp32", "--heap", "256k") as found:
        assert found.join("home & garden", PASSWORD)["address"]
        assert found.post("/api/settings", {"readers": [METER], "sinks": [MQTT]})[0] == 200
        status, headers, data = found.ask("GET", "/api/schema")
        assert status == 200 and b"[sinks mqtt]" in data
        assert found.ask("GET", "/plain")[0] == 200
        assert settings_of(found)["sinks"][0]["password"] is True
