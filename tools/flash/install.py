"""Install JouleLog on a board as files, or as a ROMFS image; keep what is the user's.

On the board:  /lib/**  application, packages, board.mpy      /main.py  what runs after boot.py
               /lib/joulelog.files  what was installed here   /config.example.py
               /config.py  the user's, written only where there is none

Everything that can be refused is refused before anything is written. How files get there is told
in files.py.
"""

import re
import subprocess
import sys
from pathlib import Path

from tools import ROOT
from tools.flash import FlashError, command, files, settings, tree
from tools.flash.link import REPORT_END, Facts, Link, ended, last_words
from tools.flash.target import OLDEST, Target, names

_REPORT_S = 25  # 5 seconds of REPL, loading, the report
_DEFAULT = ROOT / "firmware/config.py"
_NOT_CONFIGURED = "is not configured yet"
_POINT = re.compile(r"join the Wi-Fi (\S+) [(](?:.*then )?password (\S+)[)]")

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
    """Bring the board up to date as files."""
    text = _checked_config(target, config)
    wanted = _files(target)
    facts = _attached(link, target)
    if facts.chip == "esp8266":
        raise FlashError(_too_small(target))
    print(f"{link.port}: {facts.machine}, MicroPython {facts.release}")
    _refuse_shadowed(link, "/lib")
    listing = link.listing()
    _refuse_in_root(link.port, listing, target)
    _refuse_config(link, target, text, "files")
    files.Plan(link, listing, wanted | _first_config(listing, text)).carry_out()


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
    _refuse_in_root(link.port, listing, target)
    _refuse_config(link, target, text, "romfs")
    plan = files.Plan(link, listing, _scripts() | _first_config(listing, text))
    link.close()
    try:
        _deploy(link.port, image)
    finally:
        link.reconnect()
    link.attach()
    files.verify(link, wanted)
    print(f"ROMFS: {image.stat().st_size} bytes, {len(wanted)} files arrived as they were sent")
    plan.carry_out()


def start(link: Link) -> None:
    """Restart the board, and show its start report; FlashError where there is none."""
    print(f"restarting; {link.port} says:\n", flush=True)
    link.restart()
    said = link.watch(_REPORT_S)
    print()
    change = command("config", port=link.port)
    if REPORT_END in said:
        return
    if _NOT_CONFIGURED in said:
        print(f"Next: say where your meter is and where the readings go: {change}")
        _show_point(said)
        return
    if "The config cannot work yet" in said:
        raise FlashError(f"all is on the board, but its config cannot work yet (above): {change}")
    if ended(said):
        raise FlashError(
            f"all is on the board, but it does not start: {last_words(said) or 'it says nothing'}."
            f" Look with: mpremote connect {link.port}"
        )
    raise FlashError(
        f"all is on the board, but no start report came within {_REPORT_S} s; look with: mpremote"
        f" connect {link.port}"
    )


def _show_point(said: str) -> None:
    """Print how a phone joins the access point of a board that is in set-up mode."""
    found = _POINT.search(said)
    if not found:
        return
    import segno

    name, password = found.groups()
    print(f"or, with a phone: join the Wi-Fi {name}, password {password}, by this code:\n")
    # The format of Wi-Fi codes that phones read; neither has a character that it escapes.
    code = segno.make(f"WIFI:T:WPA;S:{name};P:{password};;")
    code.terminal(sys.stdout, compact=True)


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
    half = "The image on the board may be half written, and not run: running this again writes it"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", port]
            + ["resume", "romfs", "deploy", str(image)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as problem:
        why = "stopped" if isinstance(problem, KeyboardInterrupt) else "the board does not answer"
        raise FlashError(f"{why}. {half}") from None
    if done.returncode or "deployed" not in done.stdout:
        said = done.stdout.replace("\r", "\n")
        reason = "mpremote romfs deploy: " + "".join(said.strip().splitlines()[-1:])
        raise FlashError(f"{reason}. {half}" if "Writing" in said else reason)


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
    romfs = command("romfs", port="…", board=target.name)
    return (
        "an ESP8266 has too little memory to run JouleLog from files. Either build the firmware"
        f" with it: make deps, make firmware BOARD={target.name}, or write"
        f" MicroPython's variant FLASH_2M_ROMFS, and then: {romfs}"
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


def _refuse_in_root(port: str, listing: dict[str, int], target: Target) -> None:
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
            f" /lib. Remove: mpremote connect {port} rm -r "
            + " ".join(":" + path for path in wrong)
        )


def _files(target: Target) -> dict[str, bytes]:
    return {f"/lib/{path}": data for path, data in tree.packages(target).items()} | _scripts()


def _scripts() -> dict[str, bytes]:
    """What lies in the root in every kind of install."""
    return {
        files.EXAMPLE: _DEFAULT.read_bytes(),
        files.MAIN: (ROOT / "firmware/main.py").read_bytes(),
    }


def _checked_config(target: Target, config: Path | None) -> bytes | None:
    """The config to write; one that was named has to pass the check."""
    if config is None:
        return None
    try:
        text = config.read_bytes()
    except OSError as problem:
        raise FlashError(f"{config}: {problem.strerror}") from None
    problems = settings.problems(text, target)
    if problems:
        raise FlashError(f"{config} does not work on {target.name}:\n  {problems}")
    return text


def _refuse_config(link: Link, target: Target, text: bytes | None, way: str) -> None:
    """What the board would say at its start: a mistake in its config, or too small a heap."""
    own = link.read(files.CONFIG) if text is None else None
    there = text or own or _DEFAULT.read_bytes()
    problems = settings.problems(there, target) if text is None else ""
    if problems and not settings.waits_for_person(there):
        raise FlashError(
            f"nothing was written: config.py on the board does not work with this version:\n "
            f" {problems}\n  Give it one that does, with this: "
            + command("install", port=link.port, board=target.name, config="my.py")
        )
    if problems:
        print(f"config.py on the board does not work yet:\n  {problems}")
    problem = settings.too_large(there, target, way, *link.heap())
    if problem:
        whose = "" if text or own else " (the one that JouleLog begins with)"
        raise FlashError(
            f"nothing was written: config.py{whose} on this {target.name}:\n  {problem}"
        )


def _first_config(listing: dict[str, int], text: bytes | None) -> dict[str, bytes]:
    if text is None and files.CONFIG in listing:
        return {}
    return {files.CONFIG: text or _DEFAULT.read_bytes()}
