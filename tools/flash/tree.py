"""The files that a board needs, compiled: application, board, lib/ and the pinned packages.

    files = packages(target)         # {"joulelog/app.mpy": bytes, "board.mpy": …}, for /lib
    folder = folder_of(target)       # the same as a folder under build/

Pure bytecode of version 6: the same for every chip and every MicroPython from 1.24 on.
"""

import shutil
from pathlib import Path

from tools import ROOT
from tools.flash import FlashError
from tools.flash.target import Target
from tools.host import deps
from tools.images import features
from tools.rig import romfs, vm

BYTECODE = 6
# The same levels as on the VM: our code validates nothing with assert, mqtt_as does.
_OURS = "-O2"
_DEPS = "-O0"


def sources(target: Target) -> dict[str, tuple[Path, str]]:
    """Module file -> (source, optimisation level)."""
    found = {"board.py": (target.source, _OURS)}
    for source in (ROOT / "firmware/joulelog").rglob("*.py"):
        found[str(source.relative_to(ROOT / "firmware").as_posix())] = (source, _OURS)
    for package in (ROOT / "lib").glob("*/__init__.py"):
        for source in package.parent.rglob("*.py"):
            if source.name != "manifest.py":
                found[source.relative_to(ROOT / "lib").as_posix()] = (source, _OURS)
    for source in _packages().rglob("*.py"):
        found[source.relative_to(_packages()).as_posix()] = (source, _DEPS)
    for path in features.left_out(getattr(target.module, "FEATURES", None)):
        found.pop(path)  # what the board says that it has not
    return found


def _packages() -> Path:
    try:
        return deps.ensure()
    except vm.Unavailable as problem:
        raise FlashError(f"the MicroPython packages cannot be had: {problem}") from None


def folder_of(target: Target) -> Path:
    """Compile what has changed; the folder with all .mpy files."""
    folder = _folder(target)
    found = sources(target)
    wanted = set()
    try:
        for place, (source, level) in sorted(found.items()):
            compiled = folder / Path(place).with_suffix(".mpy")
            wanted.add(compiled)
            romfs.compile_file(source, compiled, place, level)
    except (romfs.BuildError, vm.Unavailable) as problem:
        raise FlashError(str(problem)) from None
    for old in sorted(folder.rglob("*"), reverse=True):
        if old.is_file() and old not in wanted:
            old.unlink()
        elif old.is_dir() and not any(old.iterdir()):
            shutil.rmtree(old)
    return folder


def packages(target: Target) -> dict[str, bytes]:
    """Compile what has changed; path below /lib -> contents."""
    folder_of(target)
    return read(target)


def read(target: Target) -> dict[str, bytes]:
    """What packages() or folder_of() has compiled."""
    folder = _folder(target)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.mpy"))
    }


def _folder(target: Target) -> Path:
    return ROOT / "build/flash" / target.name
