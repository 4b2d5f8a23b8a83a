"""firmware/small: names, and logging in the place of the package that the runtime has."""

import os
import unittest

from dsmr import obis

HERE = __file__[: __file__.rfind("/")] if "/" in __file__ else "."


def source(name):
    with open(HERE + "/../../firmware/small/" + name) as file:
        return file.read()


def modules(folder, package):
    """The names with a dot of the modules below a folder."""
    found = []
    for name in os.listdir(folder):
        if name[-3:] == ".py":
            if package and name not in ("__init__.py", "manifest.py"):
                found.append(package + name[:-3])
        elif "." not in name and name[:2] != "__":
            if package:
                found.append(package + name)
            found += modules(folder + "/" + name, package + name + ".")
    return found


class Takes:
    def __init__(self):
        self.lines = []

    def emit(self, record):
        self.lines.append((record.name, record.levelno, record.levelname, record.message))


class SmallLogging(unittest.TestCase):
    def setUp(self):
        self.logging = {}
        exec(source("logging.py"), self.logging)
        self.takes = Takes()
        root = self.logging["getLogger"]()
        root.handlers = [self.takes]
        root.setLevel(20)

    def test_a_record_has_name_level_and_text(self):
        log = self.logging["getLogger"]("mqtt")
        log.warning("no answer from %s, %d times", "here", 3)
        log.error("100 %")
        self.assertEqual(
            self.takes.lines,
            [
                ("mqtt", 30, "WARNING", "no answer from here, 3 times"),
                ("mqtt", 40, "ERROR", "100 %"),
            ],
        )

    def test_what_is_below_the_level_is_not_made(self):
        log = self.logging["getLogger"]("mqtt")
        log.debug("%d", "no number: would raise")
        log.info("shown")
        self.logging["getLogger"]().setLevel(30)
        log.info("not shown")
        self.assertEqual([line[3] for line in self.takes.lines], ["shown"])

    def test_loggers_do_not_mix_their_names(self):
        one = self.logging["getLogger"]("one")
        two = self.logging["getLogger"]("two")
        one.info("a")
        two.info("b")
        one.info("c")
        self.assertEqual([line[0] for line in self.takes.lines], ["one", "two", "one"])

    def test_a_handler_is_a_class_to_derive_from(self):
        class Mine(self.logging["Handler"]):
            def __init__(self):
                super().__init__()

        Mine().emit(None)


class Names(unittest.TestCase):
    def test_they_are_the_keys_of_all_channels(self):
        text = source("names.py")
        text = text[text.find("return (") + 8 :]
        text = text[: text.find(")")]
        named = [word.strip() for word in text.split(",") if word.strip()]
        keys = set()
        for table in (obis._CHANNELS, obis._MBUS):
            for row in table.strip().split(b"\n"):
                keys.add(row.split()[1].decode())
        self.assertEqual(sorted(named), sorted(keys))

    def test_they_are_the_modules_of_all_packages(self):
        words = [line.split() for line in source("names.py").split("\n")]
        named = [line[1] for line in words if line[:1] == ["import"]]
        named = [name for name in named if name[:8] != "asyncio."]
        found = []
        for place in ("firmware/joulelog", "lib"):
            found += modules(HERE + "/../../" + place, "joulelog." if "/" in place else "")
        self.assertEqual(sorted(named), sorted(found))


if __name__ == "__main__":
    unittest.main()
