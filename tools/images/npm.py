"""Packages of npm in the cache folder, each in the version that npm.json pins.

    folder = npm.package("esp-web-tools")       # what its tarball has in package/
    Unavailable                                 # npm is missing, or cannot fetch it

The SHA-512 of npm.json is compared here, with the tarball itself. Nothing of a package is run.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tools import ROOT
from tools.host.cache import Unavailable, cache, locked

_FETCH_S = 120


def pins() -> dict[str, dict[str, str]]:
    """{name: {"version": …, "integrity": …}}."""
    return json.loads((ROOT / "tools/images/npm.json").read_text())


def package(name: str) -> Path:
    """The folder of a package; fetched the first time."""
    pin = pins()[name]
    top = cache() / "npm"
    top.mkdir(parents=True, exist_ok=True)
    folder = top / f"{name.replace('/', '-')}-{pin['version']}"
    with locked(top / "lock"):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=top) as work:
                tarball = _fetched(f"{name}@{pin['version']}", Path(work))
                check(tarball.read_bytes(), pin["integrity"], tarball.name)
                with tarfile.open(tarball) as packed:
                    packed.extractall(work, filter="data")
                tarball.unlink()
                (inside,) = Path(work).iterdir()  # nearly always called package
                inside.rename(folder)
    return folder


def check(data: bytes, integrity: str, name: str) -> None:
    """Unavailable where a tarball is another than the one that was pinned."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != integrity:
        raise Unavailable(
            f"{name} from npm is another file than tools/images/npm.json has pinned: {found}"
        )


def _fetched(wanted: str, folder: Path) -> Path:
    program = shutil.which("npm")
    if not program:
        raise Unavailable(f"npm is missing, which fetches {wanted}: apt install npm")
    command = [program, "pack", "--silent", "--pack-destination", str(folder), wanted]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm has not fetched {wanted} within {_FETCH_S} s") from None
    found = list(folder.glob("*.tgz"))
    if done.returncode or len(found) != 1:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise Unavailable(f"npm cannot fetch {wanted}: {said or 'it does not say why'}")
    return found[0]
