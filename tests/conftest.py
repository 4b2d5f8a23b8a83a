"""For all tests: the marks, and the summary of the tiers that this machine could not run."""

import importlib
import re
import signal
import sys

import pytest

# A shell starts what runs in the background without Ctrl-C, and so would be all that tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_LEFT_OUT = re.compile(r"left out: tier (\S+) needs (.*)")


@pytest.fixture(autouse=True)
def real_machine():
    """Give the modules under test their `machine` back when a test put its own there."""
    yield
    for name in ("joulelog.uart", "joulelog.readers.dsmr", "joulelog.readers.bus"):
        if name in sys.modules:
            sys.modules[name].machine = importlib.import_module("machine")


def pytest_terminal_summary(terminalreporter) -> None:
    """Name each tier left out, how many tests of it, and what would enable it."""
    tiers: dict[str, tuple[int, set[str]]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found = _LEFT_OUT.search(reason)
        if found:
            count, ways = tiers.get(found[1], (0, set()))
            tiers[found[1]] = (count + 1, ways | {found[2]})
    for tier, (count, ways) in sorted(tiers.items()):
        tests = "1 test" if count == 1 else f"{count} tests"
        terminalreporter.write_line(
            f"left out: tier {tier}, {tests}: needs {'; '.join(sorted(ways))}"
        )
    if not tiers:
        terminalreporter.write_line("left out: nothing")
