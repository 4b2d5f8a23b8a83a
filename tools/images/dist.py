"""Make the release archives: `make dist`.

    python3 -m tools.images.dist [--output dist] [--images build/images] [--key ….pem]

dist/joulelog-<version>.tar.gz and .zip hold the same files: all of the repository, COMPILED with
the date, and in mpy/<BOARD>/ what an ESP32 board needs of ours on its flash, compiled. The
packages of others that it needs too are named with their versions in INSTALL.md, not contained.
With --key the update of each board that can take one lies beside its image.
With --images an image of each board lies in images/ and beside the archives, with the licences of
what they contain (LICENCES.md, and their texts in LICENCES.txt); releases.py tells what each of
them has to be. web/ is the installer page with these images (tools/images/installer.py), and
joulelog-<version>-web.zip the same in one file: for any web space.
SHA256SUMS lies inside for the files, and beside the archives for these.

The same commit gives the same bytes (tools/images/stage.py tells where the date comes from). Exit
status 1: an image is missing or wrong, each is named, and nothing is written. 3: cannot be made
here, and why.
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
from collections.abc import Iterable
from pathlib import Path

from tools import ROOT, boards
from tools.host import deps
from tools.host.cache import Unavailable
from tools.images import espimage, installer, licences, releases, stage, updates
from tools.rig import romfs

_EXECUTABLE = 0o755
_PLAIN = 0o644


class WrongImages(Exception):
    """Images are missing or wrong: what, one text each."""


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


def preview_lines() -> list[str]:
    """Why this release is a preview."""
    return [f"This is a preview: {releases.PREVIEW}", ""] if releases.PREVIEW else []


def image_lines(images: Iterable[str]) -> list[str]:
    """How to write an image."""
    if not images:
        return ["No image is contained: `make firmware` builds one (docs/install.md).", ""]
    lines = [
        "## An image, with the application in it",
        "",
        "Any computer with Python: `pip install esptool mpremote`. Take the line of your board,",
        "with the name of its port. It erases the board.",
        "",
    ]
    for board in releases.image_boards():
        told = boards.facts(boards.FOLDERS / board)
        size = (
            f" --flash-size {told['flash']['kb'] // 1024}MB" if told["chip"] == "esp8266" else ""
        )
        lines.append(
            f"    esptool --chip {told['chip']} --port PORT write-flash --erase-all{size}"
            f" {told['micropython']['offset']} images/{releases.image_name(board)}"
        )
    return [
        *lines,
        "",
        "If it cannot connect: `download_mode` in boards/<your board>/board.json. Then edit",
        "firmware/config.py here, and",
        "",
        "    mpremote connect PORT cp firmware/config.py :config.py",
        "",
        "and press reset. What the images contain, and under which terms, is in",
        "images/LICENCES.md and images/LICENCES.txt.",
        "",
    ]


def install_text(images: Iterable[str]) -> str:
    """How to get the archive onto a board."""
    lines = [
        f"# JouleLog {stage.version()}, made {stage.date()}",
        "",
        *preview_lines(),
        *image_lines(images),
        "## The application as files",
        "",
        "With Python 3.11 and `make`: `make micropython`, then `make flash` (docs/install.md). It",
        "needs a board with PSRAM, or a small config.",
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
    lines += ["", "   `mpremote fs sha256sum :lib/…` has to say of them:", ""]
    for pin in deps.projects().values():
        for package in pin["packages"]:
            for name, file in sorted(package["files"].items()):
                lines.append(f"       {file['sha256']}  lib/{name}")
    lines += [
        "",
        "3. Edit `config.py` on the board, and press reset.",
        "",
        "An ESP8266 has no room for files of code: an image, or `make romfs`.",
        "`sha256sum -c SHA256SUMS` checks what has been unpacked.",
        "",
    ]
    return "\n".join(lines)


def contents(images: dict[str, bytes]) -> dict[str, tuple[bytes, int]]:
    """All files of the archive, with these images: path -> (content, mode)."""
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
    for name, data in images.items():
        found[f"images/{name}"] = (data, _PLAIN)
    found["INSTALL.md"] = (install_text(images).encode(), _PLAIN)
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


def web_page(output: Path, images: dict[str, bytes]) -> dict[str, tuple[bytes, int]]:
    """Make the installer page there; its files. Without images it may be left out."""
    by_board = {
        board: images[name]
        for board in releases.image_boards()
        if (name := releases.image_name(board)) in images
    }
    texts = licences.read(images.get("LICENCES.txt", b"").decode())
    try:
        installer.write(output, by_board, texts)
    except Unavailable as problem:
        if images:
            raise
        print(f"left out: the installer page: {problem}")
        return {}
    found = sorted(path for path in output.rglob("*") if path.is_file())
    return {path.relative_to(output).as_posix(): (path.read_bytes(), _PLAIN) for path in found}


def make(output: Path, images: dict[str, bytes]) -> None:
    """Write the archives, the images and the page beside them, and their checksums."""
    top = releases.name()
    when = stage.seconds()
    files = contents(images)
    output.mkdir(parents=True, exist_ok=True)
    made = {
        f"{top}.tar.gz": tar_bytes(top, files, when),
        f"{top}.zip": zip_bytes(top, files, when),
        **images,
    }
    page = web_page(output / "web", images)
    if page:
        made[f"{top}-web.zip"] = zip_bytes(f"{top}-web", page, when)
    sums = ""
    for name, data in made.items():
        (output / name).write_bytes(data)
        sums += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
    (output / "SHA256SUMS").write_text(sums)
    print(f"{len(files)} files, made {stage.date()}")
    print(sums, end="")
    if releases.PREVIEW:
        print(f"this is a preview: {releases.PREVIEW}")


def update_files(images: dict[str, bytes], key) -> dict[str, bytes]:
    """The updates of the boards that take one; WrongImages where an image has another key."""
    found, problems = {}, []
    for board in releases.image_boards():
        if boards.facts(boards.FOLDERS / board)["chip"] == "esp8266":
            continue
        name = releases.image_name(board)
        try:
            found[releases.update_name(board)] = updates.made(images[name], board, key)
        except espimage.ImageError as problem:
            problems.append(f"{name} {problem}")
    if problems:
        raise WrongImages(problems)
    return found


def checked_images(folder: Path, key=None) -> dict[str, bytes]:
    """The images of a folder, and what goes with them; WrongImages where one is not right."""
    if not folder.is_dir():
        raise Unavailable(f"IMAGES={folder} is no folder; make firmware fills build/images")
    found, problems = releases.images(folder)
    texts, more = releases.licence_texts(folder)
    if problems or more:
        raise WrongImages(problems + more)
    if key:
        found |= update_files(found, key)
    elif found:
        print("no updates are made: KEY=… is not given (make key)")
    found["LICENCES.md"] = licences.overview().encode()
    found["LICENCES.txt"] = licences.written(texts).encode()
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--images", type=Path, help="a folder with an image of each board")
    parser.add_argument("--key", type=Path, help="the private key that signs the updates")
    given = parser.parse_args(arguments)
    try:
        key = updates.read_key(given.key) if given.key else None
        make(given.output, checked_images(given.images, key) if given.images else {})
    except WrongImages as problem:
        for text in problem.args[0]:
            print(f"dist: {text}", file=sys.stderr)
        return 1
    except (Unavailable, updates.KeyProblem, romfs.BuildError, ValueError) as problem:
        print(f"dist: {problem}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
