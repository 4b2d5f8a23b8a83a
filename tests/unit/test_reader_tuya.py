"""The tuya reader: what is merged, what has become too old, whose readings they are."""

import unittest

try:
    import cryptolib  # noqa: F401 - the reader needs it
except ImportError:
    raise unittest.SkipTest("needs cryptolib")

from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.errors import NetError
from joulelog.readers import tuya


class Output:
    """What a reader says and publishes."""

    state = ""
    meter = None

    def __init__(self):
        self.published = []

    def say(self, state):
        self.state = state

    def identify(self, *meter):
        self.meter = meter

    def publish(self, stamp, channels, values):
        pairs = zip(channels, values)
        self.published.append({channel[0]: value for channel, value in pairs})


class Network:
    up = True


class Answers:
    """In the place of the connection: each poll gets what the device would send."""

    is_open = True
    spoke = True

    def __init__(self, session, texts):
        self.session = session
        self.texts = texts
        self.reader = None

    async def ask(self, dps, renew, now):
        text = self.texts.pop(0)
        if text is None:
            self.is_open = False
            raise NetError("no answer within 5 s")
        for _ in self.reader._take(text):
            await clock.sleep_ms(0)

    async def open(self, host, port):
        self.is_open = True

    async def listen(self, ms):
        await clock.sleep_ms(ms)


def entry_of(**about):
    entry = {"device": "pj1103a", "rows": None, "id": "bf01", "key": "0123456789abcdef"}
    entry.update({"host": "192.0.2.30", "port": 6668, "version": "3.4", "renew": None})
    entry.update({"interval": 100, "misses": 2, "timeout": 5})
    entry.update(about)
    return entry


def reader_of(texts=(), **about):
    output = Output()
    reader = tuya.Reader("clamp", entry_of(**about), output, clock.Clock(), Network(), {})
    reader._link = Answers(reader._link.session, list(texts))
    reader._link.reader = reader
    return reader, output


def played(texts, seconds, **about):
    """What is published while the device answers so."""
    virtual = VirtualClock(0)
    reader, output = reader_of(texts, **about)

    async def story():
        import asyncio

        task = asyncio.create_task(reader._poll_on())
        await virtual.advance(seconds * 1000)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    virtual.play(story())
    return output


FULL = (
    b'{"dps":{"101":257,"102":"REVERSE","104":"FORWARD","105":143,"106":0,"107":7,"108":4,'
    b'"109":0,"112":2467,"115":-114}}'
)


class TestReader(unittest.TestCase):
    def test_partial_answers_are_merged(self):
        part = b'{"protocol":4,"t":1,"data":{"dps":{"101":300,"112":2300,"115":null}}}'
        found = played((FULL, FULL, part), 150).published
        self.assertEqual(len(found), 2)
        self.assertEqual((found[0]["power_1"], found[0]["voltage"]), (-257, 2467))
        self.assertEqual((found[1]["power_1"], found[1]["voltage"]), (-300, 2300))
        self.assertEqual((found[1]["power"], found[1]["power_2"]), (-114, 143))

    def test_what_was_not_heard_of_for_long_is_unknown(self):
        part = b'{"dps":{"112":2300}}'
        found = played((FULL, FULL, part, part, part, part), 450).published
        self.assertEqual([one["power_2"] for one in found], [143, 143, 143, 143, None])
        self.assertEqual([one["voltage"] for one in found[1:]], [2300] * 4)

    def test_damaged_text_changes_nothing(self):
        found = played((FULL, FULL, b'{"dps":{"101":300,"112"'), 150).published
        self.assertEqual(found[1], found[0])

    def test_silence_makes_all_unknown(self):
        output = played([FULL, FULL] + [None] * 12, 350)
        self.assertEqual(output.state, "no answer")
        self.assertEqual(len(output.published), 2)
        self.assertEqual(set(output.published[1].values()), {None})

    def test_another_device(self):
        output = played([b'{"dps":{"18":1,"19":2}}'] * 4, 250)
        self.assertEqual(output.state, "refused")
        self.assertEqual(output.published, [])

    def test_whose_readings(self):
        reader, output = reader_of()
        self.assertEqual(output.meter, ("Tuya", None, "bf01"))
        self.assertEqual(reader.describe(), "pj1103a 192.0.2.30, every 100 s")
        self.assertEqual(reader._dps[:3], [115, 102, 101])
        reader, _ = reader_of(device="plug", host=None)
        self.assertEqual(reader._renew, (18, 19, 20))
        self.assertEqual(reader.who, "plug bf01")
        reader, _ = reader_of(device="plug", renew=[])
        self.assertEqual(reader._renew, [])

    def test_problems(self):
        rows = ["x | dps/1 | W | 0 | W | measurement | power"]
        for about, said in (
            ({}, ""),
            ({"device": None, "rows": rows}, ""),
            ({"device": None}, "one of `device` and `rows`"),
            ({"rows": rows}, "one of `device` and `rows`"),
            ({"id": "bf-01"}, "`id` has letters"),
            ({"renew": ["x"]}, "`renew` is a list"),
            ({"device": None, "rows": [rows[0].replace("dps/1", "dps/a")]}, "dps/101"),
            ({"device": None, "rows": [rows[0].replace("dps/1", "dps[")]}, "dps/101"),
            ({"device": None, "rows": ["x"]}, "columns"),
        ):
            found = list(tuya.problems(entry_of(**about), None))
            self.assertEqual(bool(found), bool(said), about)
            self.assertIn(said, "".join(found))

    def test_keys(self):
        self.assertEqual(tuya.keys(entry_of(device="plug")), ["power", "current", "voltage"])


if __name__ == "__main__":
    unittest.main()
