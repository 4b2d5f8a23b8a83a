"""The altherma reader on a scripted unit, by a clock that moves only when told: no test waits."""

import asyncio
import json
import unittest

import exact
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.device import uart
from joulelog.readers import altherma, x10a_line

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


ENTRY = {
    "name": "hp",
    "uart": 2,
    "tx": None,
    "rx": None,
    "model": "core",
    "labels": None,
    "protocol": "auto",
    "interval": 30,
}
REFUSED = b"\x15\xea"
ROTEX = {
    0x53: b"\x01" + bytes(15),
    0x54: b"\xb4\x0d\xa8\x17\xd0\x18\x24\x1d\x3c\x2c\x01\x00\x20\x00\x00\x00",
    0x55: b"\x01" + bytes(15),
    0x56: bytes(4),
}


def payloads():
    """Registers of protocol I, all zero but for what the tests look at."""
    made = {}
    for register in (0x10, 0x20, 0x21, 0x30, 0x60, 0x61, 0x62):
        made[register] = bytearray(17)
    made[0x61][2:4] = b"\x5e\x01"  # 35.0
    made[0x62][9:11] = b"\x7d\x00"  # 12.5
    return made


class Unit:
    """A heat pump behind a UART: answers 30 ms after a request, 10 bytes per 10 ms."""

    def __init__(self, virtual, protocol="I", registers=None):
        self.virtual = virtual
        self.protocol = protocol
        self.registers = payloads() if registers is None else registers
        self.refused = []
        self.silent = []
        self.spoil = 0  # answers to come that have a wrong bit
        self.noise = b""
        self.echo = False
        self.late_ms = 30
        self.split = (0, 0)  # the answer's byte before which the line pauses, and for how long
        self.requests = []  # (ms, register)
        self.opened = []
        self.closed = 0
        self.unplugged = False
        self._coming = []  # (ms, bytes)

    def write(self, data):
        if self.unplugged:
            raise OSError(5, "the device has gone")
        now = self.virtual.ms
        register = data[-2]
        self.requests.append((now, register))
        if self.echo:
            self._coming.append((now, bytes(data)))
        answer = self._answer(data, register)
        if answer and self.spoil:
            self.spoil -= 1
            answer = answer[:-2] + bytes((answer[-2] ^ 4,)) + answer[-1:]
        if answer:
            answer = self.noise + answer
        first, pause_ms = self.split
        for start, end in ((0, first), (first, len(answer))):
            for at in range(start, end, 10):
                wait_ms = self.late_ms + at + (pause_ms if start else 0)
                self._coming.append((now + wait_ms, answer[at : min(end, at + 10)]))
        return len(data)

    def _answer(self, data, register):
        if self.protocol == "":
            return b""
        if (len(data) == 4) != (self.protocol == "I") or register in self.refused:
            return REFUSED
        if register in self.silent:
            return b""
        if register not in self.registers:
            return REFUSED
        payload = bytes(self.registers[register])
        if self.protocol == "I":
            frame = bytes((0x40, register, len(payload) + 2)) + payload
        else:
            frame = bytes((register,)) + payload
        return frame + bytes((~sum(frame) & 0xFF,))

    def readinto(self, buffer, size=None):
        if not self._coming or self._coming[0][0] > self.virtual.ms:
            return None
        ms, data = self._coming.pop(0)
        room = len(buffer)
        if len(data) > room:
            self._coming.insert(0, (ms, data[room:]))
            data = data[:room]
        buffer[: len(data)] = data
        return len(data)

    def deinit(self):
        self.closed += 1


class Machine:
    def __init__(self, unit):
        class UART:
            def __new__(cls, id, baudrate, **options):
                unit.opened.append((id, baudrate, options))
                return unit

        self.UART = UART


class Board:
    NAME = "TEST"
    CHIP = "esp32"
    UARTS = {2: {"tx": 17, "rx": 16}}
    RX_BUFFER = 4096


CLOCK = clock.Clock()


class Output:
    state = ""

    def say(self, state):
        self.state = state

    def __init__(self):
        self.readings = []
        self.identity = ()

    def identify(self, *identity):
        self.identity = identity

    def slots(self):
        return 64

    def publish(self, time, channels, values):
        found = {}
        for channel, value in zip(channels, values):
            found[channel[exact.KEY]] = value
        self.readings.append(found)


class TestReader(unittest.TestCase):
    def play(self, story, protocol="I", registers=None, **entry):
        """Run story(reader, unit, output, virtual) beside the reader."""
        virtual = VirtualClock(0)  # readings at multiples of the interval
        unit = Unit(virtual, protocol, registers)
        output = Output()
        filled = dict(ENTRY)
        filled.update(entry)
        real = uart.machine
        uart.machine = Machine(unit)
        self.raised = None

        async def run():
            reader = altherma.Reader("hp", filled, output, CLOCK, Board())

            async def guarded():
                try:
                    await reader.run()
                except OSError as error:
                    self.raised = error

            task = asyncio.create_task(guarded())
            await story(reader, unit, output, virtual)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        try:
            virtual.play(run())
        finally:
            uart.machine = real
        self.assertEqual(unit.closed, 1)

    def test_core(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            self.assertEqual(unit.opened[0][:2], (2, 9600))
            self.assertEqual(unit.opened[0][2]["parity"], 0)
            self.assertEqual(unit.opened[0][2]["bits"], 8)
            self.assertEqual((reader._output.state, reader.protocol), ("ok", "I"))
            self.assertEqual(len(output.readings), 1)
            self.assertEqual(output.readings[0]["flow_temperature"], 350)
            self.assertEqual(output.readings[0]["flow"], 125)
            await virtual.advance(30000 * 9)
            self.assertEqual(len(output.readings), 10)
            line = reader._line
            self.assertEqual(line.timeouts + line.frame_errors + line.refused, 0)
            begins = [ms for ms, register in unit.requests if register == 0x20]
            self.assertTrue(all(b - a == 30000 for a, b in zip(begins[1:], begins[2:])), begins)

        self.play(story)

    def test_rotex_is_found(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            self.assertEqual(reader.protocol, "S")
            self.assertEqual(output.readings[-1]["operation_mode"], "Heating")
            value = output.readings[-1]["flow_temperature"]
            self.assertEqual(value, 0x18D0 * 390625)

        self.play(story, "S", ROTEX)

    def test_protocol_s_is_found(self):
        registers = dict(ROTEX)
        del registers[0x56]
        registers[0x50] = b"\x80\x01\x00\x00"

        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            self.assertEqual(output.readings[-1]["hp_sensor_kgcm2"], 150000000)

        self.play(story, "S", registers)

    def test_a_refused_register_is_left_alone(self):
        async def story(reader, unit, output, virtual):
            unit.refused.append(0x21)
            await virtual.advance(3600 * 1000)
            self.assertEqual(len([1 for _, register in unit.requests if register == 0x21]), 1)
            self.assertIsNone(output.readings[-1]["inverter_current"])
            self.assertEqual(output.readings[-1]["flow"], 125)
            self.assertEqual((reader._line.refused, reader._line.timeouts), (1, 0))
            await virtual.advance(6 * 3600 * 1000)
            self.assertEqual(len([1 for _, register in unit.requests if register == 0x21]), 2)

        self.play(story, interval=600)

    def test_a_damaged_request_costs_no_register(self):
        """The unit answers 15 EA to what it has not understood."""

        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            answer = unit._answer
            misheard = [0x61, 0x62, 0x62]  # so often

            def mishears(data, register):
                if register in misheard:
                    misheard.remove(register)
                    return REFUSED
                return answer(data, register)

            unit._answer = mishears
            await virtual.advance(30000)
            self.assertEqual(output.readings[-1]["flow_temperature"], 350)  # asked for again
            self.assertIsNone(output.readings[-1]["flow"])  # that was believed
            asked = [register for ms, register in unit.requests if ms > 29000]
            self.assertEqual((asked.count(0x61), asked.count(0x62)), (2, 2))
            await virtual.advance(30000)
            asked = [register for ms, register in unit.requests if ms > 59000]
            self.assertEqual((asked.count(0x61), asked.count(0x62)), (1, 0))

        self.play(story)

    def test_every_frame_split_at_every_position(self):
        """A pause in the midst of an answer, shorter or longer than the one behind it."""
        with open(_HERE + "/../fixtures/x10a/frames.json") as file:
            frames = json.load(file)["frames"]
        virtual = VirtualClock(1000)
        unit = Unit(virtual)
        asked = []

        async def ask():
            for item in frames:
                frame = bytes.fromhex(item["frame"])
                unit.protocol = item["protocol"]
                start = 3 if unit.protocol == "I" else 1
                unit.registers = {item["register"]: frame[start:-1]}
                for at in range(1, len(frame)):
                    for pause_ms in (2, 40, 150):
                        unit.split = (at, pause_ms)
                        found = await line.ask(unit.protocol, item["register"])
                        heard = bytes(line.buffer[: line.count])
                        asked.append((found, heard) == (start, frame))

        async def run():
            task = asyncio.create_task(ask())
            while not task.done():
                await virtual.advance(1000)
            await task

        line = x10a_line.X10a(Board(), ENTRY)
        uart.machine = Machine(unit)
        virtual.play(run())
        self.assertEqual((len(asked), asked.count(False)), (3 * 266, 0))

    def test_a_silent_register_costs_its_time_out(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            unit.silent.append(0x30)
            await virtual.advance(30000)
            self.assertIsNone(output.readings[-1]["compressor_speed"])
            self.assertEqual(output.readings[-1]["flow"], 125)
            asked = [(ms, r) for ms, r in unit.requests if ms > 29000]
            at = [r for _, r in asked].index(0x30)
            gap = asked[at + 1][0] - asked[at][0]
            self.assertTrue(300 <= gap <= 320, gap)
            self.assertEqual(reader._line.timeouts, 1)
            unit.silent.remove(0x30)
            await virtual.advance(30000)
            self.assertEqual(output.readings[-1]["compressor_speed"], 0)

        self.play(story)

    def test_a_wrong_bit_is_asked_for_again(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            unit.spoil = 1
            await virtual.advance(30000)
            self.assertEqual(reader._line.frame_errors, 1)
            self.assertTrue(None not in (output.readings[-1]["thermostat"],))
            unit.spoil = 1000
            await virtual.advance(30000 * 2)
            self.assertEqual(len(output.readings), 2)  # nothing is made of what is wrong

        self.play(story)

    def test_noise_and_echo(self):
        async def story(reader, unit, output, virtual):
            unit.noise = b"\x80\x00\x40"
            unit.echo = True
            await virtual.advance(89000)
            self.assertEqual(len(output.readings), 3)
            self.assertEqual(reader._line.frame_errors, 0)

        self.play(story)

    def test_an_answer_that_comes_too_late(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            before = len(output.readings)
            unit.late_ms = 310
            await virtual.advance(30000)
            unit.late_ms = 30
            await virtual.advance(30000)
            self.assertTrue(len(output.readings) > before)
            for reading in output.readings:  # never another register's bytes
                self.assertIn(reading["flow_temperature"], (350, None))
                self.assertIn(reading["flow"], (125, None))

        self.play(story)

    def test_the_unit_falls_silent(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            unit.protocol = ""
            await virtual.advance(90000)
            self.assertEqual(reader._output.state, "no answer")
            self.assertEqual(set(output.readings[-1].values()), {None})
            self.assertEqual(len(output.readings), 2)
            await virtual.advance(300000)
            self.assertEqual((len(output.readings), reader.silences), (2, 1))
            unit.protocol = "I"
            await virtual.advance(60000)
            self.assertEqual((reader._output.state, output.readings[-1]["flow"]), ("ok", 125))

        self.play(story)

    def test_nobody_there(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(200000)
            self.assertEqual((reader._output.state, reader.silences), ("no answer", 1))
            self.assertEqual(output.readings, [])

        self.play(story, "")

    def test_a_device_that_goes(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            unit.unplugged = True
            await virtual.advance(30000)
            self.assertEqual(reader._output.state, "no device")
            self.assertIn("gone", str(self.raised))

        self.play(story)

    def test_a_model_and_labels(self):
        async def story(reader, unit, output, virtual):
            await virtual.advance(29000)
            self.assertEqual(set(output.readings[0]), {"flow", "thermostat", "thermostat_on_off"})
            self.assertEqual({r for _, r in unit.requests}, {0x10, 0x60, 0x62})

        self.play(
            story,
            model="Altherma(ERGA D EHV-EHB-EHVZ DA series 04-08kW)",
            labels=["flow", "thermostat_on_off"],
        )

    def test_describe(self):
        reader = altherma.Reader("hp", ENTRY, Output(), CLOCK, Board())
        told = reader.describe()
        for word in ("UART 2", "8E1", "RX on GPIO 16", "TX on GPIO 17", "core"):
            self.assertIn(word, told)


class TestProblems(unittest.TestCase):
    def told(self, **changes):
        entry = dict(ENTRY)
        entry.update(changes)
        return list(altherma.problems(entry, Board()))

    def test_models(self):
        self.assertEqual(self.told(), [])
        self.assertEqual(self.told(model="PROTOCOL_S"), [])
        self.assertIn("altherma-hybrid", self.told(model="altherma-hybird")[0])
        self.assertIn("protocol-s-rotex", self.told(model="x")[0])

    def test_protocol(self):
        self.assertEqual(self.told(model="protocol-s", protocol="S"), [])
        self.assertIn("speaks S", self.told(model="protocol-s", protocol="I")[0])
