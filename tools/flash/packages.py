"""Write package.json, which `mpremote mip install` reads: the application as source files.

    python -m tools.flash.packages

Our files by their place in the repository, so that they follow the tag that is installed; other
projects' files by the pinned commit (tools/host/deps.json), which mip cannot express otherwise.
"""

import json
import sys

from .target import ROOT

sys.path.insert(0, str(ROOT / "tools/host"))

import deps  # noqa: E402

_RAW = "https://raw.githubusercontent.com"


def urls() -> list[list[str]]:
    """[place below /lib, source] of every file."""
    found = {}
    for source in (ROOT / "firmware/joulelog").rglob("*.py"):
        found[source.relative_to(ROOT / "firmware").as_posix()] = source.relative_to(ROOT)
    for package in (ROOT / "lib").glob("*/__init__.py"):
        for source in package.parent.rglob("*.py"):
            if source.name != "manifest.py":
                found[source.relative_to(ROOT / "lib").as_posix()] = source.relative_to(ROOT)
    rows = [[place, source.as_posix()] for place, source in sorted(found.items())]
    for pin in deps.projects().values():
        for package in pin["packages"]:
            for place, file in package["files"].items():
                address = f"{_RAW}/{pin['repository']}/{pin['commit']}/{file['source']}"
                rows.append([place, address])
    return rows


def main() -> None:
    version = (ROOT / "firmware/joulelog/__init__.py").read_text().split('VERSION = "')[1]
    rows = ",\n".join("    " + json.dumps(row) for row in urls())
    text = '{\n  "version": %s,\n  "urls": [\n%s\n  ],\n  "deps": []\n}\n'
    (ROOT / "package.json").write_text(text % (json.dumps(version.split('"')[0]), rows))


if __name__ == "__main__":
    main()
