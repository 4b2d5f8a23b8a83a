"""Who may import whom, how, and where places of modules are said. On CPython: it reads sources.

Each rule is a function from sources, {path: text}, to what breaks it; a test plants a fault for
each, so that a rule that sees nothing any more is noticed.
"""

import sys
import unittest

if sys.implementation.name == "micropython":
    raise unittest.SkipTest("reads the sources with ast, which only CPython has")

import ast
import functools
import re

from tools import ROOT

# The floors of firmware/joulelog: a part imports what lies lower, and nothing of its own floor.
# What is not named is a reader, a sink or a service.
FLOORS = {
    "__init__": 0,
    "clock": 0,
    "errors": 0,
    "registry": 0,
    "config": 1,
    "device": 1,
    "flow": 1,
    "net": 1,
    "backlog": 2,
    "supervisor": 2,
    "web": 2,
    "app": 4,
    "build": 5,
    "safe": 5,
    "start": 6,
    "broken": 6,
}
SERVICES = 3
UPWARDS = {
    ("config", "device"): "settings are written as the state is, by the same code",
    ("device", "net"): "the LED shows when something came from outside",
}
# Who imports its neighbours by dots in tools/ and tests/, and why.
RELATIVE = {
    "tools/romcode/freezer/": "it is copied into a MicroPython, as a package of another name",
    "tests/vm/romcode/": "cases of Python: packages that import in every way",
}
# What tools/bench may import of tests.
FOR_BENCHES = "tests.servers"
# Files with sys.path in them, and why.
PLACES = {
    "tools/__init__.py": "the one place that says where modules are",
    "tests/vm/runner.py": "the same for a test file on the VM",
    "tools/host/shims/config_file.py": "a config is a module in a folder of its own",
    "tools/rig/vm_shims/config_file.py": "the same on the VM",
    "tools/rig/vm_boot.py": "what starts the VM",
    "tests/integration/restarts_rig.py": "a board's own files: a text that the VM runs",
    "tools/rig/run_vm.py": "what starts the VM: a text that it runs",
    "tools/rig/raw_repl.py": "what starts the VM with a REPL: a text that it runs",
    "tools/rig/repl_vm.py": "the REPL on the VM, which has a board's places",
    "tests/integration/romcode_rig.py": "what starts the VM with frozen tests: a text",
    "tools/flash/install.py": "a board runs this text: is what was put there what it imports?",
    "tools/flash/link.py": "a board says by this text where it imports from",
    "tests/unit/test_house.py": "this rule",
}

Sources = dict[str, str]


@functools.cache
def parsed(text: str) -> ast.Module:
    """A file's tree; most of the rules look at the same ones."""
    return ast.parse(text)


@functools.cache
def statements(text: str) -> list[ast.AST]:
    """Its imports, wherever they stand."""
    return [n for n in ast.walk(parsed(text)) if isinstance(n, (ast.Import, ast.ImportFrom))]


def tearDownModule() -> None:
    """A million objects: tests behind this file call gc.collect, which would look at each."""
    parsed.cache_clear()
    statements.cache_clear()


def sources(*folders: str) -> Sources:
    """{path from the root: text} of the Python files in these folders."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found[path.relative_to(ROOT).as_posix()] = path.read_text()
    return found


def module_of(path: str) -> list[str]:
    """Its full name in parts; of a package that of its __init__."""
    parts = path.removesuffix(".py").split("/")
    return parts[1:] if parts[0] in ("firmware", "lib") else parts


def imported(path: str, node: ast.AST, known: set[str]) -> list[str]:
    """Full names of what an import names; known: modules, of which `from a import b` is one."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = module_of(path)[: -node.level] if node.level else []
    base += node.module.split(".") if node.module else []
    names = [".".join(base + [name.name]) for name in node.names]
    return [name if name in known else ".".join(base) for name in names]


def names(texts: Sources) -> dict[str, str]:
    """{full name of a module: path}."""
    return {".".join(module_of(path)).removesuffix(".__init__"): path for path in texts}


def when_loaded(body: list) -> list[ast.stmt]:
    """The statements that run while a module is imported."""
    found = []
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        found.append(node)
        for part in ("body", "orelse", "finalbody"):
            found += when_loaded(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            found += when_loaded(handler.body)
    return found


def circles(texts: Sources) -> list[str]:
    """Modules that import each other while they are loaded."""
    modules = names(texts)
    edges: dict[str, set[str]] = {}
    for name, path in modules.items():
        edges[name] = set()
        for node in when_loaded(parsed(texts[path]).body):
            edges[name] |= {n for n in imported(path, node, set(modules)) if n in modules}
        edges[name].discard(name)
    found = []
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> None:
        if name in way:
            found.append(" -> ".join(way[way.index(name) :] + [name]))
        elif name not in done:
            for other in sorted(edges[name]):
                walk(other, way + [name])
            done.add(name)

    for name in modules:
        walk(name, [])
    return found


def all_imports(texts: Sources) -> list[tuple[str, ast.AST, str]]:
    """(path, statement, full name) of every import, wherever it stands."""
    modules = set(names(texts))
    found = []
    for path, text in texts.items():
        for node in statements(text):
            found += [(path, node, name) for name in imported(path, node, modules)]
    return found


def upwards(texts: Sources) -> list[str]:
    """Imports in firmware/joulelog of what is not on a lower floor."""
    found = []
    for path, _, name in all_imports(texts):
        ours, theirs = module_of(path)[1], (name.split(".") + ["__init__"])[1]
        if name.split(".")[0] != "joulelog" or ours == theirs or (ours, theirs) in UPWARDS:
            continue
        if FLOORS.get(ours, SERVICES) <= FLOORS.get(theirs, SERVICES):
            found.append(f"{path}: {name}")
    return found


def above_lib(texts: Sources) -> list[str]:
    """Imports in lib/ of the firmware, tools or tests."""
    above = ("joulelog", "tools", "tests", "board", "config", "main")
    return [f"{p}: {name}" for p, _, name in all_imports(texts) if name.split(".")[0] in above]


def of_tests(texts: Sources) -> list[str]:
    """Imports of tests by what is no test."""
    found = []
    for path, _, name in all_imports(texts):
        bench = path.startswith("tools/bench/") and name.startswith(FOR_BENCHES)
        if name.split(".")[0] == "tests" and not bench:
            found.append(f"{path}: {name}")
    return found


def of_benches(texts: Sources) -> list[str]:
    """Imports of benchmarks by tests, which run them as a person does."""
    return [f"{p}: {name}" for p, _, name in all_imports(texts) if name.startswith("tools.bench")]


def in_another_style(texts: Sources) -> list[str]:
    """In joulelog not by dots, in tools/ and tests/ by dots."""
    found = []
    for path, node, name in all_imports(texts):
        dots = isinstance(node, ast.ImportFrom) and node.level > 0
        inside = path.startswith("firmware/joulelog/")
        wrong = name.split(".")[0] == "joulelog" and not dots if inside else dots
        if wrong and not path.startswith(tuple(RELATIVE)):
            found.append(f"{path}: {name}")
    return found


def places(texts: Sources) -> list[str]:
    """Files with sys.path in them."""
    return [path for path, text in texts.items() if re.search(r"\bsys\.path\b", text)]


class TestHouse(unittest.TestCase):
    def test_no_circle(self):
        self.assertEqual(circles(sources("firmware")), [])
        self.assertEqual(
            circles(
                {
                    "firmware/joulelog/a.py": "if 1:\n from . import b",
                    "firmware/joulelog/b.py": "from .c.d import e",
                    "firmware/joulelog/c/d.py": "from ..a import f",
                    "firmware/joulelog/g.py": "def f():\n from . import a",
                }
            ),
            ["joulelog.a -> joulelog.b -> joulelog.c.d -> joulelog.a"],
        )

    def test_floors(self):
        self.assertEqual(upwards(sources("firmware/joulelog")), [])
        for fault in (
            {"firmware/joulelog/net/a.py": "def f():\n from .. import app"},
            {"firmware/joulelog/sinks/a.py": "from ..readers import b"},
            {"firmware/joulelog/flow/a.py": "from ..backlog.spool import Spool"},
        ):
            known = {"firmware/joulelog/%s.py" % n: "" for n in ("app", "readers/b", "net/c")}
            self.assertEqual(len(upwards(known | fault)), 1, fault)
        self.assertEqual(upwards({"firmware/joulelog/app.py": "from .net import c\n"}), [])

    def test_lib_imports_nothing_above_it(self):
        self.assertEqual(above_lib(sources("lib")), [])
        self.assertEqual(len(above_lib({"lib/a/__init__.py": "from joulelog import clock"})), 1)

    def test_nobody_imports_tests(self):
        self.assertEqual(of_tests(sources("firmware", "lib", "boards", "tools")), [])
        fault = "def f():\n    from tests.servers import emoncms"
        self.assertEqual(len(of_tests({"tools/host/a.py": fault})), 1)
        self.assertEqual(of_tests({"tools/bench/a.py": fault}), [])
        self.assertEqual(len(of_tests({"tools/bench/a.py": "import tests.unit.a"})), 1)

    def test_tests_import_no_bench(self):
        self.assertEqual(of_benches(sources("tests")), [])
        self.assertEqual(len(of_benches({"tests/unit/a.py": "from tools.bench import size"})), 1)

    def test_one_style(self):
        self.assertEqual(in_another_style(sources("firmware/joulelog", "tools", "tests")), [])
        fault = {"firmware/joulelog/a.py": "from joulelog import clock"}
        self.assertEqual(len(in_another_style(fault)), 1)
        self.assertEqual(len(in_another_style({"tools/host/a.py": "from . import deps"})), 1)
        self.assertEqual(in_another_style({"tools/romcode/freezer/a.py": "from . import b"}), [])

    def test_one_place_for_places(self):
        found = places(sources("firmware", "lib", "boards", "tools", "tests", "examples"))
        self.assertEqual(set(found), set(PLACES))
        self.assertEqual(places({"a.py": "import sys\nsys.path.append(1)"}), ["a.py"])
        self.assertEqual(places({"a.py": "sys.path_hooks"}), [])


if __name__ == "__main__":
    unittest.main()
