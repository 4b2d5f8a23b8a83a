"""web/auth, web/password, web/tries: passwords, sessions, other sites, tries, restarts."""

import asyncio
import json
import logging
import os
import unittest

import microdot
from httphead import Refused

from joulelog.web.auth import Auth
from joulelog.web.password import Password
from joulelog.web.server import Server
from joulelog.web.tries import Tries

HOST = "192.168.1.7"
CLIENT = "192.168.1.20"
GOOD = "correct h\u00f6rse"
OTHER = "battery staple"
MINUTE = 60000
ROUNDS = 60  # three steps


class Store:
    """As joulelog.device.state has it, without files."""

    def __init__(self) -> None:
        self.values: dict = {}
        self.writes = 0
        self.works = True
        self.flash = "{}"

    def get(self, key, default=None):
        return self.values.get(key, default)

    def put(self, key, value) -> None:
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value

    def save_now(self) -> bool:
        self.writes += 1
        if self.works:
            self.flash = json.dumps(self.values)
        return self.works

    def restarted(self):
        """What is found at the next start."""
        store = Store()
        store.values = json.loads(self.flash)
        return store


class Clock:
    ms = 1000

    def now_ms(self):
        return self.ms


class Kept(logging.Handler):
    """What is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list = []

    def emit(self, record) -> None:
        self.lines.append(record.getMessage() if hasattr(record, "getMessage") else record.message)


class AuthTest(unittest.TestCase):
    def setUp(self):
        self.store = Store()
        self.clock = Clock()
        self.points: set = set()
        self.told: list = []  # all that was answered
        self.log = Kept()
        self._before = logging.getLogger().handlers
        logging.getLogger().handlers = [self.log]
        self.start()

    def tearDown(self):
        logging.getLogger().handlers = self._before

    def start(self):
        """As after a restart."""
        self.app = microdot.Microdot()
        self.auth = Auth(
            self.store,
            os.urandom,
            self.clock.now_ms,
            ["JouleLog-1a2b.local"],
            lambda address: "point" if address in self.points else "lan",
            {"/wifi"},
            ROUNDS,
        )
        self.auth.routes(self.app)
        Server(self.app)  # whose answers are JSON where no handler is found

        async def save(request):
            return self.auth.may_write(request) or {"saved": True}

        async def show(request):
            return {"shown": True}

        self.app.post("/api/save")(save)
        self.app.delete("/api/save")(save)
        self.app.get("/wifi")(show)
        self.app.get("/readings")(show)

    def ask(self, method, path, fields=None, headers=None, client=CLIENT, cookie=None, csrf=None):
        """(status, what was answered, cookie) of a request of a page of the board's own."""
        return asyncio.run(self.asked(method, path, fields, headers, client, cookie, csrf))

    async def asked(
        self, method, path, fields, headers=None, client=CLIENT, cookie=None, csrf=None
    ):
        sent = {"Host": HOST, "Origin": "http://" + HOST}
        if cookie:
            sent["Cookie"] = "a=b; joulelog=" + cookie
        if csrf:
            sent["X-CSRF-Token"] = csrf
        sent.update(headers or {})
        made = type(microdot.Response().headers)()
        for name, value in sent.items():
            if value is not None:
                made[name] = value
        request = microdot.Request(self.app, (client, 1), method, path, "1.1", made)
        request.g.fields = fields or {}
        response = await self.app.dispatch_request(request)
        response.complete()
        found = response.headers.get("Set-Cookie", "")
        self.told.append((response.status_code, response.body))
        if response.status_code >= 400:
            self.assertTrue(json.loads(response.body.decode())["problem"])
        found = found[found.find("=") + 1 : found.find(";")] if found else ""
        return response.status_code, json.loads(response.body.decode()), found

    def choose(self, text=GOOD):
        status, told, cookie = self.ask("POST", "/api/password", {"password": text})
        self.assertEqual(status, 200)
        return cookie, told["csrf"]

    def log_in(self, text=GOOD, client=CLIENT):
        return self.ask("POST", "/api/login", {"password": text}, client=client)


class TestPassword(AuthTest):
    def test_nothing_is_written_before_there_is_one(self):
        self.assertEqual(self.ask("GET", "/api/session")[1], {"password": False, "csrf": ""})
        self.assertEqual(self.ask("POST", "/api/save")[0], 403)
        self.assertEqual(self.log_in()[0], 409)
        cookie, csrf = self.choose()
        self.assertEqual(self.ask("POST", "/api/save", cookie=cookie, csrf=csrf)[0], 200)
        # a second "first" one is none
        self.assertEqual(self.ask("POST", "/api/password", {"password": OTHER})[0], 401)
        self.assertEqual(self.log_in(OTHER)[0], 401)
        self.assertEqual(self.log_in()[0], 200)

    def test_which_may_be_one(self):
        for text in ("1234567", "", "x" * 65, None, 12345678, ["a"] * 8, {"a": 1}):
            self.assertEqual(self.ask("POST", "/api/password", {"password": text})[0], 400, text)
        for text in ("12345678", "\u00e4" * 8, "\U0001f600" * 64, "%+&=;'\" \\\x00\n"):
            self.store.put("password", None)
            self.choose(text)
            self.assertEqual(self.log_in(text)[0], 200)
            self.assertEqual(self.log_in(text + " ")[0], 401)

    def test_a_lone_surrogate_is_no_password(self):
        try:
            text = json.loads('"\\ud800aaaaaaaa"')
            text.encode()
        except ValueError:
            self.assertEqual(self.ask("POST", "/api/password", {"password": text})[0], 400)
            self.choose()
            self.assertEqual(self.log_in(text)[0], 401)

    def test_a_change_needs_the_old_one_and_ends_the_other_sessions(self):
        cookie, csrf = self.choose()
        other, other_csrf = self.log_in()[2], None
        fields = {"password": OTHER, "old": "wrong wrong"}
        self.assertEqual(self.ask("POST", "/api/password", fields, cookie=cookie)[0], 403)
        told = self.ask("POST", "/api/password", fields, cookie=cookie, csrf=csrf)
        self.assertEqual(told[0], 401)
        fields["old"] = GOOD
        self.assertEqual(self.ask("POST", "/api/password", fields)[0], 401)
        told = self.ask("POST", "/api/password", fields, cookie=cookie, csrf=csrf)
        self.assertEqual(told[0], 200)
        for old in (cookie, other):
            self.assertEqual(self.ask("POST", "/api/save", cookie=old, csrf=csrf)[0], 401)
        new = self.ask("POST", "/api/save", cookie=told[2], csrf=told[1]["csrf"])
        self.assertEqual(new[0], 200)
        self.assertEqual((self.log_in()[0], self.log_in(OTHER)[0]), (401, 200))
        self.assertIsNone(other_csrf)

    def test_it_outlives_a_restart_and_the_sessions_do_not(self):
        cookie, csrf = self.choose()
        self.store = self.store.restarted()
        self.start()
        self.assertEqual(self.ask("GET", "/api/session", cookie=cookie)[1]["csrf"], "")
        status, told, _ = self.ask("POST", "/api/save", cookie=cookie, csrf=csrf)
        self.assertEqual(status, 401)
        self.assertIn("log in", told["problem"])
        self.assertEqual(self.log_in()[0], 200)

    def test_flash_that_takes_nothing(self):
        self.store.works = False
        self.assertEqual(self.ask("POST", "/api/password", {"password": GOOD})[0], 500)
        self.assertFalse(self.auth.password.is_set())

    def test_one_derivation_at_a_time(self):
        self.choose()

        async def story():
            asked = [
                asyncio.create_task(self.asked("POST", "/api/login", {"password": GOOD}))
                for _ in range(6)
            ]
            statuses = []
            for one in asked:
                statuses.append((await one)[0])
            return statuses

        statuses = asyncio.run(story())
        self.assertEqual((statuses.count(200), statuses.count(429)), (2, 4))
        self.assertEqual(self.log_in()[0], 200)

    def test_two_who_choose_at_the_same_time(self):
        async def story():
            asked = [
                asyncio.create_task(self.asked("POST", "/api/password", {"password": text}))
                for text in (GOOD, OTHER)
            ]
            statuses = []
            for one in asked:
                statuses.append((await one)[0])
            return statuses

        self.assertEqual(asyncio.run(story()), [200, 409])
        self.assertEqual(self.log_in()[0], 200)

    def test_nothing_secret_is_told(self):
        cookie, csrf = self.choose()
        self.log_in("a wrong guess")
        self.log_in("short")
        self.ask(
            "POST", "/api/password", {"password": OTHER, "old": GOOD}, cookie=cookie, csrf=csrf
        )
        rounds, salt, made = self.store.get("password")
        text = repr(self.told) + repr(self.log.lines)
        for secret in (GOOD, OTHER, "a wrong guess", salt, made, cookie):
            self.assertFalse(secret in text, secret)
        self.assertIn("no login from", text)
        self.assertEqual(len(salt), 32)
        self.assertEqual(rounds, str(ROUNDS))

    def test_the_same_password_has_another_hash(self):
        self.choose()
        first = self.store.get("password")
        self.store.put("password", None)
        self.choose()
        self.assertFalse(first[2] == self.store.get("password")[2])


class TestSessions(AuthTest):
    def test_out(self):
        cookie, csrf = self.choose()
        self.assertEqual(self.ask("POST", "/api/logout", cookie=cookie)[0], 403)
        self.assertEqual(self.ask("POST", "/api/logout", cookie=cookie, csrf=csrf)[0], 200)
        self.assertEqual(self.ask("POST", "/api/save", cookie=cookie, csrf=csrf)[0], 401)

    def test_a_session_is_told_its_token(self):
        cookie, csrf = self.choose()
        told = self.ask("GET", "/api/session", cookie=cookie)[1]
        self.assertEqual(told, {"password": True, "csrf": csrf})
        for wrong in ("", "x", cookie[:-1], cookie + "0", "\u00e4" * 32):
            self.assertEqual(self.ask("GET", "/api/session", cookie=wrong)[1]["csrf"], "")

    def test_after_thirty_minutes_and_twelve_hours(self):
        cookie, csrf = self.choose()
        for _ in range(23):
            self.clock.ms += 29 * MINUTE
            self.assertEqual(self.ask("POST", "/api/save", cookie=cookie, csrf=csrf)[0], 200)
        self.clock.ms += 29 * MINUTE
        self.ask("GET", "/api/session", cookie=cookie)
        self.clock.ms += 25 * MINUTE
        self.assertEqual(self.ask("POST", "/api/save", cookie=cookie, csrf=csrf)[0], 401)
        cookie = self.log_in()[2]
        self.clock.ms += 30 * MINUTE
        self.assertEqual(self.ask("GET", "/api/session", cookie=cookie)[1]["csrf"], "")

    def test_eight_of_them(self):
        first, csrf = self.choose()
        cookies = []
        for _ in range(8):
            self.clock.ms += 1000
            self.ask("GET", "/api/session", cookie=first)
            self.clock.ms += 1000
            cookies.append(self.log_in()[2])
        told = [bool(self.ask("GET", "/api/session", cookie=one)[1]["csrf"]) for one in cookies]
        self.assertEqual(told, [False] + [True] * 7)
        self.assertEqual(self.ask("POST", "/api/save", cookie=first, csrf=csrf)[0], 200)

    def test_the_cookies_attributes(self):
        self.choose()
        made = type(microdot.Response().headers)({"Host": HOST, "Origin": "http://" + HOST})
        request = microdot.Request(self.app, (CLIENT, 1), "POST", "/api/login", "1.1", made)
        request.g.fields = {"password": GOOD}
        response = asyncio.run(self.app.dispatch_request(request))
        parts = response.headers["Set-Cookie"].split("; ")
        self.assertEqual(len(parts[0]), len("joulelog=") + 32)
        self.assertEqual(parts[1:], ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"])


class TestSites(AuthTest):
    def test_tokens(self):
        cookie, csrf = self.choose()
        self.assertEqual(self.ask("POST", "/api/save", {"csrf": csrf}, cookie=cookie)[0], 200)
        self.assertEqual(self.ask("DELETE", "/api/save", cookie=cookie, csrf=csrf)[0], 200)
        for fields, header in (
            ({}, None),
            ({"csrf": ""}, None),
            ({"csrf": None}, None),
            ({"csrf": 1}, None),
            ({"csrf": [csrf]}, None),
            ({"csrf": csrf}, "x"),
            ({}, csrf[:-1]),
            ({}, cookie),
        ):
            told = self.ask("POST", "/api/save", fields, cookie=cookie, csrf=header)
            self.assertEqual(told[0], 403, (fields, header))

    def test_origins(self):
        cookie, csrf = self.choose()
        own = "http://" + HOST
        for headers, status in (
            ({"Origin": own}, 200),
            ({"Origin": own + ":80"}, 200),
            ({"Origin": None, "Referer": own + "/settings?x=http://evil/"}, 200),
            ({"Host": HOST + ":8080", "Origin": own + ":8080"}, 200),
            ({"Host": "joulelog-1A2B.local", "Origin": "http://joulelog-1a2b.local"}, 200),
            ({"Host": "joulelog-1a2b.local.", "Origin": "http://joulelog-1a2b.local."}, 200),
            ({"Origin": None}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": ""}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "https://" + HOST}, 403),
            ({"Origin": own + ":8080"}, 403),
            ({"Origin": own + ".evil.example"}, 403),
            ({"Origin": "http://evil.example/" + HOST}, 403),
            ({"Origin": "http://evil.example", "Referer": own + "/"}, 403),
            ({"Origin": None, "Referer": "http://evil.example/?" + own}, 403),
            ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
            ({"Host": "1.2.3.evil", "Origin": "http://1.2.3.evil"}, 403),
            ({"Host": "other.local", "Origin": "http://other.local"}, 403),
            ({"Host": "", "Origin": "http://"}, 403),
            ({"Host": None, "Origin": own}, 403),
        ):
            told = self.ask("POST", "/api/save", headers=headers, cookie=cookie, csrf=csrf)
            self.assertEqual(told[0], status, headers)
            if status == 403:  # nor does such a page log in, or choose a password
                fields = {"password": GOOD}
                self.assertEqual(self.ask("POST", "/api/login", fields, headers)[0], 403)
                self.store.put("password", None)
                self.assertEqual(self.ask("POST", "/api/password", fields, headers)[0], 403)
                self.assertFalse(self.auth.password.is_set())
                cookie, csrf = self.choose()

    def test_names_that_lead_here(self):
        for host, status in ((HOST, 200), ("joulelog-1a2b.local", 200), ("evil.example", 403)):
            self.assertEqual(self.ask("GET", "/readings", headers={"Host": host})[0], status)

    def test_from_the_point_there_is_what_is_named(self):
        cookie, csrf = self.choose()
        self.points.add(CLIENT)
        self.assertEqual(self.ask("GET", "/wifi", headers={"Host": "captive.example"})[0], 200)
        self.assertEqual(self.ask("POST", "/wifi")[0], 405)
        for method, path in (
            ("GET", "/readings"),
            ("GET", "/api/session"),
            ("POST", "/api/login"),
            ("POST", "/api/save"),
            ("GET", "/api/save"),
            ("PUT", "/api/save"),
            ("GET", "/nothing"),
        ):
            told = self.ask(method, path, {"password": GOOD}, cookie=cookie, csrf=csrf)
            self.assertEqual(told[0], 404, (method, path))
        self.points.clear()
        self.assertEqual(self.ask("PUT", "/api/save")[0], 405)


class TestTries(AuthTest):
    def test_five_a_minute(self):
        self.choose()
        for _ in range(5):
            self.assertEqual(self.log_in("wrong wrong")[0], 401)
            self.clock.ms += 1000
        status, told, _ = self.log_in()
        self.assertEqual(status, 429)
        self.assertIn("59 s", told["problem"])
        self.assertEqual(self.log_in("wrong wrong", "192.168.1.21")[0], 401)
        self.assertEqual(self.log_in(client="192.168.1.22")[0], 200)
        self.clock.ms += 59 * 1000
        self.assertEqual(self.log_in()[0], 200)

    def test_across_a_restart(self):
        self.choose()
        for _ in range(5):
            self.log_in("wrong wrong")
        self.clock.ms += MINUTE - 1
        self.log_in("wrong wrong", "192.168.1.21")  # writes again only a minute behind the first
        written = self.store.writes
        self.clock.ms += 1
        self.log_in("wrong wrong", "192.168.1.21")
        self.assertEqual(self.store.writes, written + 1)
        self.store = self.store.restarted()
        self.clock.ms = 1000
        self.start()
        for _ in range(3):
            self.assertEqual(self.log_in("wrong wrong", "192.168.1.21")[0], 401)
        self.assertEqual(self.log_in(client="192.168.1.21")[0], 429)

    def test_a_row_is_kept_with_its_fifth_try_by_the_stores_own_loop(self):
        tries = Tries(self.store, self.clock.now_ms)
        for _ in range(5):
            tries.begun(CLIENT)
            tries.keep()
        self.assertEqual(self.store.writes, 1)
        self.store.save_now()  # Store.save() in its loop
        again = Tries(self.store.restarted(), self.clock.now_ms)
        self.assertEqual(again.wait_s(CLIENT), 60)

    def test_many_addresses_push_nobody_out(self):
        tries = Tries(self.store, self.clock.now_ms)
        for _ in range(5):
            tries.begun(CLIENT)
        for number in range(200):
            tries.begun("10.0.0.%d" % number)
        self.assertEqual(tries.wait_s(CLIENT), 60)
        self.assertEqual(tries.wait_s("10.0.0.250"), 60)
        self.assertTrue(len(tries._rows) <= 18)
        self.clock.ms += MINUTE
        self.assertEqual(tries.wait_s(CLIENT), 0)
        self.assertEqual(tries._rows, {})

    def test_all_together_have_twenty(self):
        tries = Tries(self.store, self.clock.now_ms)
        for number in range(20):
            self.assertEqual(tries.wait_s("10.0.0.%d" % (number % 10)), 0)
            tries.begun("10.0.0.%d" % (number % 10))
        self.assertEqual(tries.wait_s(CLIENT), 60)

    def test_a_login_is_no_guess(self):
        tries = Tries(self.store, self.clock.now_ms)
        for _ in range(50):
            tries.begun(CLIENT)
            tries.right(CLIENT)
        self.assertEqual(tries.wait_s(CLIENT), 0)
        self.assertEqual(self.store.writes, 0)

    def test_what_the_store_has_may_be_anything(self):
        for value in ("", "=", "a", "a=b c=1=2 d=-1", "x=" + "9" * 100, 7, ["a=5"], "a=1 " * 500):
            self.store.put("tries", value)
            tries = Tries(self.store, self.clock.now_ms)
            self.assertTrue(tries.wait_s("x") in (0, 60))
            self.assertTrue(len(tries._rows) <= 19)

    def test_a_try_that_is_broken_off_counts(self):
        self.choose()
        password = self.auth.password

        async def story():
            for _ in range(5):
                task = asyncio.create_task(password.check("wrong wrong", CLIENT))
                await asyncio.sleep(0)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass
            with self.assertRaises(Refused) as caught:
                await password.check(GOOD, CLIENT)
            return caught.exception

        # so many rounds that one step is not all of it
        self.store.put("password", ["4000"] + self.store.get("password")[1:])
        self.assertEqual(asyncio.run(story()).args[0], 429)

    def test_a_store_without_a_password_that_can_be_read(self):
        for value in (["1"], "text", ["0", "00", "00"], ["9" * 30, "00", "00" * 32], [1, 2, 3]):
            self.store.put("password", value)
            password = Password(self.store, os.urandom, self.clock.now_ms, ROUNDS)
            with self.assertRaises(Refused):
                asyncio.run(password.check(GOOD, CLIENT))
            self.assertTrue(password.is_set())


if __name__ == "__main__":
    unittest.main()
