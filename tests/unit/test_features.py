"""boards/common/features.json against the sources: what a feature needs is what it names."""

import sys
import unittest

if sys.implementation.name == "micropython":
    raise unittest.SkipTest("reads the sources with ast, which only CPython has")

import ast
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from joulelog import registry
from tools import ROOT, boards, packages
from tools.images import features

# Imports in functions that run only where the image has the feature.
GUARDED = {
    ("joulelog/app.py", "joulelog/backlog/opening.py"),
    ("joulelog/report.py", "joulelog/backlog/opening.py"),
    ("joulelog/safe.py", "joulelog/device/led.py"),
    ("joulelog/safe.py", "joulelog/setup/mode.py"),
    ("joulelog/start.py", "joulelog/setup/mode.py"),
    ("joulelog/app.py", "joulelog/setup/beside.py"),
    ("joulelog/app.py", "joulelog/setup/cable.py"),
}
NO_TYPE = packages.MORE
TYPES = dict(registry.READERS + registry.SINKS + registry.SERVICES)
MODULES = {name: (module,) for name, module in TYPES.items()} | NO_TYPE
FOREIGN = {"aiohttp", "microdot", "mqtt_as", "webrepl"}


def sources() -> dict[str, Path]:
    """Path as in an image -> source."""
    found = {}
    for base, below in ((ROOT / "firmware", "joulelog"), (ROOT / "lib", ".")):
        for path in (base / below).rglob("*.py"):
            if path.name != "manifest.py":
                found[path.relative_to(base).as_posix()] = path
    return found


SOURCES = sources()
CORE = set(SOURCES) - features.left_out(())  # what no feature names


def file_of(module: str) -> str | None:
    """The source of a module, where it is one of ours."""
    for path in (module.replace(".", "/") + ".py", module.replace(".", "/") + "/__init__.py"):
        if path in SOURCES:
            return path
    return None


def packages_of(module: str) -> set[str]:
    return {module[:dot] for dot, sign in enumerate(module) if sign == "."}


@functools.cache
def imported(path: str) -> frozenset[str]:
    """Names of all modules that a source imports, in functions as well, and their packages."""
    package = path.split("/")[:-1]
    found = set()
    for node in ast.walk(ast.parse(SOURCES[path].read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(parts + (node.module.split(".") if node.module else []))
            found.add(base)
            found |= {f"{base}.{name.name}" for name in node.names}
    return frozenset(found | {above for name in found for above in packages_of(name)})


def closure(modules: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """What loads with modules, now or later: files beside the core, packages of others."""
    files: set[str] = set()
    foreign: set[str] = set()
    open_ends = list(modules)
    for module in modules:
        open_ends += packages_of(module)
    while open_ends:
        name = open_ends.pop()
        path = file_of(name)
        if path is None:
            foreign |= {name} & FOREIGN
        elif path not in files | CORE:
            files.add(path)
            open_ends += imported(path)
    return files, foreign


class TestTable(unittest.TestCase):
    def test_every_reader_and_sink_is_a_feature(self):
        self.assertEqual(set(TYPES) - set(features.TABLE), set())
        self.assertEqual(set(features.TABLE) - set(TYPES), set(NO_TYPE))

    def test_a_feature_names_what_it_needs_and_no_more(self):
        for name, modules in MODULES.items():
            files, foreign = closure(modules)
            self.assertEqual(sorted(features.TABLE[name]["modules"]), sorted(files), name)
            self.assertEqual(set(features.TABLE[name]["packages"]), foreign, name)

    def test_the_core_needs_no_feature(self):
        self.assertIn("joulelog/app.py", CORE)
        needed = set()
        for path in CORE:
            for name in imported(path):
                other = file_of(name)
                if other and other not in CORE:
                    needed.add((path, other))
        self.assertEqual(needed, GUARDED)
        top = ast.parse(SOURCES["joulelog/app.py"].read_text()).body
        names = {
            name.name for node in top if isinstance(node, ast.ImportFrom) for name in node.names
        }
        self.assertEqual(names & {"Led", "opening"}, set())

    def test_what_is_named_exists_and_is_told_once(self):
        for name, row in features.TABLE.items():
            self.assertEqual(sorted(row), ["modules", "packages", "what"], name)
            self.assertEqual(set(row["modules"]) - set(SOURCES), set(), name)
            self.assertEqual(row["modules"], sorted(set(row["modules"])), name)

    def test_the_readme_tells_them(self):
        readme = (ROOT / "boards/README.md").read_text()
        for name, row in features.TABLE.items():
            self.assertIn(f"| `{name}` | {row['what']} |", readme)


class TestPackages(unittest.TestCase):
    """What `make packages` writes follows from the sources."""

    def test_nothing_is_stale(self):
        stale = [str(path.relative_to(ROOT)) for path in packages.stale()]
        self.assertEqual(stale, [], "`make packages` writes them")

    def test_the_core_is_what_no_feature_names(self):
        self.assertEqual(packages.core(), CORE)


class TestImage(unittest.TestCase):
    """The core with the modules of one feature, alone in a folder."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def loads(self, wanted: tuple[str, ...], module: str) -> subprocess.CompletedProcess:
        for path in set(SOURCES) - features.left_out(wanted):
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SOURCES[path], target)
        places = [str(self.folder), str(ROOT / "tools/host/shims")]
        return subprocess.run(
            [sys.executable, "-c", f"from joulelog import app, build, start; import {module}"],
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(places)),
            cwd=self.folder,
            capture_output=True,
            text=True,
        )

    def test_each_type_loads_with_its_own_modules(self):
        for name, modules in MODULES.items():
            shutil.rmtree(self.folder)
            done = self.loads((name,), ", ".join(modules))
            self.assertEqual(done.returncode, 0, name + done.stderr)

    def test_what_the_image_has_not_does_not_load(self):
        done = self.loads(("mqtt",), "joulelog.sinks.influxdb")
        self.assertIn("No module named 'joulelog.sinks.influxdb'", done.stderr)


class TestNames(unittest.TestCase):
    def test_written_by_somebody(self):
        self.assertEqual(features.named(" dsmr, mqtt  dsmr"), ("dsmr", "mqtt"))
        with self.assertRaisesRegex(ValueError, "there is no feature 'p1'; there are: dsmr, "):
            features.named("p1 mqtt")

    def test_none_is_everything(self):
        self.assertEqual(features.left_out(None), set())
        self.assertEqual(features.packages(None), FOREIGN)
        self.assertEqual(features.packages(("dsmr", "mqtt")), {"mqtt_as"})

    def test_in_the_place_of_a_boards_own(self):
        for name in boards.names():
            source = (boards.FOLDERS / name / "board.py").read_text()
            changed: dict = {}
            exec(features.in_board(source, ("dsmr",)), changed)
            own: dict = {}
            exec(source, own)
            self.assertEqual(changed.pop("FEATURES"), ("dsmr",))
            own.pop("FEATURES", None)
            del changed["__builtins__"], own["__builtins__"]
            self.assertEqual(changed, own)

    def test_a_board_names_what_there_is(self):
        folder = Path(tempfile.mkdtemp()) / "WEMOS_D1_MINI"
        self.addCleanup(shutil.rmtree, folder.parent)
        shutil.copytree(boards.FOLDERS / folder.name, folder)
        (folder / "board.py").write_text(
            features.in_board((folder / "board.py").read_text(), ("dsmr", "p1"))
        )
        found = list(boards.folder_problems(folder))
        self.assertEqual([text for text in found if "FEATURES" in text], found)
        self.assertIn("there is no feature 'p1'", found[0])

    def test_a_config_against_the_features_of_an_image(self):
        config = boards.EXAMPLES / "esp8266_emoncms.py"
        self.assertEqual(list(boards.config_problems(config)), [])
        found = list(boards.config_problems(config, None, ("dsmr", "mqtt")))
        self.assertEqual(len(found), 1, found)
        self.assertIn("this image has no emoncms; it has: mqtt; use one of these", found[0])


if __name__ == "__main__":
    unittest.main()
