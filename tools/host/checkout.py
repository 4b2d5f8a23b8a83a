"""The pinned MicroPython checkout, from which images and the frozen tier are built; for deps.py.

    folder = checkout.ensure(pin, Path("~/src"))     # None: from GitHub; Unavailable says why not
    folder = checkout.path(pin)                      # None: not there yet

pin is the entry "micropython" of deps.json: a commit, and those submodules that our builds need.
One folder of the cache per pin, made under another name and renamed when it is complete. It is
fetched with git, without history, from GitHub or from a checkout called micropython. A checkout
that has not the pinned commit is copied as it is, and said so. Nothing is built inside of it, as
tools/romcode makes a copy.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.host.cache import Unavailable, cache, locked

_GITHUB = "https://github.com"
_TIMEOUT_S = 900
# Nobody is there to answer a question, and a server that says nothing is given up.
_GIT = ("git", "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30")
_NOTE = "DIFFERS.txt"


def path(pin: dict) -> Path | None:
    """The checkout, or None when it is not there."""
    folder = _folder(pin)
    if not folder.is_dir():
        return None
    note = folder / _NOTE
    if note.exists():
        print(f"deps: {note.read_text().strip()} (folder {folder})", file=sys.stderr)
    return folder


def ensure(pin: dict, checkouts: Path | None) -> Path:
    """Fetch it unless it is there. Raises Unavailable."""
    with _locked():
        installed = path(pin)
        if installed and not (checkouts and (installed / _NOTE).exists()):
            return installed
        for left in _home().glob("new-*"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix="new-", dir=_home()))
        try:
            _fill(work, pin, checkouts)
            shutil.rmtree(_folder(pin), ignore_errors=True)
            work.rename(_folder(pin))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return _folder(pin)


def _home() -> Path:
    return cache() / "micropython"


def _folder(pin: dict) -> Path:
    text = json.dumps(pin, sort_keys=True)
    return _home() / hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def _locked() -> Iterator[None]:
    """One at a time: several test runs may want the same."""
    _home().mkdir(parents=True, exist_ok=True)
    with locked(_home() / "lock"):
        yield


def _fill(work: Path, pin: dict, checkouts: Path | None) -> None:
    if not shutil.which("git"):
        raise Unavailable("git is missing (apt install git)")
    parts = {".": pin, **pin["submodules"]}
    if checkouts is None:
        for place, part in parts.items():
            _fetch(f"{_GITHUB}/{part['repository']}", part, work / place)
        return
    different = []
    for place, part in parts.items():
        source = _source(checkouts, place, part)
        try:
            _fetch(source.as_uri(), part, work / place)
        except Unavailable:
            _copy(source, work / place)
            if _head(source) != part["commit"]:
                different.append(f"{source} (pinned: {part['commit'][:12]})")
    if different:
        text = "not the pinned versions, builds may fail because of it: " + ", ".join(different)
        (work / _NOTE).write_text(text + "\n")


def _source(checkouts: Path, place: str, part: dict) -> Path:
    """Where a part is: in the checkout, or beside it under a submodule's own name."""
    name = part["repository"].split("/")[-1]
    inside = (checkouts / "micropython" / place).resolve()
    beside = (checkouts / name).resolve()
    for folder in (inside, beside):
        if folder.is_dir() and any(folder.iterdir()):
            return folder
    if place == ".":
        raise Unavailable(f"DEPS_FROM: {inside} is missing")
    command = f"git -C {checkouts / 'micropython'} submodule update --init {place}"
    raise Unavailable(f"DEPS_FROM: {inside} is empty; run: {command}")


def _fetch(url: str, part: dict, folder: Path) -> None:
    """Check a part's commit out into a folder, without its history."""
    commit = part["commit"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for words in (
        ("init", "-q"),
        ("fetch", "-q", "--depth", "1", url, commit),
        ("checkout", "-q", "--detach", commit),
    ):
        _git(folder, *words)
    if "version" in part:  # for the banner of images: the history that tells it is not there
        _git(folder, "tag", "v" + part["version"])


def _git(folder: Path, *words: str) -> None:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            [*_GIT, "-C", str(folder), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"git {' '.join(words)}: took more than {_TIMEOUT_S} s") from None
    if done.returncode:
        words_of_git = " ".join(done.stderr.split())[-300:]
        raise Unavailable(f"git {' '.join(words)}: {words_of_git}")


def _copy(source: Path, target: Path) -> None:
    """The files themselves, without what was built from them."""
    shutil.rmtree(target, ignore_errors=True)  # what a fetch that failed has left
    unwanted = shutil.ignore_patterns(".git", "build", "build-*", "__pycache__")
    shutil.copytree(source, target, symlinks=True, ignore=unwanted)


def _head(source: Path) -> str:
    done = subprocess.run(
        ["git", "-C", str(source), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
