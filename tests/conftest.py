"""For all tests: the marks, and the summary of the tiers that this machine could not run."""

import gc
import importlib
import os
import re
import signal
import sys

import pytest

from tools import ROOT

(ROOT / "build").mkdir(exist_ok=True)  # where tests leave their files

# A shell starts what runs in the background without Ctrl-C, and so would be all that tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Minutes each, the longest first: a worker takes whole files, and none begins one at the end.
# Of the first ones every second mostly waits.
_LONGEST = (
    *("test_runtimes", "test_lan_faults", "test_romcode", "test_modbus_tcp", "test_size_parts"),
    *("test_flash", "test_size_frozen", "test_field", "test_release", "test_tuya", "test_drain"),
    *("test_pipeline", "test_month", "test_size", "test_soak", "test_wasm_builds"),
    *("test_setup_page", "test_installer", "test_improv_sdk", "test_rom_loader"),
    *("test_web_server", "test_tls"),
)
_LEFT_OUT = re.compile(r"left out: tier (\S+) needs (.*)")


def pytest_collection_modifyitems(config, items) -> None:
    """What is marked long needs JOULELOG_LONG=1: a whole sweep, of which other tests take a part.

    Of unit tests it is the name, test_…_long, for MicroPython's functions have no marks.
    What plays so many seeds may take as many seconds more.
    """
    seeds = int(os.getenv("JOULELOG_SEEDS") or 0)
    for item in items:
        if seeds:
            item.add_marker(pytest.mark.timeout(900 + seeds))
        if item.originalname.endswith("_long"):
            item.add_marker(pytest.mark.long)
    long = [item for item in items if item.get_closest_marker("long")]
    if long and not os.environ.get("JOULELOG_LONG"):
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    # Not by its name alone: unit tests have some of the same.
    order = {name: at for at, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)) + _is_unit(item) * 100)


def _is_unit(item) -> bool:
    return item.path.parent.name == "unit"


def pytest_collection_finish() -> None:
    """What has been loaded stays: a collection looks at it no more, and the firmware has many."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def real_machine():
    """Give the modules under test their `machine` back when a test put its own there."""
    yield
    for name in ("joulelog.device.uart", "joulelog.readers.dsmr", "joulelog.readers.bus"):
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
