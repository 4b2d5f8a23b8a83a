"""The Wi-Fi on a scripted interface, by a clock that moves only when told."""

import asyncio
import errno
import unittest

from fake_network import Air, Point
from virtual_clock import VirtualClock

from joulelog import net
from joulelog.net import wifi

SETTINGS = {
    "ssid": "home",
    "password": "correct horse",
    "hostname": None,
    "address": None,
    "mask": None,
    "gateway": None,
    "dns": None,
    "power_save": False,
}
DAY_MS = 86400000


class Logger:
    def __init__(self):
        self.lines = []

    def warning(self, text, *values):
        self.lines.append(text % values)

    def info(self, text, *values):
        self.lines.append(text % values)


def settings(**changes):
    changed = dict(SETTINGS)
    changed.update(changes)
    return changed


class Stand:
    def __init__(self, *networks, points=()):
        self.virtual = VirtualClock()
        self.virtual.install()
        self.home = Point("home", "correct horse")
        self.air = wifi.network = Air(self.virtual, self.home, *points)
        self.station = self.air.station
        self.told = []
        net.forget()
        self.wifi = wifi.Wifi(list(networks) if networks != (None,) else [], "joulelog")
        self.wifi.changed = self.told.append
        self.virtual.restore()
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


class Guests:
    """The board's access point, with so many people on it."""

    count = 1
    asked = 0

    def guests(self):
        self.asked += 1
        return self.count


class TestSetUp(unittest.TestCase):
    """What set-up asks of the interface's owner."""

    def attempts(self, stand, *wanted, wait_ms=0):
        """Ask for these networks, one after the other; what came of each."""
        answers = []

        async def story():
            await stand.virtual.advance(wait_ms)
            for one in wanted:
                asked = asyncio.create_task(stand.wifi.attempt(one))
                while not asked.done():
                    await stand.virtual.advance(1000)
                answers.append(await asked)
            await stand.virtual.advance(5000)

        stand.play(story)
        return answers

    def test_a_network_that_is_right(self):
        stand = Stand(None)
        self.assertEqual(self.attempts(stand, SETTINGS), [""])
        self.assertEqual((stand.wifi.up, stand.wifi.address), (True, "192.0.2.7"))
        self.assertEqual(stand.wifi.networks, [SETTINGS])

    def test_a_wrong_one_is_told_soon_and_the_others_stay(self):
        stand = Stand(SETTINGS)
        wrong = settings(password="not this one"), settings(ssid="nowhere")
        answers = self.attempts(stand, *wrong, wait_ms=10000)
        self.assertEqual(answers[0], "Wi-Fi home: the password is not accepted")
        self.assertEqual(answers[1], "Wi-Fi nowhere: no network of that name is in reach")
        self.assertEqual((stand.wifi.networks, stand.wifi.up), ([SETTINGS], True))
        times = [ms for ms, _ in stand.station.attempts]
        self.assertTrue(times[2] - times[1] < 10000, times)

    def test_it_comes_between_attempts_in_vain(self):
        stand = Stand(settings(ssid="nowhere"))
        self.assertEqual(self.attempts(stand, SETTINGS, wait_ms=600000), [""])
        self.assertEqual([one["ssid"] for one in stand.wifi.networks], ["home"])

    def test_two_at_once_are_tried_in_turn(self):
        stand = Stand(None)
        answers = []

        async def story():
            async def ask(one):
                answers.append(await stand.wifi.attempt(one))

            tasks = [asyncio.create_task(ask(one)) for one in (settings(ssid="x"), SETTINGS)]
            for _ in range(60):
                await stand.virtual.advance(1000)
            self.assertTrue(all([task.done() for task in tasks]))

        stand.play(story)
        self.assertEqual(len(answers), 2)
        self.assertTrue("" in answers, answers)

    def test_the_station_is_silent_while_somebody_is_on_the_point(self):
        stand = Stand(settings(ssid="nowhere"))
        stand.wifi.point = point = Guests()

        async def story():
            await stand.virtual.advance(30000)
            before = len(stand.station.attempts)
            asked = point.asked
            await stand.virtual.advance(1800000)
            self.assertEqual(len(stand.station.attempts), before)
            self.assertTrue(point.asked - asked <= 1801)  # once a second
            point.count = 0
            await stand.virtual.advance(120000)
            self.assertTrue(len(stand.station.attempts) > before)

        stand.play(story)

    def test_the_point_of_set_up_stays_open_beside_a_known_network(self):
        for point, stays in ((None, False), (Guests(), True)):
            stand = Stand(SETTINGS)
            stand.wifi.point = point
            stand.play(lambda: stand.virtual.advance(5000))
            self.assertEqual(stand.air.access_point.on, stays)

    def test_scan(self):
        far = Point("far", "")
        near = Point("näher", "some password")
        found = []
        stand = Stand(SETTINGS, points=(far, Point("home", "another"), near, Point("", "hidden")))

        async def story():
            found.extend(await stand.wifi.scan())

        stand.play(story)
        self.assertEqual(found[0], ("näher", -87, True))
        self.assertEqual([name for name, _, _ in found], ["näher", "home", "far"])
        self.assertEqual(found[2], ("far", -89, False))

    def test_the_loop_goes_on_where_the_chip_has_threads(self):
        stand = Stand(SETTINGS)
        told = []

        async def story():
            task = asyncio.create_task(wifi._in_thread(lambda: [1, 2]))
            while not task.done():
                await stand.virtual.advance(250)
                told.append(1)
            self.assertEqual(await task, [1, 2])

            def fail():
                raise OSError("no radio")

            task = asyncio.create_task(wifi._in_thread(fail))
            while not task.done():
                await stand.virtual.advance(250)
            try:
                await task
                told.clear()
            except OSError as error:
                told.append(str(error))

        try:
            import _thread  # noqa: F401
        except ImportError:
            return
        stand.play(story)
        self.assertTrue("no radio" in str(told[-1]), told)


class TestWifi(unittest.TestCase):
    def test_connects(self):
        stand = Stand(SETTINGS)

        async def story():
            await stand.virtual.advance(2900)
            self.assertFalse(stand.wifi.up)
            await stand.virtual.advance(1000)

        stand.play(story)
        self.assertTrue(stand.wifi.up)
        self.assertEqual((stand.wifi.address, stand.air.name), ("192.0.2.7", "joulelog"))
        self.assertEqual(stand.station.attempts, [(0, "home")])
        self.assertEqual(stand.log.lines, ["connected, address 192.0.2.7"])

    def test_hostname_of_the_config(self):
        stand = Stand(settings(hostname="cellar"))
        stand.play(lambda: stand.virtual.advance(5000))
        self.assertEqual(stand.air.name, "cellar")

    def test_wrong_password_is_said_once_and_not_shown(self):
        stand = Stand(SETTINGS)
        stand.home.password = "another"
        stand.play(lambda: stand.virtual.advance(3600000))
        (line,) = stand.log.lines
        self.assertEqual(line, "Wi-Fi home: the password is not accepted; trying again and again")
        gaps = [b[0] - a[0] for a, b in zip(stand.station.attempts, stand.station.attempts[1:])]
        for gap, pause_ms in zip(gaps, (2000, 4000, 8000, 16000, 32000, 60000)):
            self.assertTrue(pause_ms * 3 // 4 <= gap - 20000 <= pause_ms, gaps)
        self.assertTrue(len(set(gaps[6:])) > 5, gaps)  # ten loggers do not come all at once
        self.assertTrue(65000 <= min(gaps[6:]) <= max(gaps[6:]) <= 80000, gaps)

    def test_no_such_network(self):
        stand = Stand(SETTINGS)
        stand.home.there = False
        stand.play(lambda: stand.virtual.advance(60000))
        self.assertTrue("no network of that name is in reach" in stand.log.lines[0])

    def test_link_lost_and_back(self):
        stand = Stand(SETTINGS)

        async def story():
            await stand.virtual.advance(5000)
            stand.home.there = False
            await stand.virtual.advance(2000)
            self.assertEqual((stand.wifi.up, stand.wifi.outages), (False, 1))
            await stand.virtual.advance(300000)
            stand.home.there = True
            await stand.virtual.advance(84000)

        stand.play(story)
        self.assertEqual((stand.wifi.up, stand.wifi.outages), (True, 1))
        self.assertEqual(len(stand.log.lines), 4)  # connected, lost, why, connected

    def test_each_outage_is_told(self):
        stand = Stand(SETTINGS)

        async def story():
            for _ in range(3):
                await stand.virtual.advance(90000)
                stand.home.there = False
                await stand.virtual.advance(600000)
                stand.home.there = True
            await stand.virtual.advance(90000)

        stand.play(story)
        self.assertEqual(len([x for x in stand.log.lines if "in reach" in x]), 3)
        self.assertEqual(len([x for x in stand.log.lines if x == "link lost"]), 3)

    def test_those_who_wait(self):
        stand = Stand(SETTINGS)
        came = []

        async def waits(name):
            await stand.wifi.wait_up()
            came.append((name, stand.virtual.ms))

        async def story():
            tasks = [asyncio.create_task(waits(name)) for name in "ab"]
            await stand.virtual.advance(10000)
            tasks.append(asyncio.create_task(waits("late")))
            await stand.virtual.advance(100)
            stand.home.there = False
            await stand.virtual.advance(2000)
            tasks.append(asyncio.create_task(waits("c")))
            await stand.virtual.advance(1000)
            self.assertEqual(len(came), 3)
            stand.home.there = True
            await stand.virtual.advance(30000)

        stand.play(story)
        self.assertEqual([name for name, _ in came], ["a", "b", "late", "c"])
        self.assertEqual([ms for _, ms in came[:3]], [3000, 3000, 10000])

    def test_an_interface_that_refuses_is_started_afresh(self):
        stand = Stand(SETTINGS)
        stand.station.refuses = 3
        stand.play(lambda: stand.virtual.advance(60000))
        self.assertTrue(stand.wifi.up)
        self.assertEqual(len(stand.station.attempts), 4)
        self.assertTrue("Wifi Internal State Error" in stand.log.lines[0])

    def test_another_network_than_the_configs_is_left(self):
        stand = Stand(SETTINGS)
        stand.air.points = (Point("the neighbours", "x"), stand.home)
        stand.station.joined("the neighbours", "x")  # an ESP8266 joins what it joined last
        stand.play(lambda: stand.virtual.advance(10000))
        self.assertEqual((stand.station.ssid, stand.wifi.up), ("home", True))

    def test_the_configs_own_network_is_kept(self):
        stand = Stand(SETTINGS)
        stand.station.joined("home", "correct horse")
        stand.play(lambda: stand.virtual.advance(10000))
        self.assertEqual((stand.station.attempts, stand.wifi.up), ([], True))

    def test_no_settings(self):
        stand = Stand(None)  # a computer: the interface as it is
        stand.station.joined("home", "correct horse")
        stand.play(lambda: stand.virtual.advance(10000))
        self.assertEqual((stand.station.attempts, stand.wifi.up), ([], True))

    def test_no_settings_and_no_link(self):
        stand = Stand(None)
        stand.play(lambda: stand.virtual.advance(3600000))
        self.assertEqual((stand.station.attempts, stand.wifi.up, stand.ended), ([], False, False))
        self.assertEqual(len(stand.log.lines), 1)

    def test_a_day_of_twenty_outages(self):
        self.goes_away(20)

    def test_a_week_of_twenty_outages_a_day_long(self):
        self.goes_away(140)

    def goes_away(self, times):
        """Compressed time: outages of 5 s to 20 minutes, twenty a day."""
        stand = Stand(SETTINGS)
        up_again = []

        async def story():
            for number in range(times):
                away_ms = (5000, 30000, 120000, 1200000)[number % 4]
                await stand.virtual.advance(DAY_MS // 20 - away_ms)
                self.assertTrue(stand.wifi.up)
                stand.home.there = False
                await stand.virtual.advance(away_ms)
                self.assertFalse(stand.wifi.up)
                stand.home.there = True
                back = stand.virtual.ms
                while not stand.wifi.up:
                    await stand.virtual.advance(1000)
                up_again.append(stand.virtual.ms - back)
                await stand.virtual.advance(100000 - up_again[-1])

        stand.play(story)
        self.assertEqual((stand.wifi.outages, stand.ended), (times, False))
        self.assertTrue(max(up_again) <= 84000)
        self.assertTrue(len(stand.log.lines) <= 3 * times + 1)

    def test_the_boards_own_access_point_is_switched_off(self):
        stand = Stand(SETTINGS)
        stand.play(lambda: stand.virtual.advance(1000))
        self.assertFalse(stand.air.access_point.on)
        stand = Stand(None)
        stand.play(lambda: stand.virtual.advance(1000))
        self.assertTrue(stand.air.access_point.on)

    def test_a_router_that_comes_back_after_the_board(self):
        stand = Stand(SETTINGS)
        stand.home.there = False  # a power cut: the router needs longer than we do

        async def story():
            await stand.virtual.advance(150000)
            self.assertFalse(stand.wifi.up)
            self.assertTrue(stand.wifi.down_ms() == 150000)
            stand.home.there = True
            await stand.virtual.advance(84000)

        stand.play(story)
        self.assertEqual((stand.wifi.up, stand.wifi.outages, stand.wifi.down_ms()), (True, 0, 0))

    def test_dhcp_that_fails_and_recovers(self):
        stand = Stand(SETTINGS)
        stand.home.dhcp = False

        async def story():
            await stand.virtual.advance(3600000)
            self.assertFalse(stand.wifi.up)
            stand.home.dhcp = True
            await stand.virtual.advance(84000)

        stand.play(story)
        self.assertTrue(stand.wifi.up)
        self.assertTrue("no address for us (DHCP)" in stand.log.lines[0], stand.log.lines[0])
        self.assertEqual(len(stand.log.lines), 2)
        self.assertTrue(stand.wifi.restarts >= 8)

    def test_a_fixed_address_needs_no_dhcp(self):
        stand = Stand(settings(address="192.0.2.20", gateway="192.0.2.1"))
        stand.home.dhcp = False
        stand.play(lambda: stand.virtual.advance(5000))
        self.assertEqual(
            stand.station.fixed, ("192.0.2.20", "255.255.255.0", "192.0.2.1", "192.0.2.1")
        )
        self.assertEqual(stand.wifi.address, "192.0.2.20")

    def test_power_save(self):
        for save, power in ((False, 0), (True, None)):
            stand = Stand(settings(power_save=save))
            stand.play(lambda: stand.virtual.advance(5000))  # noqa: B023
            self.assertEqual(stand.station.power, power)

    def test_several_networks(self):
        shed = Point("shed", "sixty tools")
        fixed = settings(address="192.0.2.20", gateway="192.0.2.1")
        stand = Stand(fixed, settings(ssid="shed", password="sixty tools"), points=(shed,))
        stand.home.there = False

        async def story():
            await stand.virtual.advance(30000)
            self.assertEqual((stand.wifi.up, stand.station.ssid), (True, "shed"))
            self.assertEqual(stand.station.fixed, None)  # that was the other network's
            shed.there = False
            await stand.virtual.advance(1000)
            shed.there = stand.home.there = True
            await stand.virtual.advance(30000)
            self.assertEqual(stand.station.ssid, "shed")  # the one that worked last
            shed.there = False
            await stand.virtual.advance(60000)

        stand.play(story)
        self.assertEqual((stand.wifi.up, stand.station.ssid), (True, "home"))

    def test_all_networks_away_is_one_line(self):
        stand = Stand(SETTINGS, settings(ssid="shed"))
        stand.home.there = False
        stand.play(lambda: stand.virtual.advance(7200000))
        self.assertEqual(len(stand.log.lines), 1)
        self.assertTrue("Wi-Fi home" in stand.log.lines[0] and "Wi-Fi shed" in stand.log.lines[0])

    def test_who_is_told(self):
        stand = Stand(SETTINGS)

        async def story():
            await stand.virtual.advance(10000)
            stand.home.there = False
            await stand.virtual.advance(1000)

        stand.play(story)
        self.assertEqual(stand.told, [True, False])

    def test_hostnames(self):
        for name, shown in (
            ("joulelog", "joulelog"),
            ("Keller 2", "Keller-2"),
            ("zähler_1", "z-hler-1"),
            ("-", "joulelog"),
            ("x" * 48, "x" * 32),
        ):
            self.assertEqual(wifi.hostname(name), shown)


class TestStages(unittest.TestCase):
    """The interface is switched off and on where connecting again does not help."""

    def test_five_rounds_in_vain(self):
        stand = Stand(SETTINGS)
        stand.home.there = False
        stand.play(lambda: stand.virtual.advance(3600000))
        self.assertEqual(stand.wifi.restarts, len(stand.station.off))
        self.assertEqual(stand.wifi.restarts, len(stand.station.attempts) // 5)

    def test_a_link_that_carries_nothing(self):
        """isconnected() says True for ever, and nobody answers."""
        stand = Stand(SETTINGS)

        async def story():
            for _ in range(30):
                await stand.virtual.advance(10000)
                net.unanswered()
            self.assertEqual(len(stand.station.off), 1)
            self.assertEqual(stand.station.off[0] // 10000, 19)  # 180 s after the first attempt
            for _ in range(1200):  # servers that are dead look the same: ever more seldom
                await stand.virtual.advance(10000)
                net.unanswered()

        stand.play(story)
        gaps = [(b - a) // 60000 for a, b in zip(stand.station.off, stand.station.off[1:])]
        self.assertEqual(gaps[:4], [6, 12, 24, 48])
        self.assertTrue(set(gaps[4:]) <= {60}, gaps)
        self.assertTrue("no answer from anybody for 18" in stand.log.lines[1], stand.log.lines[1])

    def test_a_link_that_goes_deaf_after_it_has_carried(self):
        stand = Stand(SETTINGS)

        async def story():
            for number in range(60):
                await stand.virtual.advance(10000)
                net.answered() if number < 30 else net.unanswered()

        stand.play(story)
        self.assertEqual([ms // 10000 for ms in stand.station.off], [49])

    def test_an_answer_ends_the_doubt(self):
        stand = Stand(SETTINGS)

        async def story():
            for number in range(600):
                await stand.virtual.advance(10000)
                net.unanswered()
                if number % 15 == 0:
                    net.answered()  # one server is dead, the other is not

        stand.play(story)
        self.assertEqual(stand.station.off, [])

    def test_nobody_tries_anything(self):
        stand = Stand(SETTINGS)
        stand.play(lambda: stand.virtual.advance(DAY_MS))
        self.assertEqual((stand.station.off, stand.wifi.up), ([], True))

    def test_two_attempts_are_not_enough(self):
        stand = Stand(SETTINGS)

        async def story():
            await stand.virtual.advance(10000)
            net.unanswered()
            net.unanswered()
            await stand.virtual.advance(3600000)

        stand.play(story)
        self.assertEqual(stand.station.off, [])

    def test_a_refusal_is_an_answer(self):
        net.forget()
        before = net.answers
        net.unanswered(OSError(errno.ECONNREFUSED, "refused"))
        self.assertEqual(net.answers, before + 1)
        net.unanswered(OSError(errno.ETIMEDOUT))
        net.unanswered(MemoryError())
        self.assertEqual(net.answers, before + 1)
        net.forget()
