"""Code objects of frozen modules in flash: a patched copy of a MicroPython checkout.

    from tools import romcode
    tree = romcode.prepare(Path("~/micropython"))     # romcode.Unknown: not a source we know

A build of that copy with MICROPY_ROM_CODE set to 1 (in mpconfigboard.h, or CFLAGS_EXTRA) has
functions, classes and globals of its frozen modules in flash as far as they are known while
freezing; without it, it is the build of the checkout. The checkout itself is not touched. What is
inserted where is in places.py; romcode.c, romcode.h and the package freezer/ beside it are whole
files of ours. docs/romcode.md says what, why and what it costs.

    python3 -m tools.romcode <checkout>             prepare, print the folder
    python3 -m tools.romcode --where <checkout>     show the places in their surroundings
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.host.cache import cache, locked
from tools.romcode.places import FILES, VERSION

_HERE = Path(__file__).resolve().parent

# What a build of ours reads, as copies, because make and cmake find the rest relative to them.
_COPIED = ("drivers", "extmod", "mpy-cross", "ports", "py", "shared", "tools")
_PORTS = ("unix", "esp32", "esp8266", "qemu")
# Whole files of ours, and where they go.
_ADDED = {"romcode.c": "py/romcode.c", "romcode.h": "py/romcode.h"}
_ADDED |= {
    str(path.relative_to(_HERE)): f"tools/romcode_freezer/{path.name}"
    for path in sorted((_HERE / "freezer").glob("*.py"))
}
_IGNORED = shutil.ignore_patterns("build", "build-*", "__pycache__", ".git")


class Unknown(Exception):
    """The checkout has sources that places.py does not know; the text names them."""


def prepare(checkout: Path) -> Path:
    """Return the patched copy, made anew when the checkout or our lines have changed."""
    checkout = checkout.expanduser().resolve()
    patched = {name: patch(checkout, name) for name in FILES}
    folder = cache() / "romcode"
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / _key(checkout, patched)
    with locked(folder / "lock"):
        if not copy.is_dir():
            work = Path(tempfile.mkdtemp(prefix="new-", dir=folder))
            try:
                _copy(checkout, work, patched)
                work.rename(copy)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return copy


def patch(checkout: Path, name: str) -> str:
    """A file of the checkout with our lines in it; Unknown where it is another version's."""
    known, rows = FILES[name]
    path = checkout / name
    if not path.is_file():
        raise Unknown(f"{path} is missing: MicroPython {VERSION} has it")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != known:
        raise Unknown(
            f"{path} is not that of MicroPython {VERSION}, the only one whose places"
            " tools/romcode/places.py knows: git checkout that commit"
        )
    lines = data.decode().split("\n")
    for line, _, ours in sorted(rows, key=lambda row: row[0], reverse=True):
        lines[line:line] = ours
    return "\n".join(lines)


def where(checkout: Path) -> str:
    """Each place with the lines around it, for a port to another version."""
    found = []
    for name, (_, rows) in FILES.items():
        lines = (checkout / name).read_text().split("\n")
        for line, what, ours in rows:
            found.append(f"{name}:{line}: {what}")
            found += ["    " + text for text in lines[max(0, line - 2) : line]]
            found += ["  + " + text for text in ours]
            found += ["    " + text for text in lines[line : line + 2]]
    return "\n".join(found)


def _key(checkout: Path, patched: dict[str, str]) -> str:
    """Another checkout, another commit or other lines of ours: another copy."""
    digest = hashlib.sha256(f"{checkout} {_commit(checkout)}".encode())
    for name in sorted(patched):
        digest.update(patched[name].encode())
    for name in (*_ADDED, "__init__.py"):
        digest.update((_HERE / name).read_bytes())
    return digest.hexdigest()[:12]


def _commit(checkout: Path) -> str:
    done = subprocess.run(
        ["git", "-C", str(checkout), "describe", "--tags", "--always", "--dirty", "--abbrev=10"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _copy(checkout: Path, work: Path, patched: dict[str, str]) -> None:
    for entry in sorted(os.listdir(checkout)):
        if entry == "ports":
            (work / entry).mkdir()
            for port in _PORTS:
                shutil.copytree(checkout / entry / port, work / entry / port, ignore=_IGNORED)
        elif entry in _COPIED:
            shutil.copytree(checkout / entry, work / entry, symlinks=True, ignore=_IGNORED)
        elif entry not in (".git", ".github"):
            (work / entry).symlink_to(checkout / entry)
    for name, text in patched.items():
        (work / name).write_text(text)
    for name, target in _ADDED.items():
        (work / target).parent.mkdir(exist_ok=True)
        shutil.copyfile(_HERE / name, work / target)
