"""The pzem and modbus readers on a scripted bus, by a clock that moves only when told."""

import asyncio
import sys
import unittest

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(_HERE + "/../fakes")

from modbus import rtu  # noqa: E402
from virtual_clock import VirtualClock  # noqa: E402

from joulelog import clock, registry, schema, uart  # noqa: E402
from joulelog.errors import ConfigError  # noqa: E402
from joulelog.readers import bus, modbus, pzem  # noqa: E402


def closed(frame):
    crc = rtu.crc16(frame, 0, len(frame))
    return frame + bytes((crc & 255, crc >> 8))


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


class Wire:
    """A UART whose meters are functions: request -> list of (milliseconds later, bytes)."""

    def __init__(self, virtual):
        self.virtual = virtual
        self.meters = {}  # address -> function
        self.asked = []  # (ms, address)
        self.opened = []
        self.events = []  # of the pin DE, write and flush, in their order
        self.closed = 0
        self.gone = False
        self._coming = []

    def write(self, data):
        if self.gone:
            raise OSError(5, "the device has gone")
        self.events.append("write")
        self.asked.append((self.virtual.ms, data[0]))
        meter = self.meters.get(data[0])
        for delay, answer in meter(bytes(data)) if meter else ():
            self._coming.append((self.virtual.ms + delay, answer))
        return len(data)

    def readinto(self, buffer, size=None):
        if self.gone:
            raise OSError(5, "the device has gone")
        for index, (ms, data) in enumerate(self._coming):
            if ms <= self.virtual.ms:
                count = min(len(buffer), len(data))
                buffer[:count] = data[:count]
                if count < len(data):
                    self._coming[index] = (ms, data[count:])
                else:
                    self._coming.pop(index)
                return count
        return None

    def flush(self):
        self.events.append("flush")

    def deinit(self):
        self.closed += 1


class Machine:
    """Stands for the module `machine`."""

    def __init__(self, wire):
        machine = self
        self.wire = wire

        class UART:
            def __new__(cls, number, baudrate, **options):
                wire.opened.append((number, baudrate, options))
                if wire.gone:
                    raise OSError(2, "no such device")
                return wire

        class Pin:
            OUT = 1

            def __init__(self, number, mode, value=0):
                self.number = number
                self.value(value)

            def value(self, level):
                machine.wire.events.append((self.number, level))

        self.UART = UART
        self.Pin = Pin


class Board:
    NAME = "TEST"
    CHIP = "esp32"
    UARTS = {2: {"tx": 17, "rx": 16}}
    RX_BUFFER = 4096
    CAN_INVERT = True


class Output:
    def __init__(self, virtual):
        self.readings = []
        self._virtual = virtual

    def publish(self, time, channels, values):
        found = {channel[0]: value for channel, value in zip(channels, values)}
        self.readings.append((self._virtual.ms, found))


class App:
    board = Board

    def __init__(self):
        self.clock = clock.Clock()
        self.buses = {}


class Said:
    def __init__(self):
        self.lines = []

    def warning(self, text, *values):
        self.lines.append(text % values)

    info = warning


class Stand:
    """Readers on one bus, and the clock of all."""

    def __init__(self):
        self.virtual = VirtualClock()
        self.wire = Wire(self.virtual)
        bus.machine = uart.machine = Machine(self.wire)
        self.app = App()
        self.readers = []
        self.outputs = []
        self.failures = []

    def add(self, kind=pzem, **changes):
        entry = {"uart": 2, "address": 1, "tx": None, "rx": None, "de": None}
        entry.update({"interval": 10, "timeout_ms": 250, "misses": 3, "stop": None})
        if kind is pzem:
            entry["model"] = "ac"
        else:
            entry.update({"baud": 9600, "parity": "none", "stop": 1, "function": 4})
            entry.update({"meter": None, "registers": None, "hole": 0, "most": 0})
        entry.update(changes)
        self.outputs.append(Output(self.virtual))
        reader = kind.Reader("pzem", entry, self.app, self.outputs[-1])
        reader._log = Said()
        self.readers.append(reader)
        return reader

    def play(self, *times):
        """Run all readers; times: milliseconds, and functions that are called in between."""

        async def keep(reader):
            while True:  # as the supervisor does
                try:
                    await reader.run()
                except OSError as error:
                    self.failures.append(error.args[0])
                    await clock.sleep_ms(60000)

        async def story():
            tasks = [asyncio.create_task(keep(reader)) for reader in self.readers]
            for step in times:
                if isinstance(step, int):
                    await self.virtual.advance(step)
                else:
                    step()
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        self.virtual.play(story())

    def values(self, key, number=0):
        return [found[key] for _, found in self.outputs[number].readings]


def answering(*frames, delay=45):
    """A meter that gives these answers in turn, and then the last one for ever."""
    left = list(frames)

    def meter(request):
        frame = left.pop(0) if len(left) > 1 else left[0]
        return ((delay, frame),) if frame else ()

    return meter


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
        self.assertEqual(reader.state, "ok")
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
        self.assertEqual(reader.state, "no answer")
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
        self.assertEqual(reader.state, "ok")
        self.assertEqual(len(reader._log.lines), 2)

    def test_fewer_misses_are_no_state(self):
        stand = self.stand
        reader = stand.add()
        stand.wire.meters[1] = answering(reply(), reply(), b"", b"", reply())
        stand.play(45000)
        self.assertEqual(stand.values("energy"), [40000] * 3)
        self.assertEqual((reader.state, reader.timeouts, reader._log.lines), ("ok", 2, []))

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
            self.assertEqual(reader.state, "ok")  # the answer was found in all that
            wire.meters.clear()

        wire.readinto = chatter
        wire.meters[1] = answering(reply())
        stand.play(35000, deaf, 35000)
        self.assertEqual(reader.state, "no answer")
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
        self.assertEqual(reader.state, "refused")
        self.assertEqual(reader.refusals, 10)
        self.assertEqual(len(reader._log.lines), 1)
        self.assertIn("refuses registers 0 to 9 (illegal address)", reader._log.lines[0])
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
        self.assertEqual(stand.readers[0].state, "ok")

    def test_a_device_that_goes_and_comes(self):
        stand = self.stand
        reader = stand.add()
        other = stand.add(address=2)
        stand.wire.meters = {1: answering(reply(1)), 2: answering(reply(2))}

        def gone():
            stand.wire.gone = True

        def check():
            self.assertEqual(stand.failures, [5, 2])
            self.assertEqual((reader.state, other.state), ("no device", "no device"))
            self.assertEqual(stand.wire.closed, 1)
            stand.wire.gone = False

        stand.play(15000, gone, 10000, check, 60000)
        self.assertEqual((reader.state, other.state), ("ok", "ok"))
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
