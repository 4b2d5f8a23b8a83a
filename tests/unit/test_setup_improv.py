"""joulelog.setup.improv: what it answers, and whose the byte 3 is. Line and Wi-Fi are fakes."""

import asyncio
import unittest

import improv
from virtual_clock import VirtualClock

from joulelog.setup.improv import Listener, about

ABOUT = ("JouleLog", "0.1.0", "ESP32", "JouleLog-1A2B")
HOME = ("home", "pässwörd€ 日本")


class Line:
    """Gives what a test puts into `comes`, in pieces; `said`: the packets that were written."""

    def __init__(self):
        self.comes = []
        self.taken = []
        self._said = b""

    def take(self):
        self.taken.append(True)

    def release(self):
        self.taken.append(False)

    def read(self):
        return self.comes.pop(0) if self.comes else b""

    def write(self, data):
        self._said += data

    def said(self):
        """The packets since the last time: (type, data)."""
        found = improv.Parser().feed(self._said)
        self._said = b""
        return [packet for packet in found if packet[0] != improv.PLAIN]


class Wifi:
    """Joins `home` with its password once `ready` is set."""

    def __init__(self):
        self.up = False
        self.address = ""
        self.ready = asyncio.Event()
        self.tried = []
        self.around = [("home", -40, True), ("Café", -80, False)]

    async def scan(self):
        await self.ready.wait()
        if self.around is None:
            raise OSError(5)
        return self.around

    async def attempt(self, settings):
        self.tried.append(settings)
        await self.ready.wait()
        if (settings["ssid"], settings["password"]) != HOME:
            return "Wi-Fi %s: the password is not accepted" % settings["ssid"]
        self.up = True
        self.address = "192.0.2.7"
        return ""


def error(number):
    return (improv.ERROR, bytes((number,)))


def state(number):
    return (improv.STATE, bytes((number,)))


def result(number, *texts):
    return (improv.RESULT, improv.result(number, *texts)[9:-2])


FINE = error(improv.NO_ERROR)
READY = state(improv.READY)
BUSY = state(improv.PROVISIONING)
DONE = state(improv.PROVISIONED)
URL = "http://192.0.2.7/"


class TestListener(unittest.TestCase):
    def setUp(self):
        self.virtual = VirtualClock()
        self.line = Line()
        self.stored = []
        self.problem = None
        self.refuses = []

    def tearDown(self):
        self.virtual.restore()

    async def problems(self, changes):
        self.assertEqual(list(changes), ["wifi"])
        return self.refuses

    async def save_network(self, entry):
        if isinstance(self.problem, Exception):
            raise self.problem
        if self.problem:
            return [self.problem]
        self.stored.append(entry)
        return []

    def play(self, story, for_ms=0):
        """story(self, wifi) while it listens; what listening raised is raised."""
        raised = []

        async def listen(listener):
            try:
                await listener.run(for_ms)
            except (Exception, KeyboardInterrupt) as error:
                raised.append(error)

        async def all():
            wifi = Wifi()
            self.listener = Listener(self.line, ABOUT, wifi, self)
            task = asyncio.create_task(listen(self.listener))
            await self.virtual.advance(1)
            await story(wifi)
            if not task.done():
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass

        self.virtual.play(all())
        self.assertEqual(self.line.taken, [True, False])
        if raised:
            raise raised[0]

    async def ask(self, data, ms=100):
        """What is answered to these bytes."""
        self.line.comes.append(data)
        await self.virtual.advance(ms)
        return self.line.said()

    def test_a_new_board(self):
        async def story(wifi):
            asked = improv.request(improv.CURRENT_STATE)
            self.assertEqual(await self.ask(asked), [READY])
            asked = improv.request(improv.DEVICE_INFORMATION)
            self.assertEqual(await self.ask(asked), [result(3, *ABOUT)])
            asked = improv.request(improv.WIFI_NETWORKS)
            self.assertEqual(await self.ask(asked), [])
            wifi.ready.set()
            rows = [result(4, "home", "-40", "YES"), result(4, "Café", "-80", "NO"), result(4)]
            await self.virtual.advance(100)
            self.assertEqual(self.line.said(), rows)
            wifi.around = []
            self.assertEqual(await self.ask(asked), [result(4)])
            self.assertEqual(self.listener.requests, 4)

        self.play(story)

    def test_settings(self):
        async def story(wifi):
            wrong = improv.request(improv.WIFI_SETTINGS, "home", "wrong")
            self.assertEqual(await self.ask(wrong), [FINE, BUSY])
            again = await self.ask(improv.request(improv.CURRENT_STATE))
            self.assertEqual(again, [BUSY])
            wifi.ready.set()
            await self.virtual.advance(100)
            self.assertEqual(self.line.said(), [error(improv.UNABLE_TO_CONNECT), READY])
            self.assertEqual(self.stored, [])
            said = await self.ask(improv.request(improv.WIFI_SETTINGS, *HOME))
            self.assertEqual(said, [FINE, BUSY, DONE, result(1, URL)])
            self.assertEqual([(e["ssid"], e["password"]) for e in self.stored], [HOME])
            said = await self.ask(improv.request(improv.CURRENT_STATE))
            self.assertEqual(said, [DONE, result(2, URL)])
            self.assertEqual((len(wifi.tried), self.listener.joined), (2, 1))
            # What is wrong then leaves the board where it is: no answer tells of success.
            said = await self.ask(wrong)
            self.assertEqual(said, [FINE, BUSY, error(improv.UNABLE_TO_CONNECT), DONE])

        self.play(story)

    def test_one_thing_at_a_time(self):
        async def story(wifi):
            settings = improv.request(improv.WIFI_SETTINGS, *HOME)
            scan = improv.request(improv.WIFI_NETWORKS)
            refused = error(improv.UNKNOWN_ERROR)
            for first, asked in ((settings, BUSY), (scan, None)):
                wifi.ready.clear()
                self.assertEqual(await self.ask(first), [FINE, asked] if asked else [])
                self.assertEqual(await self.ask(settings + scan), [refused, refused])
                wifi.ready.set()
                await self.virtual.advance(100)
                self.line.said()
            self.assertEqual(len(wifi.tried), 1)

        self.play(story)

    def test_what_cannot_be_kept(self):
        async def story(wifi):
            wifi.ready.set()
            for self.problem in ("the flash is full", ValueError("x")):
                said = await self.ask(improv.request(improv.WIFI_SETTINGS, *HOME))
                self.assertEqual(said, [FINE, BUSY, error(improv.UNKNOWN_ERROR), DONE])
            self.assertEqual(self.listener.joined, 0)
            self.refuses = ["wifi: `password` has 3 characters, it needs 8 to 64"]
            said = await self.ask(improv.request(improv.WIFI_SETTINGS, "other", "abc"))
            self.assertEqual(said, [FINE, BUSY, error(improv.UNABLE_TO_CONNECT), DONE])
            self.assertEqual(len(wifi.tried), 2)  # nobody has tried that
            wifi.around = None  # the radio refuses
            said = await self.ask(improv.request(improv.WIFI_NETWORKS))
            self.assertEqual(said, [error(improv.UNKNOWN_ERROR)])

        self.play(story)

    def test_what_nobody_can_answer(self):
        async def story(wifi):
            for command in (0, 5, 6, 7, 255):
                said = await self.ask(improv.request(command))
                self.assertEqual(said, [error(improv.UNKNOWN_COMMAND)], command)
            for data in (
                b"",
                b"\x01",
                b"\x01\x00",
                b"\x01\x02\x05a",
                b"\x01\x03\x00\x01a",
                b"\x02\x09",
            ):
                said = await self.ask(improv.packet(improv.RPC, data))
                self.assertEqual(said, [error(improv.INVALID)], data)
            self.assertEqual((self.listener.requests, self.listener.malformed), (11, 6))
            # What a device says is an echo: an answer to it would go round for ever.
            for echo in (improv.state(2), improv.error(3), improv.result(3, "a")):
                self.assertEqual(await self.ask(echo), [])
            self.assertEqual(wifi.tried, [])

        self.play(story)

    def test_ctrl_c(self):
        request = improv.request(improv.DEVICE_INFORMATION)
        for before in (
            b"",
            b"abc",
            request,
            b"\r",
            b"\nIMPROV",
            b"\nIMPROV\x01",
            b"x" + request[:7],
        ):

            async def story(wifi, before=before):
                said = await self.ask(before)
                self.assertEqual(len(said), 1 if before == request else 0)
                await self.ask(b"\x03", 0 if before[-1:] != b"\x01" else 600)
                await self.virtual.advance(100)

            self.line = Line()
            with self.assertRaises(KeyboardInterrupt):
                self.play(story)

    def test_ctrl_c_in_a_packet_that_does_not_end(self):
        async def story(wifi):
            cut = improv.request(improv.WIFI_SETTINGS, "home", "secret")[:-4]
            self.assertEqual(await self.ask(cut + b"\x03", 400), [])
            self.assertEqual(self.listener.requests, 0)
            await self.virtual.advance(200)

        with self.assertRaises(KeyboardInterrupt):
            self.play(story)

    def test_a_slow_packet_counts_and_a_broken_one_passes(self):
        async def story(wifi):
            asked = improv.request(improv.CURRENT_STATE)
            for byte in asked[:-2]:
                self.assertEqual(await self.ask(bytes((byte,)), 30), [])
            self.assertEqual(await self.ask(asked[-2:]), [READY])
            # Without a 3: given up, and what follows on a line of its own is heard.
            self.assertEqual(await self.ask(b"IMPROV\x01", 1000), [])
            self.assertEqual(await self.ask(b"\n" + asked), [READY])

        self.play(story)

    def test_it_ends(self):
        async def story(wifi):
            await self.virtual.advance(59000)
            self.assertEqual(self.line.taken, [True])
            await self.virtual.advance(2000)
            self.assertEqual(self.line.taken, [True, False])

        self.play(story, 60000)

    def test_it_ends_behind_what_was_asked(self):
        async def story(wifi):
            await self.virtual.advance(59900)
            self.assertEqual(
                await self.ask(improv.request(improv.WIFI_SETTINGS, *HOME), 30), [FINE, BUSY]
            )
            await self.virtual.advance(9000)
            self.assertEqual(self.line.taken, [True])
            wifi.ready.set()
            await self.virtual.advance(100)
            self.assertEqual(self.line.said(), [DONE, result(1, URL)])
            self.assertEqual(self.line.taken, [True, False])

        self.play(story, 60000)

    def test_tasks_of_its_owner(self):
        spawned = []

        def spawn(coroutine):
            spawned.append(1)
            return asyncio.create_task(coroutine)

        async def story(wifi):
            self.listener._spawn = spawn
            wifi.ready.set()
            self.assertEqual(len(await self.ask(improv.request(improv.WIFI_NETWORKS))), 3)
            self.assertEqual(spawned, [1])

        self.play(story)


class TestAbout(unittest.TestCase):
    def test_families(self):
        class Board:
            CHIP = ""

        for chip, family in (
            ("esp32", "ESP32"),
            ("esp32s2", "ESP32-S2"),
            ("esp32c3", "ESP32-C3"),
            ("esp8266", "ESP8266"),
        ):
            Board.CHIP = chip
            self.assertEqual(about(Board, "cellar")[2:], (family, "cellar"))

    def test_what_does_not_fit(self):
        with self.assertRaises(improv.ImprovError):
            Listener(Line(), ("JouleLog", "1", "ESP32", "x" * 255), None, None)


if __name__ == "__main__":
    unittest.main()
