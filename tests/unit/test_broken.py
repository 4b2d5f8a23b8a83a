"""A config.py that Python cannot run, as a board says it: one line, with its number."""

import sys
import unittest

if sys.implementation.name != "micropython":
    raise unittest.SkipTest("of MicroPython; tests/unit/test_user_config.py is for a computer")

import config_file
from folders import ensure_folder

from joulelog import broken

FOLDER = "build/broken"
LONG = "x = 1\n" * 4


class TestBroken(unittest.TestCase):
    def told(self, text: str) -> str:
        ensure_folder(FOLDER)
        with open(FOLDER + "/config.py", "w") as file:
            file.write(text)
        try:
            config_file.load(FOLDER + "/config.py", ())
        except Exception as error:
            return broken.line(error)
        finally:
            sys.modules.pop("config", None)
        self.fail("it can be run")

    def test_one_line(self):
        for text, begin, part in (
            (
                LONG + 'readers = [{"invert": true}]\n',
                "config.py, line 5: NameError: ",
                "mean True?",
            ),
            (LONG + "device = null\n", "config.py, line 5: NameError: ", "mean None?"),
            (LONG + 'x = {"a": 1 "b": 2}\n', "config.py, line 5: SyntaxError: ", ""),
            (LONG + "def f():\n    return 1 + 'a'\nf()\n", "config.py, line 6: TypeError", ""),
            ("import no_such_thing\n", "config.py, line 1: ImportError: ", "no_such_thing"),
        ):
            line = self.told(text)
            self.assertEqual(line[: len(begin)], begin)
            self.assertIn(part, line)
            self.assertFalse("\n" in line, line)

    def test_tell(self):
        said = []
        broken.print = said.append  # type: ignore[attr-defined]
        try:
            left = broken.tell(NameError("name 'true' isn't defined"))
        finally:
            del broken.print  # type: ignore[attr-defined]
        (text,) = said
        self.assertEqual(left, text)
        self.assertTrue(text.endswith("isn't defined; did you mean True?"), text)
        self.assertTrue(text.startswith("The config cannot work yet:\n  "), text)


if __name__ == "__main__":
    unittest.main()
