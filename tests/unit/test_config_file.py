"""A config by its path, whatever its name: on CPython and on the VM."""

import sys
import unittest

import config_file
from folders import ensure_folder

FOLDER = "build/config files"


class TestConfigFile(unittest.TestCase):
    def setUp(self):
        ensure_folder(FOLDER)

    def load(self, name: str, text: str, devices=()):
        with open("%s/%s" % (FOLDER, name), "w") as file:
            file.write(text)
        before = set(sys.modules) | {"beside_it"}
        config = config_file.load("%s/%s" % (FOLDER, name), devices)
        self.assertEqual(set(sys.modules) | {"beside_it"}, before)
        return config.__getitem__ if isinstance(config, dict) else lambda key: getattr(config, key)

    def test_any_name(self):
        # Of built-in modules, of one that is loaded, with dots and a blank, no .py at all.
        for name in ("tls.py", "sys.py", "unittest.py", "home.2.py", "my home.py", "json.py", "x"):
            self.assertEqual(self.load(name, "device = %r\n" % name)("device"), name)

    def test_devices_stand_for_sim(self):
        get = self.load(
            "pulse.py", 'readers = [{"uart": "sim"}, 5, {"pin": "sim"}]\n', ["/a", "/b"]
        )
        self.assertEqual(get("readers"), [{"uart": "/a"}, 5, {"pin": "/b"}])
        self.assertEqual(self.load("pulse.py", "readers = 7\n", ["/a"])("readers"), 7)

    def test_a_file_beside_it(self):
        self.load("beside_it.py", "PASSWORD = 'x'\n")
        get = self.load("main_one.py", "from beside_it import PASSWORD\nwifi = PASSWORD\n")
        self.assertEqual(get("wifi"), "x")
        sys.modules.pop("beside_it", None)


if __name__ == "__main__":
    unittest.main()
