#!/usr/bin/env python3
"""Make the release archives: `make dist`.

    python3 tools/dist.py [--output dist]

dist/joulelog-<version>.tar.gz and .zip hold the same files: all of the repository, COMPILED with
the date, and in mpy/<BOARD>/ what an ESP32 board needs of ours on its flash, compiled. The
packages of others that it needs too are named with their versions in INSTALL.md, not contained.
SHA256SUMS lies inside for the files, and beside the archives for these.

The same commit gives the same bytes (tools/stage.py tells where the date comes from). Exit
status 3: cannot be made here, and why.
"""

import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools/host")]

import deps  # noqa: E402
import romfs  # noqa: E402
import stage  # noqa: E402
from vm import Unavailable  # noqa: E402

import boards  # noqa: E402

_EXECUTABLE = 0o755
_PLAIN = 0o644


def tracked() -> list[Path]:
    """The repository's files, in order."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable("this is no git checkout, and an archive holds what git knows")
    names = sorted(name for name in done.stdout.split("\0") if name)
    return [Path(name) for name in names if (ROOT / name).is_file()]


def compiled(board: str, work: Path) -> dict[str, bytes]:
    """What a board gets of ours: path on its flash -> content."""
    sources = {"board.py": Path("boards") / board / "board.py"}
    for path in stage.files(["firmware/joulelog"]):
        sources[path.relative_to("firmware").as_posix()] = path
    for path in stage.files(["lib"]):
        if path.name != "manifest.py":
            sources[path.relative_to("lib").as_posix()] = path
    found = {
        "main.py": stage.content(Path("firmware/main.py")),
        "config.py": stage.content(Path("firmware/config.py")),
    }
    for name, path in sorted(sources.items()):
        if path.suffix == ".py":
            source = work / "source" / name
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_bytes(stage.content(path))
            target = (work / "mpy" / name).with_suffix(".mpy")
            romfs.compile_file(source, target, name)
            found["lib/" + Path(name).with_suffix(".mpy").as_posix()] = target.read_bytes()
    return found


def install_text() -> str:
    """How to get the archive onto a board."""
    lines = [
        f"# JouleLog {stage.version()}, made {stage.date()}",
        "",
        "With a cable, Python and `make`: `make micropython`, then `make flash` (README.md).",
        "",
        "By hand, an ESP32 with MicroPython 1.24 or newer on it:",
        "",
        "1. Copy what is in `mpy/<your board>/` to the board's flash, with any file manager, or",
        "   `cd mpy/<your board>; mpremote cp -r lib main.py config.py :`",
        "2. Add the packages of others, in these versions:",
        "",
    ]
    for pin in deps.projects().values():
        for package in pin["packages"]:
            for name, file in sorted(package["files"].items()):
                place = Path("/lib") / Path(name).parent
                lines.append(
                    f"       mpremote mip install --target {place.as_posix()}"
                    f" github:{pin['repository']}/{file['source']}@{pin['commit']}"
                )
    lines += [
        "",
        "3. Edit `config.py` on the board, and press reset.",
        "",
        "An ESP8266 has no room for files of code: `make firmware` or `make romfs`.",
        "`sha256sum -c SHA256SUMS` checks what has been unpacked.",
        "",
    ]
    return "\n".join(lines)


def contents() -> dict[str, tuple[bytes, int]]:
    """All files of the archive: path -> (content, mode)."""
    found: dict[str, tuple[bytes, int]] = {}
    for path in tracked():
        executable = (ROOT / path).stat().st_mode & 0o100
        found[path.as_posix()] = (stage.content(path), _EXECUTABLE if executable else _PLAIN)
    for board in boards.names():
        chip = boards.load(boards.FOLDERS / board).CHIP
        if chip not in ("host", "esp8266"):
            with tempfile.TemporaryDirectory() as work:
                for name, data in compiled(board, Path(work)).items():
                    found[f"mpy/{board}/{name}"] = (data, _PLAIN)
    found["INSTALL.md"] = (install_text().encode(), _PLAIN)
    sums = [f"{hashlib.sha256(found[n][0]).hexdigest()}  {n}\n" for n in sorted(found)]
    found["SHA256SUMS"] = ("".join(sums).encode(), _PLAIN)
    return found


def tar_bytes(top: str, files: dict[str, tuple[bytes, int]], when: int) -> bytes:
    """A .tar.gz that depends on nothing but its arguments."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=when) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            data, mode = files[name]
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mode, entry.mtime = len(data), mode, when
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def zip_bytes(top: str, files: dict[str, tuple[bytes, int]], when: int) -> bytes:
    """The same as a .zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(files):
            data, mode = files[name]
            entry = zipfile.ZipInfo(f"{top}/{name}", time.gmtime(when)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the mode counts
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def make(output: Path) -> list[Path]:
    """Write the archives and their checksums; return the paths."""
    top = f"joulelog-{stage.version()}"
    when = stage.seconds()
    files = contents()
    output.mkdir(parents=True, exist_ok=True)
    made = {
        f"{top}.tar.gz": tar_bytes(top, files, when),
        f"{top}.zip": zip_bytes(top, files, when),
    }
    sums = ""
    for name, data in made.items():
        (output / name).write_bytes(data)
        sums += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
    (output / "SHA256SUMS").write_text(sums)
    print(f"{len(files)} files, made {stage.date()}")
    print(sums, end="")
    return [output / name for name in [*made, "SHA256SUMS"]]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    given = parser.parse_args(arguments)
    try:
        make(given.output)
    except (Unavailable, romfs.BuildError, ValueError) as problem:
        print(f"dist: {problem}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
