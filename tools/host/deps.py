"""The pinned MicroPython packages for the VM and for boards, and MicroPython itself. `make deps`.

    python3 -m tools.host.deps ensure         fetch what is missing, print the folders
    python3 -m tools.host.deps path           print the packages' folder
    python3 -m tools.host.deps micropython    print MicroPython's folder

The folder is <cache>/deps/<key>, where the key belongs to the pins: it survives the repository,
and other pins get another folder. The files come from the projects' repositories on GitHub, or,
with DEPS_FROM=<folder>, from checkouts called micropython-lib and micropython-mqtt in there.
Every file is compared with its checksum in deps.json. A checkout that differs from the pins is
installed all the same, and said so each time: its versions were not the ones tested.
microdot, which a computer needs as well, comes from PyPI's package in .venv: the one module of it
that a board needs. The VM has it without `make deps` too.

MicroPython (checkout.py) comes from GitHub or from a checkout called micropython in DEPS_FROM.
Only images and the frozen tier need it: without it the packages are installed all the same. Where
MICROPYTHON=<checkout> is given, that one is used.

Exit status 3: not to be had here. From other tools: `deps.path()` and `deps.micropython()` are a
Path, or None.
"""

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tools.host import checkout
from tools.host.cache import Unavailable, cache

_PINS = Path(__file__).with_name("deps.json")
_RAW = "https://raw.githubusercontent.com"
_TIMEOUT_S = 30
_WITHOUT = """\
deps: without it there are no images (make firmware) and no frozen code (make size ONLY=frozen,
deps: tier micropython). Run make deps again where github.com can be reached, or with
deps: DEPS_FROM=<folder that holds a checkout called micropython>; or name any checkout of it
deps: with MICROPYTHON=<checkout>. The packages are installed."""
_NOTE = "DIFFERS.txt"  # lies in the folder when its files are not the pinned ones


def projects() -> dict:
    """Name -> pin of those that packages come from."""
    return {name: pin for name, pin in _pins().items() if "packages" in pin}


def _pins() -> dict:
    return json.loads(_PINS.read_text())


def _fetched() -> dict:
    """Those of projects() that come from GitHub."""
    return {name: pin for name, pin in projects().items() if "pypi" not in pin}


def from_pypi() -> Iterator[tuple[Path, str]]:
    """(source, place below the packages' folder) of what is taken from PyPI's packages here.

    One that is not installed, or in another version than the pinned one, is left out, and the
    latter said: whoever imports it cannot do without.
    """
    for pin in projects().values():
        for package in pin["packages"] if "pypi" in pin else ():
            for place, file in package["files"].items():
                found = _installed(pin["pypi"], Path(file["source"]).name)
                if found and _is(found.read_bytes(), file):
                    yield found, place
                elif found:
                    wanted = f"{package['name']} {package['version']}"
                    print(f"deps: {found} is not of {wanted}: make lock", file=sys.stderr)


def _installed(distribution: str, name: str) -> Path | None:
    """A file of a package that this Python has."""
    try:
        files = importlib.metadata.files(distribution) or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == name), None)


def _copy_from_pypi(folder: Path) -> None:
    for source, place in from_pypi():
        target = folder / place
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue
        fresh = target.with_suffix(f".{os.getpid()}")
        shutil.copyfile(source, fresh)
        fresh.replace(target)


def _folder() -> Path:
    pins = {  # what is in the folder: a licence is not
        name: {key: value for key, value in pin.items() if key != "licence"}
        for name, pin in _fetched().items()
    }
    key = hashlib.sha256(json.dumps(pins, sort_keys=True).encode()).hexdigest()[:12]
    return cache() / "deps" / key


def path() -> Path | None:
    """The folder to put on the import path, or None when nothing is installed."""
    folder = _folder()
    if not folder.is_dir():
        return None
    _copy_from_pypi(folder)
    note = folder / _NOTE
    if note.exists():
        print(f"deps: {note.read_text().strip()} (folder {folder})", file=sys.stderr)
    return folder


def ensure() -> Path:
    """Install the packages unless they are there. Raises Unavailable."""
    source = os.environ.get("DEPS_FROM")
    installed = path()
    if installed and not (source and (installed / _NOTE).exists()):
        return installed
    (cache() / "deps").mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="new-", dir=cache() / "deps"))
    try:
        _fill(work, Path(source) if source else None)
        shutil.rmtree(_folder(), ignore_errors=True)
        work.rename(_folder())
    finally:
        shutil.rmtree(work, ignore_errors=True)
    folder = path()
    assert folder
    return folder


def micropython() -> Path | None:
    """The checkout to build from: MICROPYTHON's, or the pinned one, or None."""
    given = os.environ.get("MICROPYTHON")
    if given:
        return Path(given).expanduser().resolve()
    return checkout.path(_pins()["micropython"])


def ensure_micropython() -> Path:
    """Fetch the pinned checkout unless it is there. Raises Unavailable."""
    source = os.environ.get("DEPS_FROM")
    return checkout.ensure(_pins()["micropython"], Path(source) if source else None)


def licences() -> Path:
    """A folder with the licences of projects whose packages have none in them, by project.

    One that cannot be had now is not in there; what needs it says so.
    """
    folder = cache() / "deps/licences"
    folder.mkdir(parents=True, exist_ok=True)
    source = os.environ.get("DEPS_FROM")
    for project, pin in projects().items():
        file = pin.get("licence")
        if not file:
            continue
        target = folder / project
        if target.exists() and _is(target.read_bytes(), file):
            continue
        target.unlink(missing_ok=True)
        try:
            if "pypi" in pin:
                found = _installed(pin["pypi"], file["source"])
                data = found.read_bytes() if found else b""
            elif source:
                data = _from_checkout(Path(source) / project, pin["commit"], file["source"])
            else:
                data = _from_network(pin["repository"], pin["commit"], file["source"])
        except Unavailable as problem:
            print(f"deps: {problem}", file=sys.stderr)
            continue
        if _is(data, file):
            target.write_bytes(data)
    return folder


def _is(data: bytes, file: dict) -> bool:
    return hashlib.sha256(data).hexdigest() == file["sha256"]


def _fill(folder: Path, checkouts: Path | None) -> None:
    different = []
    for project, pin in _fetched().items():
        for package in pin["packages"]:
            for name, file in package["files"].items():
                if checkouts:
                    data = _from_checkout(checkouts / project, pin["commit"], file["source"])
                else:
                    data = _from_network(pin["repository"], pin["commit"], file["source"])
                if hashlib.sha256(data).hexdigest() != file["sha256"]:
                    different.append(f"{name} (pinned: {package['name']} {package['version']})")
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    if different and not checkouts:
        raise Unavailable("what the network gave has the wrong checksum: " + ", ".join(different))
    if different:
        text = "not the pinned versions, tests may fail because of it: " + ", ".join(different)
        (folder / _NOTE).write_text(text + "\n")


def _from_checkout(clone: Path, commit: str, source: str) -> bytes:
    """The file at the pinned commit, or from the work tree when the clone has no such commit."""
    if not clone.is_dir():
        raise Unavailable(
            f"DEPS_FROM: {clone} is missing; DEPS_FROM names the folder that holds checkouts"
            " called micropython-lib and micropython-mqtt."
        )
    shown = subprocess.run(
        ["git", "-C", str(clone), "show", f"{commit}:{source}"],
        capture_output=True,
        check=False,
    )
    if shown.returncode == 0:
        return shown.stdout
    try:
        return (clone / source).read_bytes()
    except OSError as problem:
        raise Unavailable(f"DEPS_FROM: {clone / source}: {problem.strerror}") from None


def _all() -> str:
    """All repositories that packages come from."""
    return " and ".join(f"https://github.com/{pin['repository']}" for pin in _fetched().values())


def _from_network(repository: str, commit: str, source: str) -> bytes:
    url = f"{_RAW}/{repository}/{commit}/{source}"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            return answer.read()
    except (urllib.error.URLError, OSError) as problem:
        raise Unavailable(
            f"{url}: {problem}. Without that network: clone {_all()} elsewhere, and run"
            " make deps DEPS_FROM=<folder of the clones>."
        ) from None


def main(arguments: list[str]) -> int:
    commands = {"ensure": ensure, "path": path, "micropython": micropython}
    if len(arguments) != 1 or arguments[0] not in commands:
        print((__doc__ or "").split("\n\n")[1])
        return 2
    try:
        folder = commands[arguments[0]]()
    except Unavailable as problem:
        print(f"deps: {problem}", file=sys.stderr)
        return 3
    if folder is None:
        print("deps: not installed; run: make deps", file=sys.stderr)
        return 3
    print(folder)
    if arguments == ["ensure"]:
        licences()
        try:
            print(ensure_micropython())
        except Unavailable as problem:
            print(f"deps: MicroPython is left out: {problem}\n{_WITHOUT}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
