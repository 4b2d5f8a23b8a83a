"""The lock files hold what is wanted, each package by its hashes."""

import sys
import unittest

if sys.implementation.name == "micropython":
    raise unittest.SkipTest("is about packages of a computer")

import re

from tools import ROOT

_PIN = re.compile(r"^([\w-]+)==([\w.]+)", re.MULTILINE)


def locked(name: str) -> dict[str, list[str]]:
    """Package -> [version, hashes...]."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=[\w-]+==)", (ROOT / name).read_text())[1:]:
        package, version = _PIN.findall(block)[0]
        found[package] = [version] + re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block)
    return found


class TestLock(unittest.TestCase):
    def test_what_is_wanted_is_locked_in_that_version(self):
        for wanted in sorted(ROOT.glob("requirements*.in")):
            has = locked(wanted.with_suffix(".txt").name)
            pins = _PIN.findall(wanted.read_text())
            self.assertTrue(pins, wanted.name)
            for package, version in pins:
                self.assertEqual(has[package][0], version, package + ": `make lock` writes it")

    def test_everything_has_a_hash(self):
        for path in sorted(ROOT.glob("requirements*.txt")):
            for package, (_version, *hashes) in locked(path.name).items():
                self.assertTrue(hashes, package)

    def test_tests_run_with_what_the_firmware_runs_with(self):
        tests = locked("requirements-dev.txt")
        for package, pin in locked("requirements.txt").items():
            self.assertEqual(tests[package], pin, package)


if __name__ == "__main__":
    unittest.main()
