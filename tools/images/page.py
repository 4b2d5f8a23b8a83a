"""The page of set-up, built out of web/ as a module of bytes: `make page`.

    page.build()                # build/web/setup_page.py, if anything has changed; its path
    page.found()                # the same where it is there already, else None
    python3 -m tools.images.page [--check]      # --check: only types, where web/node_modules is

Node is needed here, and nowhere else: without it a board serves plain forms. esbuild and
TypeScript are npm's, in the versions that web/package-lock.json pins; nothing that npm's packages
bring is run when they are installed.

The last line is the size of what a browser fetches. Exit status 1: it does not build. 3: cannot be
built here, and why.
"""

import argparse
import gzip
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tools import PAGE, ROOT
from tools.host.cache import Unavailable, locked

WEB = ROOT / "web"
_SOURCES = WEB / "src"
_STAMP = WEB / "node_modules/.installed"  # the SHA-256 of the lock file that it is of
_BROWSERS = "es2020"  # of 2020 and later; older ones have the plain forms
_HEAD = '"""Set-up\'s page, packed: built out of web/ (make page)."""\n\n'


class Broken(Exception):
    """The sources do not build; the text is the compiler's."""


def found() -> Path | None:
    """The module, where it has been built."""
    path = PAGE / "setup_page.py"
    return path if path.is_file() else None


def build() -> Path:
    """Build the module; what it is made of decides about every byte of it."""
    PAGE.mkdir(parents=True, exist_ok=True)
    path = PAGE / "setup_page.py"
    with locked(PAGE / "lock"):
        tools()
        parts = {
            "HTML": (_SOURCES / "setup.html").read_bytes(),
            "SCRIPT": _bundled("setup.ts", "--bundle", "--format=iife"),
            "STYLE": _bundled("setup.css"),
        }
        lines = [f"{name} = {_packed(data)!r}\n" for name, data in parts.items()]
        text = _HEAD + "".join(lines)
        if not path.exists() or path.read_text() != text:
            fresh = path.with_suffix(".new")
            fresh.write_text(text)
            fresh.replace(path)
    return path


def tools() -> Path:
    """npm's packages for web/, installed where they are missing or others; their programs."""
    PAGE.mkdir(parents=True, exist_ok=True)
    with locked(PAGE / "npm-lock"):
        wanted = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
        if not _STAMP.exists() or _STAMP.read_text() != wanted:
            _install()
            _STAMP.write_text(wanted)
    return WEB / "node_modules/.bin"


def _install() -> None:
    npm = shutil.which("npm")
    if not npm:
        raise Unavailable(
            "npm is missing, which the page is built with: apt install npm (Node 18 or newer)."
            " Without it boards serve set-up as plain forms"
        )
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(words, cwd=WEB, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable("npm ci in web/ failed: " + done.stderr.strip()[-600:])


def checked() -> str:
    """What tsc says of the types; "" where nothing is wrong, or npm's packages are not there."""
    if not _STAMP.exists():
        return ""
    words = [str(WEB / "node_modules/.bin/tsc"), "--noEmit"]
    done = subprocess.run(words, cwd=WEB, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def sizes() -> dict[str, int]:
    """{name in the module: bytes} of what was built."""
    path = found()
    names: dict = {}
    exec(path.read_text() if path else "", names)
    return {name: len(data) for name, data in names.items() if isinstance(data, bytes)}


def _bundled(name: str, *options: str) -> bytes:
    program = str(tools() / "esbuild")
    words = [program, name, *options, "--minify", f"--target={_BROWSERS}", "--charset=utf8"]
    done = subprocess.run(words, cwd=_SOURCES, capture_output=True, check=False)
    if done.returncode:
        raise Broken(done.stderr.decode().strip())
    return done.stdout


def _packed(data: bytes) -> bytes:
    packed = gzip.compress(data, 9, mtime=0)
    return packed[:9] + b"\xff" + packed[10:]  # not which system it was packed on


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only the types")
    if parser.parse_args(arguments).check:
        wrong = checked()
        print(wrong, end="", file=sys.stderr)
        return bool(wrong)
    try:
        path = build()
    except Unavailable as problem:
        print(f"page: {problem}", file=sys.stderr)
        return 3
    except Broken as problem:
        print(f"page: {problem}", file=sys.stderr)
        return 1
    about = sizes()
    words = ", ".join(f"{name.lower()} {size}" for name, size in about.items())
    print(f"{path.relative_to(ROOT)}: {words}; {sum(about.values())} bytes packed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
