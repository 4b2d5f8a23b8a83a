"""Run unittest-style tests on MicroPython, which has no unittest of its own.

    python3 -m tools.rig.run_vm --heap 2M tests/vm/runner.py [-v] tests/unit/test_crc.py ...

Each file is imported with its folder on the path, and the fakes and fixtures beside that, and may
`import unittest`: TestCase with the usual asserts, setUp, tearDown and their class forms, subTest,
skipTest, skip, skipIf, skipUnless and SkipTest. A failing test takes one line (-v adds the
traceback and names every test), and the last line counts: "12 passed, 0 failed, 1 skipped". Exit
status 1 when something failed, and when there was no test. test_…_long needs JOULELOG_LONG=1.
"""

import gc
import io
import os
import sys

LONG = hasattr(os, "getenv") and os.getenv("JOULELOG_LONG")


class SkipTest(Exception):
    """Raised by a test that cannot run here; its text is the reason."""


class _Raises:
    """`with self.assertRaises(ValueError) as caught:`, and then caught.exception."""

    def __init__(self, expected) -> None:
        self.expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace) -> bool:
        if kind is None:
            raise AssertionError(f"{self.expected!r} was not raised")
        if not issubclass(kind, self.expected):
            return False
        self.exception = value
        return True


class _SubTest:
    """Puts its parameters into the message of a failure. The first failure ends the test."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace) -> bool:
        if kind and issubclass(kind, AssertionError):
            raise AssertionError(f"{value} [{self.text}]")
        return False


def _check(passed, message, text: str) -> None:
    if not passed:
        if len(text) > 300:
            text = text[:140] + " ... " + text[-140:]
        raise AssertionError(f"{text}: {message}" if message else text)


class TestCase:
    """What our tests use of unittest.TestCase; see unittest in the Python library reference."""

    def setUp(self):
        pass

    def tearDown(self):
        pass

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def fail(self, msg=None):
        raise AssertionError(msg)

    def skipTest(self, reason):
        raise SkipTest(reason)

    def subTest(self, msg="", **parameters):
        names = sorted(parameters)
        return _SubTest(" ".join([str(msg)] + [f"{n}={parameters[n]!r}" for n in names]))

    def assertEqual(self, first, second, msg=None):
        _check(first == second, msg, f"{first!r} != {second!r}")

    def assertNotEqual(self, first, second, msg=None):
        _check(first != second, msg, f"{first!r} == {second!r}")

    def assertTrue(self, value, msg=None):
        _check(value, msg, f"{value!r} is not true")

    def assertFalse(self, value, msg=None):
        _check(not value, msg, f"{value!r} is not false")

    def assertIs(self, first, second, msg=None):
        _check(first is second, msg, f"{first!r} is not {second!r}")

    def assertIsNot(self, first, second, msg=None):
        _check(first is not second, msg, f"both are {first!r}")

    def assertIsNone(self, value, msg=None):
        _check(value is None, msg, f"{value!r} is not None")

    def assertIsNotNone(self, value, msg=None):
        _check(value is not None, msg, "unexpectedly None")

    def assertIn(self, member, container, msg=None):
        _check(member in container, msg, f"{member!r} not in {container!r}")

    def assertNotIn(self, member, container, msg=None):
        _check(member not in container, msg, f"{member!r} in {container!r}")

    def assertIsInstance(self, value, kind, msg=None):
        _check(isinstance(value, kind), msg, f"{value!r} is no {kind!r}")

    def assertLess(self, first, second, msg=None):
        _check(first < second, msg, f"{first!r} not < {second!r}")

    def assertLessEqual(self, first, second, msg=None):
        _check(first <= second, msg, f"{first!r} not <= {second!r}")

    def assertGreater(self, first, second, msg=None):
        _check(first > second, msg, f"{first!r} not > {second!r}")

    def assertGreaterEqual(self, first, second, msg=None):
        _check(first >= second, msg, f"{first!r} not >= {second!r}")

    def assertRaises(self, expected, function=None, *arguments, **named):
        if function is None:
            return _Raises(expected)
        with _Raises(expected):
            function(*arguments, **named)

    assertListEqual = assertTupleEqual = assertDictEqual = assertEqual


def skip(reason):
    """Decorator: leave a test or a class out."""

    def decorate(target):
        if isinstance(target, type):
            target._skip = reason
            return target

        # Functions have no attributes here: one that skips takes the place of the test.
        def left_out(self):
            raise SkipTest(reason)

        return left_out

    return decorate


def skipIf(condition, reason):
    """Decorator: leave out when the condition holds."""
    return skip(reason) if condition else lambda target: target


def skipUnless(condition, reason):
    """Decorator: leave out unless the condition holds."""
    return skipIf(not condition, reason)


class _Report:
    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.passed = self.failed = self.skipped = 0

    def success(self, name: str) -> None:
        self.passed += 1
        if self.verbose:
            print("ok  ", name)

    def skip(self, name: str, count: int, reason) -> None:
        self.skipped += count
        print("skip", name, reason)

    def failure(self, name: str, problem) -> None:
        """One line: the test, the problem, and the place in the file of the tests."""
        self.failed += 1
        text = io.StringIO()
        sys.print_exception(problem, text)
        place = ""
        for line in text.getvalue().split("\n"):
            # '  File "/x/test_crc.py", line 12, in test_y'; the innermost one in a test counts
            parts = line.split('"')
            if len(parts) == 3 and parts[1].split("/")[-1].startswith("test_"):
                place = parts[1].split("/")[-1] + ":" + parts[2].split(" ")[2].rstrip(",")
        print(f"FAIL {name} {type(problem).__name__}: {problem} ({place})")
        if self.verbose:
            print(text.getvalue())


def _run_class(name: str, case, report: _Report):
    methods = sorted([method for method in dir(case) if method.startswith("test")])
    reason = getattr(case, "_skip", None)
    if reason is None:
        try:
            case.setUpClass()
        except SkipTest as problem:
            reason = problem
        except Exception as problem:
            report.failure(f"{name}.setUpClass", problem)
            return
    if reason is not None:
        report.skip(name, len(methods), reason)
        return
    for method in methods:
        if method.endswith("_long") and not LONG:
            report.skip(f"{name}.{method}", 1, "long: JOULELOG_LONG=1")
            continue
        gc.collect()
        try:
            _run_test(case(), method)
            report.success(f"{name}.{method}")
        except SkipTest as problem:
            report.skip(f"{name}.{method}", 1, problem)
        except Exception as problem:
            report.failure(f"{name}.{method}", problem)
        yield
    try:
        case.tearDownClass()
    except Exception as problem:
        report.failure(f"{name}.tearDownClass", problem)


def _run_test(test, method: str) -> None:
    test.setUp()
    try:
        getattr(test, method)()
    finally:
        test.tearDown()


def _run_file(path: str, report: _Report):
    folder, name = path.rsplit("/", 1) if "/" in path else (".", path)
    name = name[: -len(".py")]
    before = list(sys.modules)
    path = sys.path[:]
    sys.path[:0] = [folder, folder + "/../fakes", folder + "/../fixtures/dlms"]
    try:
        module = __import__(name)
        for attribute in sorted(dir(module)):
            case = getattr(module, attribute)
            if isinstance(case, type) and issubclass(case, TestCase) and case is not TestCase:
                yield from _run_class(f"{name}.{attribute}", case, report)
    except SkipTest as problem:
        report.skip(name, 1, problem)
    except Exception as problem:
        report.failure(f"{name} (import)", problem)
    finally:
        sys.path[:] = path
        # The next file finds what this one found, and the heap back.
        for loaded in list(sys.modules):
            if loaded not in before:
                del sys.modules[loaded]
        gc.collect()


class _Unittest:
    """Stands for the module in `import unittest`."""

    TestCase = TestCase
    SkipTest = SkipTest
    skip = staticmethod(skip)
    skipIf = staticmethod(skipIf)
    skipUnless = staticmethod(skipUnless)

    @staticmethod
    def main(*arguments, **options):
        """The runner runs the tests; a file need not."""


def steps(arguments: list[str]):
    """Run the files test by test: a generator that yields after each; its last item is the status.

    The wasm builds collect garbage only between calls from outside, so they take single steps.
    """
    sys.modules["unittest"] = _Unittest
    report = _Report("-v" in arguments)
    for path in arguments:
        if path != "-v":
            yield from _run_file(path, report)
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    yield 1 if report.failed or not report.passed + report.skipped else 0


def main(arguments: list[str]) -> int:
    """Run the files; return the exit status."""
    status = 1
    for status in steps(arguments):
        pass
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
