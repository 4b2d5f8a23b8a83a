"""A copy of the sources that a build may change: COMPILED gets the build's date.

    folder = stage.copy(Path("build/firmware/X/source"), ["boards/X", "boards/common"])
    stage.copy(folder, ["boards/X"], {Path("boards/X/board.py"): b"..."})    # that one instead
    stage.date()                # "2026-11-20T10:00:00Z"

The date is that of the last commit, so that the same sources give the same bytes; an unpacked
release has its own; a tree with changes, or one without git, has today's; SOURCE_DATE_EPOCH
(seconds since 1970) goes before all.
"""

import calendar
import filecmp
import functools
import os
import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools import ROOT

_ALWAYS = ("firmware", "lib")
_INIT = Path("firmware/joulelog/__init__.py")
_LEFT_OUT = ("__pycache__",)
# An unpacked release has its date there.
_COMPILED = re.compile(r'^COMPILED = "(source|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)".*$', re.M)


def version() -> str:
    """The version that the firmware tells."""
    text = (ROOT / _INIT).read_text()
    found = re.search(r'^VERSION = "([^"]+)"', text, re.M)
    if not found:
        raise ValueError(f"{_INIT} has no VERSION")
    return found[1]


@functools.cache  # one date for all files of a build
def seconds() -> int:
    """The build's date in seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        if not given.isdigit():
            raise ValueError(f"SOURCE_DATE_EPOCH is {given!r}; allowed are seconds since 1970")
        return int(given)
    if _git("status", "--porcelain", "--", *_ALWAYS, "boards") == "":
        told = _git("log", "-1", "--format=%ct")
        if told:
            return int(told)
    found = _COMPILED.search((ROOT / _INIT).read_text())
    if found and found[1] != "source":
        return calendar.timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%SZ"))
    return int(time.time())


def date() -> str:
    """The build's date as ISO 8601, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds()))


def _git(*arguments: str) -> str | None:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def files(folders: Iterable[str]) -> list[Path]:
    """All files of these folders of the repository, by their path in it, in order."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and not set(path.parts) & set(_LEFT_OUT):
                found.append(path.relative_to(ROOT))
    return found


def content(path: Path) -> bytes:
    """A file of the repository as a build has it."""
    data = (ROOT / path).read_bytes()
    if path == _INIT:
        line = f'COMPILED = "{date()}"  # when this was built (UTC)'
        text, count = _COMPILED.subn(line, data.decode())
        if count != 1:
            raise ValueError(f'{path} has no line COMPILED = "source" for the date')
        return text.encode()
    return data


def copy(
    target: Path, more: Iterable[str] = (), changed: Mapping[Path, bytes] | None = None
) -> Path:
    """Bring target up to date with firmware, lib and more; a file that is as it was stays."""
    changed = changed or {}
    wanted = files([*_ALWAYS, *more])
    for path in wanted:
        place = target / path
        fresh = place.with_name(place.name + ".new")
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(changed[path] if path in changed else content(path))
        if place.exists() and filecmp.cmp(fresh, place, shallow=False):
            fresh.unlink()
        else:
            fresh.rename(place)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(target) not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return target
