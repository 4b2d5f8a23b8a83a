"""Write the lists of modules that follow from the sources: `make packages`.

    .venv/bin/python -m tools.packages              # write those that differ, and name them
    .venv/bin/python -m tools.packages --check      # make packages CHECK=1: exit status 1, names

    package.json                    the application as files, which `mpremote mip install` reads
    lib/*/package.json              a package alone, with those of lib/ that it imports
    lib/*/manifest.py               the same for whoever freezes it
    boards/common/features.json     what each reader, sink and service, and a few others, need

Who needs what is what the sources import, in functions as well. The core is what main.py comes to
without the module of a feature; a reader, a sink, a service is a feature, and needs what its
module comes to beside the core. Only words for people may be changed by hand, a feature's `what`
and a manifest's `description`: a new one has the first line of its module's docstring.

Our files have their place in the repository, so that they follow the tag that is installed; other
projects' files their pinned commit (tools/host/deps.json), which mip cannot express otherwise.
"""

import argparse
import ast
import functools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from joulelog import VERSION, registry
from tools import ROOT
from tools.host import deps

_RAW = "https://raw.githubusercontent.com"
_FEATURES = ROOT / "boards/common/features.json"
_LINE = 99
# What is a feature and none of the registry's, and the modules that it begins with.
MORE = {
    "spool": ("joulelog.backlog.opening",),
    "setup": ("joulelog.setup.mode", "joulelog.setup.beside", "joulelog.setup.cable"),
}
_TYPES = dict(registry.READERS + registry.SINKS + registry.SERVICES)
_MODULES = {name: (module,) for name, module in _TYPES.items()} | MORE
_FOREIGN = ("aiohttp", "microdot", "mqtt_as", "webrepl")


def _sources() -> dict[str, Path]:
    """Place in an image -> source, of the application and of lib/."""
    found = {}
    for base, pattern in ((ROOT / "firmware", "joulelog/**/*.py"), (ROOT / "lib", "*/*.py")):
        for path in sorted(base.glob(pattern)):
            if path.name != "manifest.py":
                found[path.relative_to(base).as_posix()] = path
    return found


_SOURCES = _sources()
_PACKAGES = sorted({place.split("/")[0] for place in _SOURCES} - {"joulelog"})


def _place(module: str) -> str | None:
    """The place of a module of ours."""
    base = module.replace(".", "/")
    places = (base + ".py", base + "/__init__.py")
    return next((place for place in places if place in _SOURCES), None)


@functools.cache
def _imports(place: str) -> tuple[str, ...]:
    """Names of the modules that a source may import, and of what it takes from them."""
    source = ROOT / "firmware/main.py" if place == "main.py" else _SOURCES[place]
    package = place.split("/")[:-1]
    found = []
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(above + ([node.module] if node.module else []))
            found += [base] + [f"{base}.{name.name}" for name in node.names]
    return tuple(found)


def _reached(modules: Iterable[str], closed: Iterable[str | None]) -> tuple[set[str], set[str]]:
    """Places of ours, and packages of others, that modules come to; not through the closed."""
    places: set[str] = set()
    foreign: set[str] = set()
    open_ends = list(modules)
    while open_ends:
        name = open_ends.pop()
        for end, sign in enumerate(name + "."):
            if sign != ".":
                continue
            place = _place(name[:end])
            if place is None:
                foreign |= {name[:end]} & set(_FOREIGN)
            elif place not in places and place not in closed:
                places.add(place)
                open_ends += _imports(place)
    return places, foreign


def _first_line(place: str) -> str:
    """What a module says in its first line, without the full stop."""
    text = ast.get_docstring(ast.parse(_SOURCES[place].read_text())) or ""
    return text.split("\n")[0].removesuffix(" See README.md here.").rstrip(".")


@functools.cache
def core() -> set[str]:
    """What is in every image."""
    begins = [_place(module) for modules in _MODULES.values() for module in modules]
    return _reached(_imports("main.py"), begins)[0]


def _features() -> dict[str, dict]:
    """The table of features.json."""
    known = json.loads(_FEATURES.read_text())
    table = {}
    for name, modules in _MODULES.items():
        places, foreign = _reached(modules, core())
        place = _place(modules[0])
        what = known[name]["what"] if name in known else _first_line(place or "")
        table[name] = {"what": what, "modules": sorted(places), "packages": sorted(foreign)}
    named = {place for row in table.values() for place in row["modules"]}
    lost = [p for p in _SOURCES if p.startswith("joulelog/") and p not in named | core()]
    if lost:
        raise SystemExit("packages: nothing imports %s" % ", ".join(lost))
    return table


def _needs(package: str) -> set[str]:
    """The packages of lib/ that a package imports itself."""
    found = set()
    for place in _SOURCES:
        if place.startswith(package + "/"):
            found |= {name.split(".")[0] for name in _imports(place)}
    return (found & set(_PACKAGES)) - {package}


def _all_needs(package: str) -> set[str]:
    """The same, and what these import: each is installed as a whole."""
    found: set[str] = set()
    open_ends = [package]
    while open_ends:
        new = _needs(open_ends.pop()) - found - {package}
        found |= new
        open_ends += new
    return found


def _files(package: str) -> list[str]:
    return [place for place in _SOURCES if place.startswith(package + "/")]


def _package_json(rows: Iterable[tuple[str, str]]) -> str:
    lines = ",\n".join("    " + json.dumps(row) for row in rows)
    text = '{\n  "version": %s,\n  "urls": [\n%s\n  ],\n  "deps": []\n}\n'
    return text % (json.dumps(VERSION), lines)


def _application() -> Iterator[tuple[str, str]]:
    """(place below /lib, source) of every file."""
    found = {place: path.relative_to(ROOT).as_posix() for place, path in _SOURCES.items()}
    for pin in deps.projects().values():
        for package in pin["packages"]:
            for place, file in package["files"].items():
                address = f"{_RAW}/{pin['repository']}/{pin['commit']}/{file['source']}"
                found[place] = address
    return iter(sorted(found.items()))


def _alone(package: str) -> Iterator[tuple[str, str]]:
    """The same of one package of lib/, by places beside its package.json."""
    for place in _files(package):
        yield place, place.removeprefix(package + "/")
    for needed in sorted(_all_needs(package)):
        for place in _files(needed):
            yield place, "../" + place


def _manifest(package: str) -> str:
    """As ruff formats it."""
    path = ROOT / "lib" / package / "manifest.py"
    known = re.search(r'description="(.*)"', path.read_text()) if path.exists() else None
    about = known[1] if known else _first_line(package + "/__init__.py") + "."
    names = [place.removeprefix(package + "/") for place in _files(package)]
    quoted = ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "")
    call = f'package("{package}", files=({quoted}), base_path="..")'
    if len(call) > _LINE:
        rows = "".join(f'        "{name}",\n' for name in names)
        call = f'package(\n    "{package}",\n    files=(\n{rows}    ),\n    base_path="..",\n)'
    text = 'metadata(\n    description="%s",\n    version="%s",\n    license="MIT",\n)\n\n'
    requires = "".join(f'require("{name}")\n' for name in sorted(_needs(package)))
    return text % (about, VERSION) + requires + call + "\n"


def wanted() -> dict[Path, str]:
    """Every generated file, and what it should be."""
    found = {ROOT / "package.json": _package_json(_application())}
    for package in _PACKAGES:
        found[ROOT / "lib" / package / "package.json"] = _package_json(_alone(package))
        found[ROOT / "lib" / package / "manifest.py"] = _manifest(package)
    found[_FEATURES] = json.dumps(_features(), indent=4) + "\n"
    return found


def stale() -> dict[Path, str]:
    """Those of them that are something else, or missing."""
    return {p: text for p, text in wanted().items() if not p.exists() or p.read_text() != text}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    found = stale()
    for path, text in found.items():
        if not options.check:
            path.write_text(text)
        done = "is stale; make packages writes it" if options.check else "written"
        print(f"packages: {path.relative_to(ROOT)} {done}")
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main())
