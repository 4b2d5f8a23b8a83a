"""The rules of the house that a program can check. On CPython only: it reads the sources."""

import sys
import unittest

if sys.implementation.name == "micropython":
    raise unittest.SkipTest("reads the sources with ast, which only CPython has")

import ast
import doctest
import functools
import inspect
import json
import re
from pathlib import Path

from tools import ROOT

LIB = ROOT / "lib"
FIRMWARE = ROOT / "firmware"
PACKAGES = sorted(path.parent.name for path in LIB.glob("*/__init__.py"))
SOURCES = sorted(list(LIB.rglob("*.py")) + list(FIRMWARE.rglob("*.py")))

_SAFE = {
    "micropython",
    "binascii",
    "struct",
    "array",
    "hashlib",
}  # what lib/ may import beside lib/
_LINES = 400

# Modules of the firmware that hold bytes literals, and why they are no meter's protocol.
_BYTES = {
    "device/logfile.py": "line ends of its own files",
    "device/logging_setup.py": "what no line of it may hold, in UTF-8",
    "device/ends.py": "its own format in the memory of the RTC",
    "device/state.py": "its own file format",
    "net/": "the home of everything on the network",
    "sinks/": "a sink is the format of its server",
    "web/api.py": "its own table of paths",
    "web/records.py": "line ends of the log's files",
}
# Where a quotient that is no integer is made, and why no reading can meet it.
_QUOTIENTS = {"firmware/joulelog/clock.py": "seconds for CPython's asyncio.sleep"}


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """All of a file, which each rule looks through."""
    return list(ast.walk(ast.parse(path.read_text())))


def tearDownModule() -> None:
    """Many objects: tests behind this file call gc.collect, which would look at each."""
    nodes.cache_clear()


def imports(path: Path) -> set[str]:
    """Top-level names of what a file imports, anywhere in it."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__":
            found.add("__import__")
    return found


def needs(package: str) -> set[str]:
    """The other packages of lib/ that a package needs, also those that these need."""
    found: set[str] = set()
    open_ends = [package]
    while open_ends:
        for path in (LIB / open_ends.pop()).glob("*.py"):
            if path.name == "manifest.py":
                continue
            new = (imports(path) & set(PACKAGES)) - found - {package}
            found |= new
            open_ends += new
    return found


def literal(node: ast.AST | None) -> bool:
    """A constant, a negative one, or a tuple of such."""
    if isinstance(node, ast.Tuple):
        return all(literal(item) for item in node.elts)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and literal(node.operand)
    return isinstance(node, ast.Constant)


@functools.cache
def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


class TestNarrowHands(unittest.TestCase):
    """A reader or sink has of the app what its module declares, and nothing else."""

    def test_what_is_declared_is_what_is_taken(self):
        from joulelog import registry

        own = {"Reader": ["name", "entry", "output"], "Sink": ["name", "entry", "cursor"]}
        for table, kind in ((registry.READERS, "Reader"), (registry.SINKS, "Sink")):
            for name in registry.names(table):
                module = registry.module(table, name)
                made = list(inspect.signature(getattr(module, kind)).parameters)
                taken = [one.replace("app_clock", "clock") for one in made if one != "request"]
                self.assertEqual(taken, own[kind] + list(module.NEEDS), name)

    def test_only_the_top_knows_the_app(self):
        top = {"app.py", "build.py", "start.py", "report.py", "device/guard.py"}
        for path in (FIRMWARE / "joulelog").rglob("*.py"):
            where = path.relative_to(FIRMWARE / "joulelog").as_posix()
            names = {node.id for node in nodes(path) if isinstance(node, ast.Name)}
            names |= {node.attr for node in nodes(path) if isinstance(node, ast.Attribute)}
            self.assertTrue(where in top or not names & {"app", "_app"}, where)


class TestLib(unittest.TestCase):
    def test_there_are_packages(self):
        self.assertTrue({"exact", "civil", "dsmr", "aes_gcm"} <= set(PACKAGES))

    def test_imports(self):
        for path in LIB.rglob("*.py"):
            strange = imports(path) - _SAFE - set(PACKAGES)
            self.assertEqual((named(path), strange), (named(path), set()))

    def test_each_package_is_complete(self):
        for package in PACKAGES:
            for name in ("README.md", "manifest.py", "package.json"):
                self.assertTrue(
                    (LIB / package / name).is_file(), f"lib/{package}/{name} is missing"
                )

    def test_package_json(self):
        """Installed by mip: exactly the package's modules, and those of the packages it needs."""
        for package in PACKAGES:
            given = json.loads((LIB / package / "package.json").read_text())
            installed = {}
            for target, source in given["urls"]:
                path = (LIB / package / source).resolve()
                self.assertTrue(path.is_file(), f"lib/{package}: {source}")
                self.assertEqual(named(path), f"lib/{target}")
                installed[target] = path
            expected = set()
            for wanted in {package} | needs(package):
                files = (LIB / wanted).glob("*.py")
                expected |= {f"{wanted}/{p.name}" for p in files if p.name != "manifest.py"}
            self.assertEqual((package, set(installed)), (package, expected))

    def test_manifest(self):
        for package in PACKAGES:
            found: dict = {"require": set()}

            def take(name, files, base_path, found=found):
                found[name] = (set(files), base_path)

            names = {
                "metadata": lambda found=found, **about: found.update(about),
                "require": found["require"].add,
                "package": take,
            }
            path = LIB / package / "manifest.py"
            exec(compile(path.read_text(), str(path), "exec"), names)
            modules = {p.name for p in (LIB / package).glob("*.py")} - {"manifest.py"}
            self.assertEqual((package, found[package]), (package, (modules, "..")))
            direct = set()
            for module in modules:
                direct |= imports(LIB / package / module) & set(PACKAGES) - {package}
            self.assertEqual((package, found["require"]), (package, direct))
            about = json.loads((LIB / package / "package.json").read_text())
            self.assertEqual(found["version"], about["version"])
            self.assertEqual(found["license"], "MIT")

    def test_readmes_examples_hold(self):
        ran = {}
        for package in PACKAGES:
            result = doctest.testfile(str(LIB / package / "README.md"), module_relative=False)
            self.assertEqual((package, result.failed), (package, 0))
            ran[package] = result.attempted
        for package in ("exact", "civil", "dsmr"):
            self.assertTrue(ran[package] >= 5, package)


class TestFirmware(unittest.TestCase):
    def test_no_pin_numbers(self):
        for path in FIRMWARE.rglob("*.py"):
            for node in nodes(path):
                if not isinstance(node, ast.Call):
                    continue
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in ("Pin", "UART", "ADC", "I2C", "SPI") and node.args:
                    self.assertFalse(
                        isinstance(node.args[0], ast.Constant), f"{named(path)}:{node.lineno}"
                    )

    def test_no_protocol_bytes(self):
        used = set()
        for path in (FIRMWARE / "joulelog").rglob("*.py"):
            name = str(path.relative_to(FIRMWARE / "joulelog"))
            allowed = [a for a in _BYTES if name == a or (a[-1] == "/" and name.startswith(a))]
            for node in nodes(path):
                if isinstance(node, ast.Constant) and isinstance(node.value, bytes) and node.value:
                    self.assertTrue(
                        allowed, f"{named(path)}:{node.lineno}: {node.value!r} belongs into lib/"
                    )
                    used |= set(allowed)
        self.assertEqual(set(_BYTES) - used, set())  # a reason that nothing needs any more

    def test_what_a_board_is_goes_into_boards(self):
        for path in (FIRMWARE / "joulelog").rglob("*.py"):
            self.assertEqual(
                re.findall(r"GPIO\s*=\s*\d|gpio\d", path.read_text()), [], named(path)
            )


class TestNumbers(unittest.TestCase):
    def test_the_word(self):
        for path in SOURCES + list(LIB.rglob("*.md")):
            self.assertFalse(re.search("float", path.read_text(), re.IGNORECASE), named(path))

    def test_no_number_with_a_point_and_no_quotient(self):
        for path in SOURCES:
            for node in nodes(path):
                if isinstance(node, ast.Constant):
                    self.assertFalse(isinstance(node.value, float), f"{named(path)}:{node.lineno}")
                if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
                    self.assertIn(named(path), _QUOTIENTS, f"line {node.lineno}")


class TestPlainClasses(unittest.TestCase):
    """tools/romcode puts a class into flash that the freezer can see through: no heap for it."""

    DECORATORS = {"property", "staticmethod"}

    def classes(self):
        for path in SOURCES:
            for node in nodes(path):
                if isinstance(node, ast.ClassDef):
                    yield f"{named(path)}:{node.lineno}", node

    def test_one_base_and_nothing_around_it(self):
        for where, node in self.classes():
            self.assertTrue(len(node.bases) <= 1, f"{where}: two bases")
            self.assertEqual((where, node.keywords + node.decorator_list), (where, []))

    def test_attributes_are_literals(self):
        """Functions, and what a freezer knows without computing; a list could be changed."""
        for where, node in self.classes():
            for statement in node.body:
                if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Pass)):
                    continue
                if isinstance(statement, ast.AnnAssign) and not statement.value:
                    continue  # a type: nothing at run time
                self.assertIsInstance(
                    statement, (ast.Expr, ast.Assign, ast.AnnAssign), f"{where}: {statement}"
                )
                self.assertTrue(
                    isinstance(statement, ast.Expr)
                    and isinstance(statement.value, ast.Constant)  # its docstring
                    or literal(getattr(statement, "value", None)),
                    f"{where}: line {statement.lineno} is no literal",
                )

    def test_decorators(self):
        for path in SOURCES:
            for node in nodes(path):
                for decorator in getattr(node, "decorator_list", ()):
                    self.assertIn(
                        ast.unparse(decorator), self.DECORATORS, f"{named(path)}:{node.lineno}"
                    )

    def test_no_super(self):
        for path in SOURCES:
            for node in nodes(path):
                self.assertFalse(
                    isinstance(node, ast.Name) and node.id == "super",
                    f"{named(path)}:{getattr(node, 'lineno', 0)}: write Base.method(self, …)",
                )

    def test_no_class_is_written_to(self):
        """An attribute that changes keeps its class in the heap; a module's global does not."""
        for path in SOURCES:
            local = {n.name for n in nodes(path) if isinstance(n, ast.ClassDef)}
            for node in nodes(path):
                if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                    self.assertNotIn(
                        ast.unparse(node.value), local, f"{named(path)}:{node.lineno}"
                    )


class TestSize(unittest.TestCase):
    def test_no_module_has_too_many_lines(self):
        for path in SOURCES:
            lines = len(path.read_text().splitlines())
            self.assertTrue(lines <= _LINES, f"{named(path)} has {lines} lines: split it")


class TestLanguage(unittest.TestCase):
    """What MicroPython 1.24 on a chip does not have."""

    MODULES = {"dataclasses", "enum", "typing", "__future__", "contextlib", "functools", "re"}
    METHODS = {"partition", "rpartition", "splitlines", "removeprefix", "removesuffix"}

    def test_modules(self):
        for path in SOURCES:
            self.assertEqual((named(path), imports(path) & self.MODULES), (named(path), set()))

    def test_syntax_and_methods(self):
        for path in SOURCES:
            for node in nodes(path):
                where = f"{named(path)}:{getattr(node, 'lineno', 0)}"
                self.assertFalse(isinstance(node, ast.Match), where)
                self.assertFalse(isinstance(node, ast.Assert), where)  # validates nothing on -O
                self.assertFalse(
                    isinstance(node, ast.Attribute) and node.attr in self.METHODS, where
                )
                if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
                    loads = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
                    stars = [e for e in node.elts if isinstance(e, ast.Starred)]
                    self.assertFalse(loads and stars, where)
                if isinstance(node, ast.Dict):
                    self.assertFalse(None in node.keys, where)
                if isinstance(node, ast.AsyncFunctionDef):
                    inner = [
                        n for n in ast.walk(node) if isinstance(n, (ast.Yield, ast.YieldFrom))
                    ]
                    self.assertEqual((where, inner), (where, []))
