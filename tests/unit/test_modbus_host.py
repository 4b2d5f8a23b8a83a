"""Modbus meters behind an address: connections and pauses, by a clock that only a test moves."""

import asyncio
import gc
import unittest

import sunspec
from modbus import tcp as frames
from modbus_stand import Stand, closed

from joulelog import clock
from joulelog.errors import NetError
from joulelog.readers import modbus, modbus_host

ROW = "power | 3:0 | u16 | 0 | W | measurement | power"


class Network:
    up = True


class Tcp:
    """Stands for net/tcp and net/address: a function of unit and question answers."""

    def __init__(self, virtual):
        self.virtual = virtual
        self.meter = lambda unit, question: b"\x03\x02\x00\x07"
        self.refuses = ""  # why nobody gets a connection
        self.cuts = False  # the next request
        self.delay_ms = 30
        self.is_rtu = False
        self.connections = []  # (ms, host, port)
        self.forgotten = []
        self.streams = []

    async def connect(self, host, port, timeout_ms):
        self.connections.append((self.virtual.ms, host, port))
        if self.refuses:
            raise NetError(self.refuses)
        self.streams.append(Stream(self))
        return self.streams[-1]

    def forget(self, host):
        self.forgotten.append(host)


class Stream:
    def __init__(self, place):
        self.place = place
        self.coming = []  # (ms, bytes)
        self.closed = False
        self.ended = False

    async def send(self, data, timeout_ms):
        if self.place.cuts:
            raise OSError(104)
        rtu = self.place.is_rtu
        request = data[:-2] if rtu else data[6:]
        answer = self.place.meter(request[0], request[1:])
        if answer is None:
            return
        answer = request[:1] + answer
        if rtu:
            answer = closed(answer)
        else:
            answer = data[:4] + bytes((0, len(answer))) + answer
        self.coming.append((self.place.virtual.ms + self.place.delay_ms, answer))

    def receive(self):
        if self.ended:
            return None
        if self.coming and self.coming[0][0] <= self.place.virtual.ms:
            return self.coming.pop(0)[1]
        return b""

    def close(self):
        self.closed = True


class TestHost(unittest.TestCase):
    def setUp(self):
        self.real = modbus_host.tcp, modbus_host.address
        self.stand = Stand()
        self.stand.app.network = Network()
        self.tcp = Tcp(self.stand.virtual)
        modbus_host.tcp = modbus_host.address = self.tcp

    def tearDown(self):
        modbus_host.tcp, modbus_host.address = self.real

    def add(self, **changes):
        about = {"uart": None, "host": "meter.local", "registers": [ROW], "timeout_ms": None}
        about.update(changes)
        return self.stand.add(modbus, **about)

    def state(self, number=0):
        return self.stand.outputs[number].state

    def test_values_over_one_connection(self):
        for framing in ("tcp", "rtu"):
            self.setUp()
            self.tcp.is_rtu = framing == "rtu"
            reader = self.add(framing=framing)
            self.add(framing=framing, address=2)
            self.add(framing=framing, port=1502)
            self.stand.play(35000)
            for number in range(3):
                self.assertEqual(self.stand.values("power", number), [7] * 4)
            ports = sorted([port for _, _, port in self.tcp.connections])
            self.assertEqual(ports, [502, 1502])
            self.assertTrue(all([stream.closed for stream in self.tcp.streams]))  # at the end
            self.assertIn("at meter.local:502, address 1, every 10 s", reader.describe())

    def test_address_0(self):
        asked = []

        def meter(unit, question):
            asked.append(unit)
            return b"\x03\x02\x00\x07"

        self.tcp.meter = meter
        self.add(address=0)
        self.add(address=255)
        self.stand.play(5000)
        self.assertEqual(sorted(set(asked)), [0, 255])

    def test_refused_later_each_time(self):
        reader = self.add(interval=1)
        self.tcp.refuses = "connection refused"
        self.stand.play(300000)
        times = [ms for ms, _, _ in self.tcp.connections]
        gaps = [after - before for before, after in zip(times, times[1:])]
        self.assertTrue(8 <= len(times) <= 14, times)
        self.assertTrue(gaps[0] < 2000 and 44000 <= gaps[-1] <= 61000, gaps)
        self.assertEqual(self.state(), "no answer")
        self.assertEqual(
            reader._log.lines,
            [
                "no answer from address 1 at meter.local, 3 times:"
                " meter.local:502: connection refused"
            ],
        )

        def back():
            self.tcp.refuses = ""

        back()
        self.stand.play(65000)
        self.assertEqual(self.state(), "ok")

    def test_a_new_connection_looks_the_name_up_again(self):
        """Each connect() does; a cut one forgets the name as well."""
        self.add(interval=1)

        def cut():
            self.tcp.cuts = True

        def back():
            self.tcp.cuts = False

        self.stand.play(5500, cut, 3000, back, 30000)
        self.assertTrue(len(self.tcp.forgotten) >= 1)
        self.assertEqual(self.state(), "ok")
        self.assertTrue(len(self.tcp.connections) >= 3)

    def test_silence_ends_the_connection_and_costs_no_pause(self):
        silent = []
        self.tcp.meter = lambda unit, question: None if unit in silent else b"\x03\x02\x00\x07"
        one = self.add(interval=5)
        self.add(interval=5, address=2)
        self.stand.play(12000, lambda: silent.append(1), 60000)
        self.assertEqual((self.state(), self.state(1)), ("no answer", "ok"))
        self.assertIn("no answer within 2000 ms", one._log.lines[0])
        self.assertTrue(len(self.stand.values("power", 1)) >= 14)
        # Each silence a new one, at once.
        self.assertTrue(12 <= len(self.tcp.connections) <= 16, len(self.tcp.connections))
        self.assertEqual(self.tcp.forgotten, [])

    def test_idle_and_closed_by_the_other_side(self):
        reader = self.add()

        def end():
            self.tcp.streams[-1].ended = True

        self.stand.play(5000, end, 10000, end, 10000)
        self.assertEqual(self.stand.values("power"), [7] * 3)
        self.assertEqual((reader.timeouts, reader.damaged, len(self.tcp.streams)), (0, 0, 3))

    def test_a_gateway_that_reaches_nobody(self):
        for code, said in ((10, "has no way to it"), (11, "gets no answer from it")):
            self.setUp()
            dead = b"\x83" + bytes((code,))
            self.tcp.meter = lambda unit, question: dead if unit == 2 else b"\x03\x02\x00\x07"
            self.add()
            reader = self.add(address=2)
            self.stand.play(45000)
            self.assertEqual(self.stand.values("power"), [7] * 5)
            self.assertEqual(self.state(1), "no answer")
            self.assertIn(said, reader._log.lines[0])
            self.assertEqual(len(self.tcp.connections), 1)
            self.assertEqual(reader.refusals, 0)

    def test_exceptions_of_the_moment(self):
        for code, said in ((2, "illegal address; is it another model?"), (6, "it is busy")):
            self.setUp()
            self.tcp.meter = lambda unit, question: b"\x83" + bytes((code,))  # noqa: B023
            reader = self.add()
            self.stand.play(45000)
            self.assertEqual(self.state(), "refused")
            self.assertEqual(len(reader._log.lines), 1)
            self.assertTrue(reader._log.lines[0].endswith(said), reader._log.lines)
            self.assertEqual(len(self.tcp.connections), 1)

    def test_what_is_no_modbus(self):
        self.add()
        reader = self.stand.readers[0]
        self.tcp.meter = lambda unit, question: b"\x03\x04\0\0\0\0"  # more than was asked for
        self.stand.play(45000)
        self.assertIn("is `framing` right?", reader._log.lines[0])
        self.assertTrue(reader.damaged >= 3)

    def test_no_network(self):
        self.stand.app.network.up = False
        reader = self.add()
        self.stand.play(45000)
        self.assertIn("there is no network", reader._log.lines[0])
        self.assertEqual(self.tcp.connections, [])

    def test_a_flood_of_late_answers_has_an_end(self):
        reader = self.add()
        late = frames.Answer().begin(frames.read(1, 3, 0, 1))

        class Flood(Stream):
            def receive(self):
                return late

        async def connect(host, port, timeout_ms):
            self.tcp.connections.append(0)
            return Flood(self.tcp)

        self.tcp.connect = connect
        self.stand.play(45000)
        self.assertEqual(self.state(), "no answer")
        self.assertTrue(reader.damaged >= 3)

    def test_sunspec_waits_until_it_answers(self):
        """The models are looked for at the first answer, and once more than one was silent."""
        silent = [True]
        words = {40000: b"SunS", 40002: b"\0\x65\0\x32", 40054: b"\xff\xff\0\0"}

        def meter(unit, question):
            register = question[1] << 8 | question[2]
            count = question[3] << 8 | question[4]
            if silent[0]:
                return None
            if register == 40002 and count > 2:
                body = bytearray(b"\x80\0" * count)
                body[0:2] = b"\0\x65"
                body[28:32] = b"\x13\x88\0\0"
                return bytes((3, 2 * count)) + body
            if register not in words:
                return b"\x83\x02"
            return b"\x03\x04" + words[register]

        self.tcp.meter = meter
        self.add(registers=None, meter="sunspec", interval=5)
        self.stand.play(20000)
        self.assertEqual((self.state(), self.stand.outputs[0].readings), ("no answer", []))
        silent[0] = False
        self.stand.play(60000)
        self.assertEqual(set(self.stand.values("power_export")), {5000})
        self.assertEqual(self.state(), "ok")
        self.assertEqual(self.stand.outputs[0].identity, (None, None, None))
        self.assertEqual(sunspec.INVERTERS[0], 101)

    def test_the_heap_is_flat(self):
        """Of 10,000 requests a quarter fails, each in its way."""
        host = modbus_host.Host(
            {"host": "meter.local", "port": 502, "framing": "tcp"}, self.stand.app.network
        )
        request = host.read(1, 3, 0, 1)
        turn = [0]

        def meter(unit, question):
            turn[0] += 1
            kind = turn[0] % 16
            if kind == 3:
                return None
            if kind == 7:
                return b"\x83\x06"
            return b"\x03\x04\0\0\0\0" if kind == 11 else b"\x03\x02\x00\x07"

        self.tcp.meter = meter
        free = []
        failed = [0]

        async def story():
            for number in range(10000):
                self.tcp.cuts = number % 16 == 15
                payload, _, _ = await host.ask(request, 5, 0)
                failed[0] += not payload
                self.tcp.connections.clear()
                self.tcp.streams = self.tcp.streams[-1:]
                self.tcp.forgotten.clear()
                host._again_ms = 0
                if number in (1000, 9999) and hasattr(gc, "mem_free"):
                    gc.collect()
                    free.append(gc.mem_free())  # type: ignore[attr-defined]

        self.tcp.delay_ms = 0
        real, clock.sleep_ms = clock.sleep_ms, self.no_wait
        try:
            self.stand.virtual.install()
            clock.sleep_ms = self.no_wait
            asyncio.run(story())
        finally:
            self.stand.virtual.restore()
            clock.sleep_ms = real
        self.assertTrue(2000 < failed[0] < 3000, failed)
        self.assertTrue(not free or abs(free[0] - free[1]) <= 512, free)

    async def no_wait(self, ms):
        self.stand.virtual.ms += ms


if __name__ == "__main__":
    unittest.main()
