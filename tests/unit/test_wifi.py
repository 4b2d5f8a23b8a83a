"""The Wi-Fi on a scripted interface, by a clock that moves only when told."""

import asyncio
import sys
import unittest

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(_HERE + "/../fakes")

from virtual_clock import VirtualClock  # noqa: E402

from joulelog.net import wifi  # noqa: E402

SETTINGS = {"ssid": "home", "password": "correct horse", "hostname": None}
DAY_MS = 86400000


class Air:
    """Stands for the module `network`: an access point, and when it is there."""

    STA_IF = 0
    STAT_CONNECTING = 1001
    STAT_GOT_IP = 1010
    STAT_WRONG_PASSWORD = 202
    STAT_NO_AP_FOUND = 201

    def __init__(self, virtual):
        self.virtual = virtual
        self.there = True
        self.password = "correct horse"
        self.joins_ms = 3000  # association and DHCP
        self.refuses = 0  # how often it has to be switched off before it connects
        self.attempts = []  # (ms, name)
        self.name = ""
        self.ssid = ""
        self.on = False
        self.since = None  # when connect() was called with the right password

    def WLAN(self, interface):
        return self

    def hostname(self, name):
        self.name = name

    def active(self, on):
        self.on = on
        if not on and self.refuses:
            self.refuses -= 1

    def config(self, name):
        return {"ssid": self.ssid}[name]

    def disconnect(self):
        self.since = None

    def connect(self, ssid, password):
        self.attempts.append((self.virtual.ms, ssid))
        if self.refuses:
            raise OSError("Wifi Internal State Error")
        self.ssid = ssid
        if password == self.password:
            self.since = self.virtual.ms

    def isconnected(self):
        if not self.there:
            self.since = None if self.since is None else self.virtual.ms  # joins when it is back
            return False
        return self.on and self.since is not None and self.virtual.ms - self.since >= self.joins_ms

    def status(self):
        if not self.there:
            return self.STAT_NO_AP_FOUND
        return self.STAT_CONNECTING if self.since is not None else self.STAT_WRONG_PASSWORD

    def ifconfig(self):
        return ("192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.1")


class Logger:
    def __init__(self):
        self.lines = []

    def warning(self, text, *values):
        self.lines.append(text % values)

    def info(self, text, *values):
        self.lines.append(text % values)


class Stand:
    def __init__(self, settings=SETTINGS):
        self.virtual = VirtualClock()
        self.air = wifi.network = Air(self.virtual)
        self.wifi = wifi.Wifi(settings, "joulelog")
        self.log = self.wifi._log = Logger()

    def play(self, story):
        async def whole():
            task = asyncio.create_task(self.wifi.run())
            await story()
            self.ended = task.done()
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        self.virtual.play(whole())


class TestWifi(unittest.TestCase):
    def test_connects(self):
        stand = Stand()

        async def story():
            await stand.virtual.advance(2900)
            self.assertFalse(stand.wifi.up)
            await stand.virtual.advance(1000)

        stand.play(story)
        self.assertTrue(stand.wifi.up)
        self.assertEqual((stand.wifi.address, stand.air.name), ("192.0.2.7", "joulelog"))
        self.assertEqual(stand.air.attempts, [(0, "home")])
        self.assertEqual(stand.log.lines, ["connected, address 192.0.2.7"])

    def test_hostname_of_the_config(self):
        settings = dict(SETTINGS)
        settings["hostname"] = "cellar"
        stand = Stand(settings)
        stand.play(lambda: stand.virtual.advance(5000))
        self.assertEqual(stand.air.name, "cellar")

    def test_wrong_password_is_said_once_and_not_shown(self):
        stand = Stand()
        stand.air.password = "another"
        stand.play(lambda: stand.virtual.advance(3600000))
        (line,) = stand.log.lines
        self.assertEqual(line, "Wi-Fi home: the password is not accepted; trying again and again")
        gaps = [b[0] - a[0] for a, b in zip(stand.air.attempts, stand.air.attempts[1:])]
        self.assertEqual(gaps[:6], [22000, 24000, 28000, 36000, 52000, 80000])
        self.assertEqual(set(gaps[6:]), {80000})

    def test_no_such_network(self):
        stand = Stand()
        stand.air.there = False
        stand.play(lambda: stand.virtual.advance(60000))
        self.assertTrue("no network of that name is in reach" in stand.log.lines[0])

    def test_link_lost_and_back(self):
        stand = Stand()

        async def story():
            await stand.virtual.advance(5000)
            stand.air.there = False
            await stand.virtual.advance(2000)
            self.assertEqual((stand.wifi.up, stand.wifi.outages), (False, 1))
            await stand.virtual.advance(300000)
            stand.air.there = True
            await stand.virtual.advance(84000)

        stand.play(story)
        self.assertEqual((stand.wifi.up, stand.wifi.outages), (True, 1))
        self.assertEqual(len(stand.log.lines), 4)  # connected, lost, why, connected

    def test_each_outage_is_told(self):
        stand = Stand()

        async def story():
            for _ in range(3):
                await stand.virtual.advance(90000)
                stand.air.there = False
                await stand.virtual.advance(600000)
                stand.air.there = True
            await stand.virtual.advance(90000)

        stand.play(story)
        self.assertEqual(len([x for x in stand.log.lines if "in reach" in x]), 3)
        self.assertEqual(len([x for x in stand.log.lines if x == "link lost"]), 3)

    def test_those_who_wait(self):
        stand = Stand()
        came = []

        async def waits(name):
            await stand.wifi.wait_up()
            came.append((name, stand.virtual.ms))

        async def story():
            tasks = [asyncio.create_task(waits(name)) for name in "ab"]
            await stand.virtual.advance(10000)
            tasks.append(asyncio.create_task(waits("late")))
            await stand.virtual.advance(100)
            stand.air.there = False
            await stand.virtual.advance(2000)
            tasks.append(asyncio.create_task(waits("c")))
            await stand.virtual.advance(1000)
            self.assertEqual(len(came), 3)
            stand.air.there = True
            await stand.virtual.advance(30000)

        stand.play(story)
        self.assertEqual([name for name, _ in came], ["a", "b", "late", "c"])
        self.assertEqual([ms for _, ms in came[:3]], [3000, 3000, 10000])

    def test_an_interface_that_refuses_is_started_afresh(self):
        stand = Stand()
        stand.air.refuses = 3
        stand.play(lambda: stand.virtual.advance(60000))
        self.assertTrue(stand.wifi.up)
        self.assertEqual(len(stand.air.attempts), 4)
        self.assertTrue("Wifi Internal State Error" in stand.log.lines[0])

    def test_another_network_than_the_configs_is_left(self):
        stand = Stand()
        stand.air.ssid = "the neighbours"  # an ESP8266 joins what it joined last
        stand.air.on = True
        stand.air.since = -10000
        stand.play(lambda: stand.virtual.advance(10000))
        self.assertEqual((stand.air.ssid, stand.wifi.up), ("home", True))

    def test_the_configs_own_network_is_kept(self):
        stand = Stand()
        stand.air.ssid = "home"
        stand.air.on = True
        stand.air.since = -10000
        stand.play(lambda: stand.virtual.advance(10000))
        self.assertEqual((stand.air.attempts, stand.wifi.up), ([], True))

    def test_no_settings(self):
        stand = Stand(None)  # a computer: the interface as it is
        stand.air.since = -10000
        stand.play(lambda: stand.virtual.advance(10000))
        self.assertEqual((stand.air.attempts, stand.wifi.up), ([], True))

    def test_no_settings_and_no_link(self):
        stand = Stand(None)
        stand.play(lambda: stand.virtual.advance(3600000))
        self.assertEqual((stand.air.attempts, stand.wifi.up, stand.ended), ([], False, False))
        self.assertEqual(len(stand.log.lines), 1)

    def test_a_week_of_twenty_outages_a_day(self):
        """Compressed time: 140 outages of 5 s to 20 minutes."""
        stand = Stand()
        up_again = []

        async def story():
            for number in range(140):
                away_ms = (5000, 30000, 120000, 1200000)[number % 4]
                await stand.virtual.advance(DAY_MS // 20 - away_ms)
                self.assertTrue(stand.wifi.up)
                stand.air.there = False
                await stand.virtual.advance(away_ms)
                self.assertFalse(stand.wifi.up)
                stand.air.there = True
                back = stand.virtual.ms
                while not stand.wifi.up:
                    await stand.virtual.advance(1000)
                up_again.append(stand.virtual.ms - back)
                await stand.virtual.advance(100000 - up_again[-1])

        stand.play(story)
        self.assertEqual((stand.wifi.outages, stand.ended), (140, False))
        self.assertTrue(max(up_again) <= 84000)
        self.assertTrue(len(stand.log.lines) <= 3 * 140 + 1)
