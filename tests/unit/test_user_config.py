"""A config.py with a mistake in its Python: one line, with the line's number."""

import sys
import unittest

if sys.implementation.name == "micropython":
    raise unittest.SkipTest("of tools for a computer")

import subprocess
import tempfile
from pathlib import Path

from tools import ROOT, user_config

MISTAKES = (
    ('x = 1\nreaders = [{"invert": true}]\n', "line 2: NameError: ", "did you mean True?"),
    ("device = null\n", "line 1: NameError: ", "did you mean None?"),
    ("device = attic\n", "line 1: NameError: ", 'text stands in quotes: "attic"'),
    ('readers = [\n {"a": 1 "b": 2},\n]\n', "line 2: ", "invalid syntax"),
    ("readers = [\n", "line 1: ", "never closed"),
    ("device = 'attic\n", "line 1: ", "unterminated"),
    ("\n\nx = 1/0\n", "line 3: ZeroDivisionError", ""),
    ("def f():\n    return 1 + 'a'\nx = f()\n", "line 2: TypeError: ", ""),
    ("import no_such_thing\n", "line 1: ModuleNotFoundError: ", "no_such_thing"),
    ("raise ValueError('a\\nb')\n", "line 1: ValueError: a b", ""),
    ("exit(3)\n", "line 1: SystemExit", ""),
    ("x = '\x00'\n", "", "null bytes"),
    ("x = " + "[" * 5000 + "\n", "line 1: ", ""),
)


class TestUserConfig(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="a blank ")
        self.path = Path(self._folder.name) / "my.config.py"

    def tearDown(self):
        self._folder.cleanup()

    def told(self, data: bytes) -> str:
        self.path.write_bytes(data)
        with self.assertRaises(user_config.Broken) as caught:
            user_config.read(self.path)
        (line,) = str(caught.exception).splitlines()
        return line

    def test_one_line(self):
        for text, begin, part in MISTAKES:
            line = self.told(text.encode())
            self.assertEqual(line[: len(begin)], begin)
            self.assertIn(part, line)

    def test_what_cannot_be_read(self):
        self.assertEqual(self.told(b"# a\n# \xe4\n"), "line 2: no UTF-8; save it as UTF-8")
        self.path.unlink()
        with self.assertRaises(user_config.Broken):
            user_config.read(self.path)

    def test_in_a_file_that_it_imports(self):
        (self.path.parent / "half.py").write_text("x = (\n")
        text = f"import sys\nsys.path.insert(0, {str(self.path.parent)!r})\nimport half\n"
        self.assertEqual(
            self.told(text.encode()), "half.py, line 1: SyntaxError: '(' was never closed"
        )

    def test_the_tools_say_just_that(self):
        self.path.write_text('readers = [{"type": "health", "x": true}]\n')
        for module, status, stream in (("tools.run", 2, "stderr"), ("tools.boards", 1, "stdout")):
            done = subprocess.run(
                [sys.executable, "-m", module, "--config", str(self.path)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual(done.returncode, status)
            line = getattr(done, stream).splitlines()[0]
            self.assertEqual(
                line,
                "my.config.py: line 1: NameError: name 'true' is not defined; did you mean True?",
            )
            self.assertFalse("usage" in done.stderr or "Traceback" in done.stderr, done.stderr)


if __name__ == "__main__":
    unittest.main()
