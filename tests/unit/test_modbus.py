"""Modbus frames: real ones whole, cut, flipped, split, behind garbage; answers to others."""

import json
import random
import unittest

from crc16 import MODBUS, update
from modbus import rtu
from modbus.registers import Table, single

with open("tests/fixtures/modbus/pzem.json") as file:
    VECTORS = json.load(file)

# What made each answer come: the length of an answer is known from its request.
READ_AC = rtu.read(1, 4, 0, 10)
REAL = bytes.fromhex("010414096d716d00000d3b00011ef6000001f4006200000342")
ECHOED = ("010600020005e809", "01428011")


def crc(text):
    data = bytes.fromhex(text)
    found = update(MODBUS, data, 0, len(data))
    return data + bytes((found & 255, found >> 8))


def request_for(frame):
    """A request that this frame is an answer to."""
    function = frame[1] & 0x7F
    if function in (3, 4):
        return rtu.read(frame[0], function, 0, frame[2] // 2 if frame[1] < 0x80 else 10)
    if function == 0x42:
        return rtu.reset_energy(frame[0])
    if len(frame) == 8:
        return frame
    return rtu.write(frame[0], 2, 0)


def hear(request, data, pieces=()):
    """(payload, exception) of the answer in data, fed in pieces, or None."""
    answer = rtu.Answer()
    answer.begin(request)
    start = 0
    for end in list(pieces) + [len(data)]:
        if answer.take(data, start, end):
            return answer.payload, answer.exception
        start = end
    return None


def answers():
    for vector in VECTORS:
        frame = bytes.fromhex(vector["frame"])
        known = frame[1] & 0x7F in (3, 4, 6, 0x42)
        if vector["kind"] != "request" and known:
            yield vector, frame, request_for(frame)


class TestVectors(unittest.TestCase):
    def test_requests(self):
        made = (
            (rtu.read(1, 4, 0, 10), "01040000000a700d"),
            (rtu.read(0xF8, 4, 0, 10), "f8040000000a6464"),
            (rtu.read(1, 4, 0, 9), "010400000009300c"),
            (rtu.read(1, 4, 0, 8), "010400000008f1cc"),
            (rtu.reset_energy(1), "01428011"),
            (rtu.reset_energy(0xF8), "f842c241"),
            (rtu.write(1, 2, 5), "010600020005e809"),
            (rtu.read(1, 3, 2, 1), "01030002000125ca"),
        )
        known = [v.get("right", v["frame"]) for v in VECTORS if v["kind"] == "request"]
        for frame, expected in made:
            self.assertEqual(frame, bytes.fromhex(expected))
            self.assertIn(expected, known)

    def test_crc_of_every_frame(self):
        count = 0
        for vector in VECTORS:
            frame = bytes.fromhex(vector["frame"])
            self.assertEqual(update(MODBUS, frame, 0, len(frame)) == 0, vector["crc_ok"])
            count += 1
        self.assertEqual(count, 40)

    def test_answers(self):
        count = 0
        for vector, frame, request in answers():
            payload, exception = hear(request, frame)
            self.assertEqual(exception, vector.get("exception", 0))
            if not exception:
                self.assertEqual(payload, frame[3:-2])
            count += 1
        self.assertEqual(count, 26)

    def test_wrong_arguments(self):
        for make, arguments in (
            (rtu.read, (1, 5, 0, 1)),
            (rtu.read, (0, 4, 0, 1)),
            (rtu.read, (256, 4, 0, 1)),
            (rtu.read, (1, 4, 0, 126)),
            (rtu.read, (1, 4, 0, 0)),
            (rtu.read, (1, 4, 65535, 2)),
            (rtu.write, (1, 0, 65536)),
            (rtu.write, (1, -1, 0)),
        ):
            self.assertRaises(ValueError, make, *arguments)


class TestLine(unittest.TestCase):
    def test_truncated_at_each_byte(self):
        for _, frame, request in answers():
            for end in range(len(frame)):
                self.assertEqual(hear(request, frame[:end]), None)

    def test_each_bit_flipped(self):
        for _, frame, request in answers():
            for bit in range(8 * len(frame)):
                damaged = bytearray(frame)
                damaged[bit // 8] ^= 1 << bit % 8
                self.assertEqual(hear(request, damaged), None)

    def test_split_at_each_position(self):
        for _, frame, request in answers():
            whole = hear(request, frame)
            for at in range(len(frame) + 1):
                self.assertEqual(hear(request, frame, [at]), whole)
            self.assertEqual(hear(request, frame, range(len(frame))), whole)

    def test_behind_garbage(self):
        random.seed(4)
        for _, frame, request in answers():
            whole = hear(request, frame)
            for size in (1, 2, 3, 7, 40, 295, 296, 300, 1000):
                noise = bytes([random.getrandbits(8) for _ in range(size)])
                self.assertEqual(hear(request, noise + frame), whole)
                cuts = sorted([random.randrange(size + len(frame)) for _ in range(5)])
                self.assertEqual(hear(request, noise + frame + noise, cuts), whole)

    def test_behind_its_own_beginning(self):
        """What looks like the beginning of an answer hides none that follows."""
        for size in range(1, len(REAL)):
            self.assertEqual(hear(READ_AC, REAL[:size] + REAL), (REAL[3:-2], 0))
            self.assertEqual(hear(READ_AC, REAL[:size] * 30 + REAL), (REAL[3:-2], 0))

    def test_an_echo_of_the_request(self):
        self.assertEqual(hear(READ_AC, READ_AC + REAL), (REAL[3:-2], 0))

    def test_answers_to_others(self):
        for foreign in (
            "020414089a0027000000060000000100000257000700003cab",  # another address
            "0104100540000a000d00000002000000000000d629",  # another count
            "01030200017984",  # another function
            "018302c0f1",  # refuses another function
        ):
            self.assertEqual(hear(READ_AC, bytes.fromhex(foreign)), None)
            self.assertEqual(hear(READ_AC, bytes.fromhex(foreign) + REAL), (REAL[3:-2], 0))

    def test_the_malformed(self):
        one = rtu.read(1, 4, 0, 1)
        self.assertEqual(hear(one, bytes.fromhex("04020101796001")), None)
        general = rtu.read(0xF8, 4, 0, 10)
        cut = "f80414094b0000008c0000000001f4006400000000e5"
        self.assertEqual(hear(general, bytes.fromhex(cut)), None)
        self.assertEqual(hear(READ_AC, bytes.fromhex("01109429000000")), None)

    def test_another_register_is_written(self):
        request = bytes.fromhex(ECHOED[0])
        self.assertEqual(hear(request, rtu.write(1, 2, 6)), None)
        self.assertEqual(hear(request, rtu.write(1, 2, 6) + request), (b"\0\x02\0\x05", 0))

    def test_counters(self):
        answer = rtu.Answer()
        self.assertFalse(answer.take(b"abc", 0, 3))  # nobody has asked
        answer.begin(READ_AC)
        self.assertFalse(answer.take(b"xx" + REAL, 0, 20))
        self.assertEqual(answer.heard, 20)
        self.assertTrue(answer.take(b"xx" + REAL + b"y", 20, 28))
        self.assertFalse(answer.take(REAL, 0, 25))  # it is given once
        answer.begin(READ_AC)
        self.assertTrue(answer.take(bytes.fromhex("018402c2c1"), 0, 5))
        self.assertEqual((answer.frames, answer.exceptions, answer.exception), (2, 1, 2))
        self.assertEqual(answer.garbage, 3 + 2 + 1 + 25)
        self.assertEqual(answer.payload, b"")


class TestTable(unittest.TestCase):
    def row(self, name, register=0, decimals=0, limits=""):
        return "k | %s | %s | %d | W | total | power | %s" % (register, name, decimals, limits)

    def value(self, name, payload):
        table = Table([self.row(name).replace(" | \n", "")])
        return table.decode([payload])[0]

    def test_types(self):
        for name, payload, expected in (
            ("u16", b"\xff\xff", 65535),
            ("i16", b"\xff\xff", -1),
            ("i16", b"\x7f\xff", 32767),
            ("i16", b"\x80\x00", -32768),
            ("u32", b"\x00\x01\x02\x03", 0x10203),
            ("u32lo", b"\x02\x03\x00\x01", 0x10203),
            ("u32", b"\xff\xff\xff\xff", 0xFFFFFFFF),
            ("i32", b"\xff\xff\xff\xfe", -2),
            ("i32lo", b"\xff\xfe\xff\xff", -2),
            ("i32lo", b"\x00\x00\x80\x00", -0x80000000),
            ("u16*10", b"\x01\x00", 2560),
            ("i16*100", b"\xff\xff", -100),
            ("flag", b"\xff\xff", 1),
            ("flag", b"\x00\x00", 0),
            ("single", b"\x43\x66\x80\x00", 231),
            ("singlelo", b"\x80\x00\x43\x66", 231),
            ("single*10", b"\x43\x66\x80\x00", 2305),
            ("single", b"\x7f\xc0\x00\x00", None),
            ("u64", b"\x00\x01\x00\x02\x00\x03\x00\x04", 0x1000200030004),
            ("u64lo", b"\x00\x04\x00\x03\x00\x02\x00\x01", 0x1000200030004),
            ("u64", b"\xff" * 8, 0xFFFFFFFFFFFFFFFF),
            ("i64", b"\xff" * 7 + b"\xfe", -2),
            ("i64lo", b"\x00" * 6 + b"\x80\x00", -0x8000000000000000),
            ("i64*1000", b"\xff" * 8, -1000),
            ("double", b"\x40\x6c\xe0\x00\x00\x00\x00\x00", 231),
            ("doublelo", b"\x00\x00\x00\x00\xe0\x00\xc0\x6c", -231),
            ("double", b"\x7f\xf0\x00\x00\x00\x00\x00\x00", None),
            ("double", b"\x7f\xe0\x00\x00\x00\x00\x00\x00", None),  # beyond all bounds
        ):
            self.assertEqual((name, self.value(name, payload)), (name, expected))

    def test_limits(self):
        table = Table([self.row("u16", limits="10..20")])
        self.assertEqual(table.decode([b"\x00\x0a"]), [10])
        self.assertEqual(table.decode([b"\x00\x14"]), [20])
        self.assertEqual(table.decode([None]), [None])
        for payload, value in ((b"\x00\x09", 9), (b"\x00\x15", 21)):
            implausible: list = []
            self.assertEqual(table.decode([payload], implausible), [None])
            self.assertEqual(implausible, [(table.channels[0], value, 10, 20)])
            self.assertEqual(table.decode([payload]), [None])
        self.assertEqual(Table([self.row("flag")]).decode([b"\x00\x01"]), [None])

    def test_limits_are_in_the_channel_s_unit(self):
        for limits, decimals, least, most in (
            ("0..400", 1, 0, 4000),
            ("-0.5..1", 3, -500, 1000),
            ("-20..", 2, -2000, 0x7FFF),
            (" ..  0.25 ", 2, -0x8000, 25),
        ):
            table = Table([self.row("i16", decimals=decimals, limits=limits)])
            for value in (least, most, least - 1, most + 1):
                if -0x8000 <= value <= 0x7FFF:
                    payload = bytes((value >> 8 & 255, value & 255))
                    expected = value if least <= value <= most else None
                    self.assertEqual((limits, table.decode([payload])), (limits, [expected]))

    def test_an_implausible_register_costs_its_channel_alone(self):
        rows = [self.row("u16", n, limits="0..9").replace("k", "k%d" % n, 1) for n in range(3)]
        implausible: list = []
        table = Table(rows)
        self.assertEqual(table.decode([b"\0\1\0\x0a\0\2"], implausible), [1, None, 2])
        self.assertEqual([one[0][0] for one in implausible], ["k1"])

    def test_blocks(self):
        def blocks(registers, hole=0):
            rows = [self.row("u32", r).replace("k |", "k%d |" % r) for r in registers]
            return Table(rows, hole).blocks

        self.assertEqual(blocks([4, 0, 2]), ((4, 0, 6),))
        self.assertEqual(blocks([0, 3]), ((4, 0, 2), (4, 3, 2)))
        self.assertEqual(blocks([0, 3], 1), ((4, 0, 5),))
        self.assertEqual(blocks(range(0, 124, 2)), ((4, 0, 60), (4, 60, 60), (4, 120, 4)))
        self.assertEqual(blocks([0, 1]), ((4, 0, 3),))

    def test_a_function_per_row(self):
        rows = []
        for key, register in (("a", "3:0xffff"), ("b", "4 : 0"), ("c", "1"), ("d", "3:0")):
            rows.append(self.row("u16", register).replace("k", key, 1))
        table = Table(rows, 60, 3)
        self.assertEqual(table.blocks, ((3, 0, 2), (3, 0xFFFF, 1), (4, 0, 1)))
        payloads = [b"\0\4\0\3", b"\0\1", b"\0\2"]
        self.assertEqual(table.decode(payloads), [1, 2, 3, 4])
        self.assertEqual(Table(rows, 60, 4).blocks, ((3, 0, 1), (3, 0xFFFF, 1), (4, 0, 2)))

    def test_rows_over_the_same_registers(self):
        """The first words of one may be the last ones of a block, and the rest in the next."""
        rows = []
        for key, name, register in (("a", "u16", 20), ("b", "u16", 79), ("c", "u32", 79)):
            rows.append(self.row(name, register).replace("k", key, 1))
        table = Table(rows, 60)
        self.assertEqual(table.blocks, ((4, 20, 60), (4, 79, 2)))
        payloads = [bytes(119) + b"\x07", b"\0\7\0\1"]
        self.assertEqual(table.decode(payloads), [0, 7, 0x70001])

    def test_two_blocks(self):
        table = Table([self.row("u16", 7), self.row("u16", "0x10").replace("k", "l", 1)])
        self.assertEqual(table.decode([b"\x00\x01", b"\x00\x02"]), [1, 2])
        self.assertEqual(table.decode([b"\x00\x01", None]), [1, None])

    def test_mistakes(self):
        good = "k | 0 | u16 | 1 | V | measurement | voltage"
        for row, told in (
            ("k | 0 | u16", "columns"),
            (" " + good[1:], "key"),
            (good.replace("| 0 |", "| 65536 |"), "register '65536'; allowed: 0 to 65535"),
            (good.replace("| 0 | u16", "| 65535 | u32"), "0 to 65534"),
            (good.replace("u16", "u17"), "type 'u17'"),
            (good.replace("u16", "u16*x"), "factor 'x'"),
            (good.replace("u16", "flag*2"), "type"),
            (good.replace("| 1 |", "| ten |"), "decimals 'ten'"),
            (good.replace("measurement", "counter"), "kind 'counter'"),
            (good + " | 5", "limits"),
            (good + " | a..b", "least 'a'"),
            (good + " | 0..0.25", "most '0.25'; allowed: a number with at most the decimals"),
            (good + " | 4..1", "the least first"),
            (good.replace("u16", "u16lo"), "type 'u16'"),
            (good.replace("u16", "lo"), "type ''"),
            (good.replace("| 0 | u16", "| 65533 | u64"), "0 to 65532"),
            (good.replace("| 0 |", "| 5:0 |"), "function '5'; allowed: 3 to 4"),
            (good.replace("| 0 |", "| 3: |"), "register ''"),
            ("# nothing", "at least one row"),
        ):
            try:
                Table([row])
                self.assertEqual(row, "refused")
            except ValueError as error:
                self.assertIn(told, str(error))
        try:
            Table([good, good])
            self.assertEqual("twice", "refused")
        except ValueError as error:
            self.assertIn("twice", str(error))


class TestSingle(unittest.TestCase):
    """Against whole-number arithmetic written another way: value = m * 2^e."""

    def expected(self, bits, decimals):
        fraction = bits & 0x7FFFFF
        exponent = bits >> 23 & 255
        top = (fraction | 0x800000) if exponent else fraction
        power = max(exponent, 1) - 150
        top, bottom = (top << power, 1) if power >= 0 else (top, 1 << -power)
        value = (2 * top * 10**decimals + bottom) // (2 * bottom)
        return -value if bits >> 31 else value

    def test_known(self):
        for bits, decimals, value in (
            (0x00000000, 3, 0),
            (0x80000000, 3, 0),
            (0x3F800000, 0, 1),
            (0x3F000000, 0, 1),  # a half, away from zero
            (0xBF000000, 0, -1),
            (0x42C80000, 1, 1000),
            (0x43665999, 1, 2303),
            (0x4640E6B7, 2, 1234568),
            (0x4640E6B7, 6, 12345678711),
            (0x47C34FFE, 2, 9999998),
            (0x00000001, 9, 0),
            (0x7F7FFFFF, 0, ((1 << 24) - 1) << 104),
        ):
            self.assertEqual((bits, single(bits, decimals)), (bits, value))
        for nothing in (0x7F800000, 0xFF800000, 0x7FC00000):
            self.assertEqual(single(nothing, 3), None)

    def test_random(self):
        random.seed(7)
        for _ in range(2000):
            bits = random.getrandbits(16) << 16 | random.getrandbits(16)
            if bits >> 23 & 255 != 255:
                decimals = random.randrange(10)
                self.assertEqual(single(bits, decimals), self.expected(bits, decimals))

    def test_a_counter_never_falls(self):
        last = -1
        for bits in range(0x4640E000, 0x4640E800):
            value = single(bits, 3)
            self.assertTrue(value is not None and value >= last)
            last = value


if __name__ == "__main__":
    unittest.main()
