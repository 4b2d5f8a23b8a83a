"""Install JouleLog on a board as files, or as a ROMFS image; keep what is the user's.

On the board:  /lib/**  application, packages, board.mpy      /main.py  what runs after boot.py
               /lib/joulelog.files  what was installed here   /config.example.py
               /config.py  the user's, written only where there is none

Only what joulelog.files lists is ever removed, and a source or bytecode file that would be
imported instead of one of ours.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from . import FlashError, settings, tree
from .link import Facts, Link
from .target import OLDEST, ROOT, Target, names

_MANIFEST = "/lib/joulelog.files"
_CONFIG = "/config.py"
_EXAMPLE = "/config.example.py"
_MAIN = "/main.py"
_REPORT_S = 25  # 5 seconds of REPL, loading, the report
_SPARE_BLOCKS = 8  # for the log's first lines and the folders' own blocks

# Prints what is imported instead of /lib/joulelog (or /rom/joulelog), without starting it.
_BEFORE = """
import sys
a = sys.path[:]
r = []
for p in a:
 if p in (%r, ''):
  if p:
   break
  continue
 sys.path[:] = [p]
 sys.modules.pop('joulelog', None)
 try:
  import joulelog
  r.append(p)
 except Exception:
  pass
sys.modules.pop('joulelog', None)
sys.path[:] = a
print(repr(r))
"""


def install(link: Link, target: Target, config: Path | None) -> None:
    """Bring the board up to date as files, and restart it. FlashError: nothing is half done."""
    text = _checked_config(target, config)
    files = _files(target)
    facts = _attached(link, target)
    if facts.chip == "esp8266":
        raise FlashError(_too_small(target))
    print(f"{link.port}: {facts.machine}, MicroPython {facts.release}")
    _refuse_shadowed(link, "/lib")
    listing = link.listing()
    _refuse_in_root(listing, target)
    _refuse_what_cannot_fit(link, target, text, "files")
    files |= _first_config(listing, text)
    _install_files(link, listing, files)
    _tell_config(link, target)


def install_romfs(link: Link, target: Target, config: Path | None) -> None:
    """Write application and packages as a ROMFS image, main.py and config.py as files."""
    text = _checked_config(target, config)
    image = build_romfs(target)
    wanted = {f"/rom/{path}": data for path, data in tree.read(target).items()}
    facts = _attached(link, target)
    print(f"{link.port}: {facts.machine}, MicroPython {facts.release}")
    _refuse_shadowed(link, "/rom")
    _refuse_without_rom(link, target)
    listing = link.listing()
    _refuse_in_root(listing, target)
    _refuse_what_cannot_fit(link, target, text, "romfs")
    link.close()
    _deploy(link.port, image)
    link.reconnect()
    link.attach()
    _verify(link, wanted)
    print(f"ROMFS: {image.stat().st_size} bytes, {len(wanted)} files arrived as they were sent")
    _install_files(link, listing, _scripts() | _first_config(listing, text))
    _tell_config(link, target)


def start(link: Link) -> None:
    """Restart the board, and show its start report."""
    print(f"restarting; {link.port} says:\n", flush=True)
    link.restart()
    said = link.watch(_REPORT_S)
    print()
    if "readings in RAM" in said:
        return
    if "The config cannot work yet" in said:
        print("Next: say where your meter is and where the readings go: make config PORT=…")
    else:
        print("No start report within %d s. Look with: mpremote connect PORT" % _REPORT_S)


def build_romfs(target: Target) -> Path:
    """Pack the compiled tree; the image's path."""
    folder = tree.folder_of(target)
    image = folder.with_suffix(".romfs")
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "romfs", "-o", str(image), "build", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FlashError("mpremote romfs build: " + (done.stderr or done.stdout).strip()[-300:])
    return image


def _deploy(port: str, image: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", port]
        + ["resume", "romfs", "deploy", str(image)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode or "deployed" not in done.stdout:
        reason = done.stdout.replace("\r", "\n").strip().splitlines()[-1:]
        raise FlashError("mpremote romfs deploy: " + "".join(reason))


def _attached(link: Link, target: Target) -> Facts:
    link.attach()
    facts = link.facts()
    if facts.chip != target.chip:
        fitting = ", ".join(names(facts.chip)) or "none yet: boards/README.md says how to add it"
        raise FlashError(
            f"{link.port} is an {facts.chip} ({facts.machine}), but BOARD={target.name} is for an"
            f" {target.chip}. Boards with that chip: {fitting}"
        )
    if facts.version[:2] < OLDEST:
        raise FlashError(
            f"{link.port} runs MicroPython {facts.release}; JouleLog needs %d.%d or newer. "
            % OLDEST
            + target.image_advice()
        )
    if facts.bytecode != tree.BYTECODE:
        raise FlashError(
            f"{link.port} reads bytecode version {facts.bytecode}, this JouleLog has version"
            f" {tree.BYTECODE}: write an official MicroPython. " + target.image_advice()
        )
    return facts


def _too_small(target: Target) -> str:
    return (
        "an ESP8266 has too little memory to run JouleLog from files. Either build the firmware"
        f" with it: make deps, make firmware BOARD={target.name}, or write"
        " MicroPython's variant FLASH_2M_ROMFS, and then: make romfs PORT=… BOARD=" + target.name
    )


def _refuse_shadowed(link: Link, place: str) -> None:
    before = link.run(_BEFORE % place).strip()
    if ".frozen" in before:
        raise FlashError(
            "JouleLog is frozen into this firmware, and frozen code is imported first: files would"
            " have no effect. Write a firmware of the new version (make firmware), or write an"
            " official MicroPython first (make micropython)."
        )
    if before != "[]":
        raise FlashError(
            f"JouleLog is also in {before}, which is imported first: a new one in {place} would"
            " have no effect. "
            + ("Use make romfs to renew it." if "/rom" in before else "Remove that one.")
        )


def _refuse_without_rom(link: Link, target: Target) -> None:
    code = "import vfs\nprint(int(vfs.rom_ioctl(1)) if hasattr(vfs, 'rom_ioctl') else 0)"
    if int(link.run(code)) < 1:
        way = (
            f"write the image {target.image.split('-')[0]}-FLASH_2M_ROMFS-….bin (make micropython)"
            if target.chip == "esp8266"
            else "official ESP32 images have none: use make flash, or make firmware"
        )
        raise FlashError("this MicroPython has no ROMFS partition; " + way)


def _refuse_in_root(listing: dict[str, int], target: Target) -> None:
    """The root comes before /lib on the import path."""
    tops = {path.split("/")[0].removesuffix(".mpy") for path in tree.read(target)}
    wrong = [
        path
        for top in sorted(tops)
        for path in (f"/{top}", f"/{top}.py", f"/{top}.mpy")
        if path in listing
    ]
    for path in ("/main.mpy", "/config.mpy", "/config"):
        wrong += [path] if path in listing else []
    if wrong:
        raise FlashError(
            f"on the board {', '.join(wrong)} would be imported instead of what is installed in"
            " /lib. Remove: mpremote connect PORT rm -r " + " ".join(":" + path for path in wrong)
        )


def _files(target: Target) -> dict[str, bytes]:
    return {f"/lib/{path}": data for path, data in tree.packages(target).items()} | _scripts()


def _scripts() -> dict[str, bytes]:
    """What lies in the root in every kind of install."""
    return {
        _EXAMPLE: (ROOT / "firmware/config.py").read_bytes(),
        _MAIN: (ROOT / "firmware/main.py").read_bytes(),
    }


def _checked_config(target: Target, config: Path | None) -> bytes | None:
    """The config to write; one that was named has to pass the check."""
    if config is None:
        return None
    try:
        text = config.read_bytes()
    except OSError as problem:
        raise FlashError(f"CONFIG={config}: {problem.strerror}") from None
    problems = settings.problems(text.decode(), target)
    if problems:
        raise FlashError(f"CONFIG={config} does not work on {target.name}:\n  " + problems)
    return text


def _refuse_what_cannot_fit(link: Link, target: Target, text: bytes | None, way: str) -> None:
    """Compare the config with the heap of this board, as the firmware does at its start."""
    text = text or link.read(_CONFIG)
    if text is None:  # the first config delivers nowhere yet
        return
    problem = settings.too_large(text.decode("utf-8", "replace"), target, way, *link.heap())
    if problem:
        raise FlashError(f"config.py on this {target.name}, nothing was written:\n  {problem}")


def _first_config(listing: dict[str, int], text: bytes | None) -> dict[str, bytes]:
    if text is None and _CONFIG in listing:
        return {}
    return {_CONFIG: text or (ROOT / "firmware/config.py").read_bytes()}


def _tell_config(link: Link, target: Target) -> None:
    text = link.read(_CONFIG) or b""
    problems = settings.problems(text.decode("utf-8", "replace"), target)
    if problems:
        print(f"config.py on the board does not work yet:\n  {problems}")


def _install_files(link: Link, listing: dict[str, int], files: dict[str, bytes]) -> None:
    ours = _installed(link, listing)
    same_size = [path for path, data in files.items() if listing.get(path) == len(data)]
    there = link.hashes(same_size)
    todo = {path: data for path, data in files.items() if there.get(path) != _hash(data)}
    gone = [path for path in ours if path not in files and path in listing]
    gone += [path for path in _instead_of(files) if path in listing and path not in gone]
    _refuse_without_space(link, listing, todo, gone)

    listed = sorted(path for path in files if path != _CONFIG)
    manifest = "".join(path + "\n" for path in listed).encode()
    fresh = todo or gone or link.read(_MANIFEST) != manifest
    if fresh:
        _make_folders(link, listing, [*files, _MANIFEST])
        # Should this end half way, the next run still knows all that is ours.
        both = sorted({*listed, *(path for path in ours if path in listing)})
        link.write(_MANIFEST, "".join(path + "\n" for path in both).encode())
        _keep_others(link, listing, ours, todo)
        _remove(link, gone)
        _copy(link, todo)
        _verify(link, files)
        link.replace(_MANIFEST, manifest)
    print(
        "%d of %d files copied (%d bytes), %d up to date, %d removed; all arrived as sent"
        % (len(todo), len(files), sum(map(len, todo.values())), len(files) - len(todo), len(gone))
    )


def _installed(link: Link, listing: dict[str, int]) -> list[str]:
    """What an earlier run put here; a damaged list cannot name what is not ours."""
    text = (link.read(_MANIFEST) or b"").decode("utf-8", "replace") if _MANIFEST in listing else ""
    return [
        path
        for path in text.split("\n")
        if path in (_MAIN, _EXAMPLE) or (path.startswith("/lib/") and "/.." not in path)
    ]


def _instead_of(files: dict[str, bytes]) -> list[str]:
    """Paths that would be imported instead of files of ours: x.py, or a folder x, for x.mpy."""
    found = []
    for path in files:
        if path.endswith(".mpy"):
            found.append(path[:-4] + ".py")
            if path.endswith("/__init__.mpy"):
                continue
            found.append(path[:-4] + "/__init__.py")
            found.append(path[:-4] + "/__init__.mpy")
    return [path for path in found if path not in files]


def _refuse_without_space(
    link: Link, listing: dict[str, int], todo: dict[str, bytes], gone: list[str]
) -> None:
    free, block = link.free()

    def blocks(size: int) -> int:
        return -(-size // block)

    need = sum(blocks(len(data)) for data in todo.values()) + _SPARE_BLOCKS
    need += 2 * len({path.rsplit("/", 1)[0] for path in todo if path not in listing})
    # A file is written whole before its old blocks are free.
    need += max((blocks(len(data)) for path, data in todo.items() if path in listing), default=0)
    freed = sum(blocks(max(listing[path], 0)) for path in [*gone, *todo] if path in listing)
    if todo and need * block > free + freed * block:
        largest = sorted((path for path in listing if listing[path] > block), key=listing.get)[-3:]
        raise FlashError(
            f"the board has {(free + freed * block) // 1024} KiB for this, and it takes"
            f" {need * block // 1024} KiB. Largest files there: {', '.join(largest) or 'none'}."
            " Remove some (mpremote connect PORT rm :/name), or freeze it: make firmware"
        )


def _make_folders(link: Link, listing: dict[str, int], paths: list[str]) -> None:
    folders = {path[:at] for path in paths for at in range(1, len(path)) if path[at] == "/"}
    for folder in sorted(folders):
        if folder not in listing:
            link.make_folder(folder)


def _keep_others(
    link: Link, listing: dict[str, int], ours: list[str], todo: dict[str, bytes]
) -> None:
    """A main.py that is not ours, and a config.py that is replaced, get another name."""
    for path in (_MAIN, _CONFIG):
        if path in todo and path in listing and path not in ours:
            number = ""
            while f"{path[:-3]}.old{number}.py" in listing:
                number = str(int(number or 1) + 1)
            link.rename(path, f"{path[:-3]}.old{number}.py")
            print(f"your {path[1:]} is now {path[1:-3]}.old{number}.py")


def _remove(link: Link, gone: list[str]) -> None:
    for path in gone:
        link.remove(path)
    folders = {path[:at] for path in gone for at in range(5, len(path)) if path[at] == "/"}
    for folder in sorted(folders, reverse=True):  # what is inside of a folder before the folder
        if not link.value(f"len(__import__('os').listdir({folder!r}))"):
            link.remove(folder)


def _copy(link: Link, todo: dict[str, bytes]) -> None:
    # main.py last: a board that starts half way has the old application, or waits at the prompt.
    order = sorted(todo, key=lambda path: (path == _MAIN, path))
    for number, path in enumerate(order, 1):
        if sys.stdout.isatty():
            print(f"\r{number}/{len(order)} {path}\x1b[K", end="", flush=True)
        link.write(path, todo[path])
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")


def _verify(link: Link, files: dict[str, bytes]) -> None:
    arrived = link.hashes(list(files))
    wrong = [path for path, data in files.items() if arrived.get(path) != _hash(data)]
    if wrong:
        raise FlashError(
            f"{', '.join(wrong)} did not arrive as sent; run it again, with another cable or port"
        )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
