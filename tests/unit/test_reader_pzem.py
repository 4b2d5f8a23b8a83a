"""The pzem and modbus readers on a scripted bus, by a clock that moves only when told."""

import asyncio
import gc
import unittest

from modbus_stand import Stand, answering, closed
from wire import Board

from joulelog import registry
from joulelog.config import schema
from joulelog.device import uart
from joulelog.errors import ConfigError
from joulelog.readers import bus, modbus


def reply(address=1, energy=40000, power=35000, volts=2413):
    """What a PZEM-016 answers to a read of all its registers."""
    words = (
        volts,
        1000,
        0,
        power & 0xFFFF,
        power >> 16,
        energy & 0xFFFF,
        energy >> 16,
        500,
        98,
        0,
    )
    body = b"".join([bytes((word >> 8, word & 255)) for word in words])
    return closed(bytes((address, 4, 20)) + body)


class TestReader(unittest.TestCase):
    def setUp(self):
        self.real = (bus.machine, uart.machine)
        self.stand = Stand()

    def tearDown(self):
        bus.machine, uart.machine = self.real

    def test_exact_values(self):
        stand = self.stand
        reader = stand.add()
        stand.wire.meters[1] = answering(reply())
        stand.play(5000)
        self.assertEqual(len(stand.outputs[0].readings), 1)
        found = stand.outputs[0].readings[0][1]
        self.assertEqual(found["voltage"], 2413)
        self.assertEqual(found["power"], 35000)  # 3500.0 W
        self.assertEqual(found["energy"], 40000)  # 40.000 kWh
        self.assertEqual(found["alarm"], 0)
        self.assertEqual(reader._output.state, "ok")
        self.assertEqual((reader.polls, reader.answers), (2, 2))  # the first one twice
        self.assertEqual(stand.wire.opened[0][:2], (2, 9600))
        self.assertEqual(stand.wire.opened[0][2]["stop"], 1)
        self.assertEqual(stand.wire.closed, 1)
        self.assertIn("UART 2, 9600 8N1, address 1, every 10 s", reader.describe())

    def test_a_schedule_without_drift(self):
        stand = self.stand
        reader = stand.add(interval=1)
        stand.wire.meters[1] = answering(reply(), delay=60)
        stand.play(100500)
        times = [ms for ms, _ in stand.wire.asked[2:]]
        self.assertEqual(times, [1000 * n for n in range(1, 101)])
        self.assertEqual(reader.late, 0)

    def test_two_meters_in_turn(self):
        stand = self.stand
        stand.add(address=1)
        stand.add(address=2)
        stand.wire.meters = {1: answering(reply(1)), 2: answering(reply(2, energy=7))}
        stand.play(35000)
        self.assertEqual(stand.values("energy"), [40000] * 4)
        self.assertEqual(stand.values("energy", 1), [7] * 4)
        self.assertEqual(len(stand.wire.opened), 1)
        later = [address for ms, address in stand.wire.asked if ms >= 10000]
        self.assertEqual(later, [1, 2] * 3)
        gaps = [b[0] - a[0] for a, b in zip(stand.wire.asked, stand.wire.asked[1:])]
        self.assertTrue(min(gaps) >= 45 + 4, gaps)  # the answer, and 3.5 characters

    def test_efficiency(self):
        """Requests, answers and gaps fill at least 90 % of the time at 9600 baud."""
        stand = self.stand
        entry = {"uart": 2, "tx": None, "rx": None, "de": None}
        line = bus.Bus(Board, entry, bus.settings(entry, 9600, "none", 1))
        count, answer = 60, reply()
        halves = 16 + 7  # half characters: the request, and 3.5 that the meter waits

        def meter(request):
            """Each byte when its stop bit is out, in whole ms."""
            for index in range(len(answer)):
                us = (halves + 2 * index + 2) * 5 * 1000000 // 9600
                yield -(-us // 1000), answer[index : index + 1]

        async def story():
            for _ in range(count):
                payload, _, _ = await line.ask(closed(b"\x01\x04\x00\x00\x00\x0a"), 250)
                self.assertEqual(payload, answer[3:-2])

        async def timed():
            task = asyncio.create_task(story())
            while not task.done():
                await stand.virtual.advance(1)
            await task

        stand.wire.meters[1] = meter
        stand.virtual.play(timed())
        needed_us = count * (halves + 2 * len(answer) + 7) * 5 * 1000000 // 9600
        per_mille = needed_us // stand.virtual.ms
        print("bus efficiency 0.%03d" % per_mille)
        self.assertTrue(900 <= per_mille < 1000, per_mille)

    def test_a_silent_one_costs_its_time_out(self):
        stand = self.stand
        silent = stand.add(address=1)
        stand.add(address=2)
        stand.wire.meters[2] = answering(reply(2))
        stand.play(59000)
        self.assertEqual(len(stand.values("energy", 1)), 6)
        delays = [ms % 10000 for ms, address in stand.wire.asked if address == 2 and ms > 9000]
        self.assertTrue(max(delays) <= 38 + 250 + 5 + 5, delays)
        self.assertEqual((silent.timeouts, silent.answers), (6, 0))

    def test_no_answer_is_said_once(self):
        stand = self.stand
        reader = stand.add()
        stand.wire.meters[1] = answering(reply(), reply(), reply(), b"")
        stand.play(300000)
        self.assertEqual(stand.values("energy"), [40000, 40000, None])
        self.assertEqual(set(stand.outputs[0].readings[-1][1].values()), {None})
        self.assertEqual(reader._output.state, "no answer")
        self.assertEqual(len(reader._log.lines), 1)
        self.assertIn("no answer from address 1, 3 times", reader._log.lines[0])

    def test_it_answers_again(self):
        stand = self.stand
        reader = stand.add(misses=2)

        def back():
            stand.wire.meters[1] = answering(reply(energy=40100))

        stand.wire.meters[1] = answering(reply(), reply(), b"")
        stand.play(45000, back, 40000)
        self.assertEqual(stand.values("energy")[:2], [40000, None])
        self.assertEqual(stand.values("energy")[-1], 40100)
        self.assertEqual(reader._output.state, "ok")
        self.assertEqual(len(reader._log.lines), 2)

    def test_fewer_misses_are_no_state(self):
        stand = self.stand
        reader = stand.add()
        stand.wire.meters[1] = answering(reply(), reply(), b"", b"", reply())
        stand.play(45000)
        self.assertEqual(stand.values("energy"), [40000] * 3)
        self.assertEqual((reader._output.state, reader.timeouts, reader._log.lines), ("ok", 2, []))

    def test_late_answers(self):
        """They come while another meter is asked, or lie in the UART before the next poll."""
        stand = self.stand
        stand.add(address=1)
        stand.add(address=2)
        stand.wire.meters = {
            1: answering(reply(1), delay=320),
            2: answering(reply(2, energy=7), delay=60),
        }
        stand.play(95000)
        self.assertEqual(stand.values("energy"), [None])
        self.assertEqual(stand.values("energy", 1), [7] * 10)

    def test_a_late_answer_is_not_the_next_one(self):
        stand = self.stand
        stand.add()
        energies = iter(range(40000, 50000))

        def meter(request):
            energy = next(energies)
            return ((400 if energy == 40003 else 45, reply(energy=energy)),)

        stand.wire.meters[1] = meter
        stand.play(55000)
        self.assertEqual(stand.values("energy"), [40001, 40002, 40004, 40005, 40006])

    def test_a_line_that_never_falls_silent(self):
        stand = self.stand
        reader = stand.add(misses=1)
        wire = stand.wire
        read = wire.readinto
        heard = [-1]

        def chatter(buffer, size=None):
            """Bytes that nobody asked for, each millisecond."""
            count = read(buffer)
            if not count and heard[0] != stand.virtual.ms:
                heard[0] = stand.virtual.ms
                buffer[:3] = b"\x01\x04\x00"
                count = 3
            return count

        def deaf():
            self.assertEqual(reader._output.state, "ok")  # the answer was found in all that
            wire.meters.clear()

        wire.readinto = chatter
        wire.meters[1] = answering(reply())
        stand.play(35000, deaf, 35000)
        self.assertEqual(reader._output.state, "no answer")
        self.assertTrue(reader.damaged >= 3)

    def test_a_damaged_answer_is_asked_for_again(self):
        stand = self.stand
        reader = stand.add()
        good = reply()
        bad = good[:-1] + bytes((good[-1] ^ 1,))
        stand.wire.meters[1] = answering(good, good, bad, good)
        stand.play(25000)
        self.assertEqual(stand.values("energy"), [40000] * 3)
        self.assertEqual((reader.damaged, reader.timeouts), (1, 0))

    def test_garbage_when_the_power_comes(self):
        for garbage in (reply(volts=42810), reply(energy=4294967295), reply(energy=9000000)):
            self.stand = stand = Stand()
            reader = stand.add()
            stand.wire.meters[1] = answering(garbage, reply())
            stand.play(25000)
            self.assertEqual(stand.values("energy"), [40000] * len(stand.values("energy")))
            self.assertTrue(len(stand.values("energy")) >= 2)
            self.assertEqual((reader.implausible, reader.counter_events), (1, 0))
            self.assertEqual(len(reader._log.lines), 1)

    def test_a_counter_that_falls(self):
        stand = self.stand
        reader = stand.add()
        stand.wire.meters[1] = answering(reply(), reply(), reply(energy=5))
        stand.play(55000)
        self.assertEqual(stand.values("energy"), [40000, None, None, 5, 5, 5])
        self.assertEqual(stand.values("power"), [35000] * 6)
        self.assertEqual(reader.counter_events, 1)
        self.assertIn("energy fell from 40.000 to 0.005 kWh", reader._log.lines[0])
        self.assertEqual(len(reader._log.lines), 2)

    def test_a_counter_that_leaps_once(self):
        stand = self.stand
        reader = stand.add()
        stand.wire.meters[1] = answering(
            reply(), reply(), reply(energy=40093), reply(energy=105629), reply(energy=40094)
        )
        stand.play(35000)
        self.assertEqual(stand.values("energy"), [40000, 40093, None, 40094])
        self.assertEqual(reader.counter_events, 1)

    def test_a_refusal(self):
        stand = self.stand
        reader = stand.add()
        stand.wire.meters[1] = answering(closed(b"\x01\x84\x02"), delay=20)
        stand.play(95000)
        self.assertEqual(reader._output.state, "refused")
        self.assertEqual(reader.refusals, 10)
        self.assertEqual(len(reader._log.lines), 1)
        self.assertEqual(
            reader._log.lines[0],
            "the meter refuses registers 0 to 9 (0x0 to 0x9): illegal address;"
            " is it another model?",
        )
        self.assertEqual(stand.values("energy"), [None])

    def test_the_transceiver_turns(self):
        stand = self.stand
        stand.add(de=4)
        stand.wire.meters[1] = answering(reply())
        stand.play(1000)
        self.assertEqual(stand.wire.events, [(4, 0)] + [(4, 1), "write", "flush", (4, 0)] * 2)

    def test_the_transceiver_turns_without_flush(self):
        stand = self.stand
        stand.add(de=4)
        wire = stand.wire

        class Plain:
            def __init__(self):
                self.write, self.readinto, self.deinit = wire.write, wire.readinto, wire.deinit

        bus.machine.UART = lambda number, baudrate, **options: Plain()
        turned = []
        wire.meters[1] = answering(reply())
        stand.play(5, lambda: turned.append(wire.events[-1]), 1000)
        self.assertEqual(turned, ["write"])  # 5 ms later the request is still on its way
        self.assertEqual(wire.events[-1], (4, 0))
        self.assertEqual(stand.readers[0]._output.state, "ok")

    def test_a_device_that_goes_and_comes(self):
        stand = self.stand
        reader = stand.add()
        other = stand.add(address=2)
        stand.wire.meters = {1: answering(reply(1)), 2: answering(reply(2))}

        def gone():
            stand.wire.gone = True

        def check():
            self.assertEqual(stand.failures, [5, 2])
            self.assertEqual(
                (reader._output.state, other._output.state), ("no device", "no device")
            )
            self.assertEqual(stand.wire.closed, 1)
            stand.wire.gone = False

        stand.play(15000, gone, 10000, check, 60000)
        self.assertEqual((reader._output.state, other._output.state), ("ok", "ok"))
        self.assertEqual(stand.failures, [5, 2])

    def test_direct_current(self):
        stand = self.stand
        reader = stand.add(model="dc")
        frame = bytes.fromhex("0104100540000a000d00000002000000000000d629")
        stand.wire.meters[1] = answering(frame)
        stand.play(5000)
        found = stand.outputs[0].readings[0][1]
        self.assertEqual((found["voltage"], found["current"], found["energy"]), (1344, 10, 2))
        self.assertIn("9600 8N2", reader.describe())
        self.assertEqual(stand.wire.opened[0][2]["stop"], 2)

    def test_registers_of_ones_own(self):
        stand = self.stand
        rows = ["volts | 0 | u16 | 1 | V | measurement | voltage"]
        rows.append("total | 0x20 | single | 3 | kWh | total_increasing | energy")
        stand.add(modbus, registers=rows, function=3)

        def meter(request):
            register = request[3]
            body = b"\x03\x04\x46\x40\xe6\xb7" if register else b"\x03\x02\x09\x6d"
            return ((40, closed(request[:1] + body)),)

        stand.wire.meters[1] = meter
        stand.play(5000)
        self.assertEqual(stand.outputs[0].readings[0][1], {"volts": 2413, "total": 12345679})


ROWS = ["r%d | 0x%X | u16 | 0 | W | measurement | power | 0..1000" % (n, 16 * n) for n in range(3)]


class Registers:
    """Meters that answer each register with its number, and what is wrong with them."""

    def __init__(self, virtual):
        self.virtual = virtual
        self.deaf_ms = 0  # behind an answer: of all of them
        self.silent = []  # registers that are not answered
        self.damaged = []
        self.refused = []
        self.fixed = {}  # register -> value
        self.deaf_until = 0
        self.ignored = 0

    def __call__(self, request):
        now = self.virtual.ms
        register = request[2] << 8 | request[3]
        if now < self.deaf_until:
            self.ignored += 1
            return ()
        if register in self.silent:
            return ()
        self.deaf_until = now + 45 + self.deaf_ms
        if register in self.refused:
            return ((45, closed(bytes((request[0], request[1] | 0x80, 2)))),)
        count = request[4] << 8 | request[5]
        body = bytearray((request[0], request[1], 2 * count))
        for number in range(register, register + count):
            value = self.fixed.get(number, number)
            body.append(value >> 8)
            body.append(value & 255)
        answer = closed(bytes(body))
        if register in self.damaged:
            answer = answer[:-1] + bytes((answer[-1] ^ 1,))
        return ((45, answer),)


class TestBlocks(unittest.TestCase):
    """Meters that answer some of what they are asked for, or are deaf behind an answer."""

    def setUp(self):
        self.real = (bus.machine, uart.machine)
        self.begin()

    def tearDown(self):
        bus.machine, uart.machine = self.real

    def begin(self, **changes):
        self.stand = Stand()
        self.meter = Registers(self.stand.virtual)
        self.reader = self.add(1, **changes)

    def add(self, address, **changes):
        self.stand.wire.meters[address] = self.meter
        return self.stand.add(modbus, address=address, registers=ROWS, **changes)

    def readings(self, number=0):
        found = [reading for _, reading in self.stand.outputs[number].readings]
        return [tuple([reading["r%d" % n] for n in range(3)]) for reading in found]

    def test_deaf_behind_an_answer(self):
        for deaf_ms in (0, 30, 100, 200, 350, 500):
            self.begin(interval=2)
            self.meter.deaf_ms = deaf_ms
            self.stand.play(60000)
            whole = (0, 16, 32)
            self.assertEqual(set(self.readings()), {whole}, deaf_ms)
            self.assertTrue(len(self.readings()) >= 29, (deaf_ms, len(self.readings())))
            self.assertTrue(self.reader._rest_ms >= deaf_ms - 10, self.reader._rest_ms)
            self.assertTrue(self.reader._rest_ms <= max(2 * deaf_ms, 100) and deaf_ms or True)
            self.assertTrue(self.meter.ignored <= 8, (deaf_ms, self.meter.ignored))

    def test_the_pause_is_told(self):
        self.meter.deaf_ms = 30
        self.stand.play(60000)
        said = "address 1 is deaf behind an answer: `rest_ms` is 100 now"
        self.assertEqual(self.reader._log.lines, [said])

    def test_a_pause_that_is_given(self):
        for rest_ms in (0, 400):
            self.begin(rest_ms=rest_ms)
            self.meter.deaf_ms = 400
            self.stand.play(60000)
            self.assertEqual(set(self.readings()), {(0, 16, 32)})  # one more try helps anyhow
            self.assertEqual(self.reader._rest_ms, rest_ms)
            self.assertEqual(bool(self.meter.ignored), not rest_ms)

    def test_time_outs_now_and_then_are_no_rule(self):
        calls = [0]
        whole = self.meter

        def meter(request):
            calls[0] += 1
            if calls[0] % 100 == 0:
                gc.collect()  # or what stays lies all over the heap, and long lists find no room
            return () if calls[0] % 7 == 0 else whole(request)

        self.reader._rest_ms = 100
        self.stand.wire.meters[1] = meter
        self.stand.play(3600000)
        self.assertEqual(set(self.readings()), {(0, 16, 32)})
        self.assertEqual(self.reader._rest_ms, 100)

    def test_meters_that_are_deaf_behind_each_other(self):
        self.add(2)
        self.meter.deaf_ms = 80
        self.stand.play(60000)
        self.assertEqual(set(self.readings() + self.readings(1)), {(0, 16, 32)})
        self.assertTrue(min(len(self.readings()), len(self.readings(1))) >= 6)
        self.assertTrue(self.meter.ignored <= 4, self.meter.ignored)

    def test_one_that_comes_back_to_a_line_of_deaf_meters(self):
        other = self.add(2)
        self.meter.deaf_ms = 80
        del self.stand.wire.meters[2]

        def back():
            self.assertEqual(other._output.state, "no answer")
            self.stand.wire.meters[2] = self.meter

        self.stand.play(60000, back, 60000)
        self.assertEqual(other._output.state, "ok")
        self.assertTrue(self.readings(1).count((0, 16, 32)) >= 5)

    def test_a_silent_meter_costs_one_time_out(self):
        self.meter.silent = [0, 16, 32]
        self.stand.play(95000)
        asked = [ms // 10000 for ms, _ in self.stand.wire.asked]
        self.assertEqual([asked.count(n) for n in range(10)], [3] * 3 + [1] * 7)
        self.assertEqual(self.readings(), [(None,) * 3])
        self.assertEqual(len(self.reader._log.lines), 1)

    def test_what_was_answered_is_kept(self):
        for silent, damaged, refused, expected in (
            ([32], [], [], (0, 16, None)),
            ([16], [], [], (0, None, 32)),
            ([0], [], [], (None, 16, 32)),
            ([], [32], [], (0, 16, None)),
            ([], [0], [], (None, 16, 32)),
            ([32], [16], [], (0, None, None)),
            ([16], [], [32], (0, None, None)),
        ):
            self.begin()
            self.meter.silent, self.meter.damaged, self.meter.refused = silent, damaged, refused
            self.stand.play(55000)
            self.assertEqual(set(self.readings()), {expected})
            self.assertEqual(len(self.readings()), 6)
            self.assertEqual(self.reader._output.state, "ok")
            self.assertEqual(self.reader.answers, 7)

    def test_registers_that_fall_silent_are_told_once(self):
        def silent():
            self.meter.silent = [16, 32]

        def again():
            self.meter.silent = []

        self.stand.play(15000, silent, 40000, again, 20000)
        lines = self.reader._log.lines
        self.assertEqual(len(lines), 2, lines)
        self.assertEqual(
            lines[0],
            "no answer for the registers 16 to 16 (0x10 to 0x10), 32 to 32 (0x20 to 0x20)",
        )

    def test_it_comes_back_without_its_first_registers(self):
        self.meter.silent = [0, 16, 32]

        def back():
            self.assertEqual(self.reader._output.state, "no answer")
            self.meter.silent = [0]

        self.stand.play(45000, back, 60000)
        self.assertEqual(self.readings()[-1], (None, 16, 32))

    def test_an_implausible_register_costs_its_channel(self):
        self.meter.fixed = {16: 1001}
        self.stand.play(55000)
        self.assertEqual(self.readings(), [(0, None, 32)] * 6)
        self.assertEqual(self.reader._output.state, "ok")
        self.assertEqual(self.reader.implausible, 7)
        said = "r1 1001 W cannot be (0 to 1000): unknown; more are only counted"
        self.assertEqual(self.reader._log.lines, [said])

    def test_nothing_but_implausible_registers(self):
        self.meter.fixed = {0: 1001, 16: 1001, 32: 1001}
        self.stand.play(55000)
        self.assertEqual(self.readings(), [(None,) * 3])
        self.assertEqual(self.reader._output.state, "implausible")

    def test_functions(self):
        rows = [ROWS[0], ROWS[1].replace("0x10", "3:0x10"), ROWS[2]]
        self.stand.readers.pop()
        self.stand.outputs.pop()
        self.stand.add(modbus, registers=rows)
        functions = []

        def meter(request):
            functions.append((request[1], request[3]))
            return self.meter(request)

        self.stand.wire.meters[1] = meter
        self.stand.play(15000)
        self.assertEqual(self.readings(), [(0, 16, 32)] * 2)
        self.assertEqual(functions[:3], [(3, 16), (4, 0), (4, 32)])


class Host:
    NAME = "HOST"
    UARTS = ()


class Esp32:
    NAME = "ESP32_GENERIC"
    UARTS = {2: {"tx": 17, "rx": 16}}
    STRAPPING = ()
    INPUT_ONLY = ()
    GPIO = (4, 16, 17, 18, 19)
    REQUEST = 4
    LED = None
    SD = None
    CAN_INVERT = True
    CAN_PULL = True


class TestConfig(unittest.TestCase):
    def said(self, *readers, board=Esp32):
        try:
            schema.check({"device": "d", "readers": list(readers), "sinks": []}, board, registry)
        except ConfigError as error:
            return str(error)
        return ""

    def test_a_shared_line(self):
        one = {"type": "pzem", "uart": 2, "address": 1, "de": 4}
        two = {"type": "pzem", "uart": 2, "address": 2, "de": 4}
        sdm = {"type": "modbus", "uart": 2, "address": 3, "de": 4, "meter": "sdm630"}
        self.assertEqual(self.said(one, two, sdm), "")
        self.assertEqual(self.said(dict(one, uart="sim"), dict(two, uart="sim"), board=Host), "")

    def test_what_does_not_go_together(self):
        one = {"type": "pzem", "uart": 2, "address": 1}
        for other, told in (
            ({"type": "pzem", "uart": 2, "address": 1}, "`address` is 1, which readers[0] (pzem)"),
            ({"type": "pzem", "uart": 2, "address": 2, "de": 4}, "`de` is 4, but readers[0]"),
            ({"type": "pzem", "uart": 2, "address": 2, "model": "dc"}, "`stop` is 2, but"),
            ({"type": "pzem", "uart": 2, "address": 248}, "`address` 248 is for a meter that is"),
            ({"type": "dsmr", "uart": 2}, "`uart` is 2, which readers[0] (pzem) uses already"),
            (
                {"type": "modbus", "uart": 2, "address": 2, "meter": "sdm120", "baud": 2400},
                "`baud` is 2400, but readers[0] (pzem) on the same line has 9600",
            ),
        ):
            said = self.said(one, other)
            self.assertIn(told, said)
            self.assertEqual(said.count("\n"), 0, said)
        dc = {"type": "pzem", "uart": 2, "address": 2, "model": "dc", "stop": 1}
        self.assertEqual(self.said(one, dc), "")
        said = self.said({"type": "dsmr", "uart": 2}, one)
        self.assertIn("`uart` is 2, which readers[0] (dsmr) uses already", said)

    def test_pins_of_a_shared_line_are_taken(self):
        one = {"type": "pzem", "uart": 2, "address": 1, "de": 4}
        self.assertIn("uses already", self.said(one, {"type": "dsmr", "uart": 2}))

    def test_registers(self):
        entry = {"type": "modbus", "uart": 2, "address": 1}
        self.assertIn("one of `meter` and `registers`", self.said(entry))
        rows = ["v | 0 | u17 | 1 | V | measurement | voltage"]
        self.assertIn("type 'u17'", self.said(dict(entry, registers=rows)))
        rows[0] = rows[0].replace("u17", "u16")
        self.assertEqual(self.said(dict(entry, registers=rows)), "")


if __name__ == "__main__":
    unittest.main()
