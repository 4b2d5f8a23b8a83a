"""The http_json reader: whose readings they are, before a device has answered."""

import unittest

from jsonmeter import devices

from joulelog import clock
from joulelog.readers import http_json


class Output:
    """Keeps whose readings they are."""

    meter = None

    def say(self, state):
        pass

    def identify(self, *meter):
        self.meter = meter


def maker_of(**about):
    """What such an entry's source is told."""
    entry = {"host": "192.0.2.20", "port": 80, "user": "", "password": "", "unit": None}
    entry.update({"device": None, "path": None, "rows": None})
    entry.update(about)
    output = Output()
    http_json.Reader("meter", entry, output, clock, None)
    return output.meter


class TestMaker(unittest.TestCase):
    def test_a_known_device(self):
        for device, maker in devices.MAKERS.items():
            self.assertEqual(maker_of(device=device, unit="1"), (maker, None, None))

    def test_rows_of_ones_own(self):
        rows = ["power | power | W | 0 | W | measurement | power"]
        self.assertEqual(maker_of(path="/v1/json", rows=rows), None)


if __name__ == "__main__":
    unittest.main()
