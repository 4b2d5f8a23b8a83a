"""A board's config.py on the computer: check it, show where each value comes from, edit it.

The config is Python and is executed here, as the board executes it: it is the user's own file.
"""

import ast
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import FlashError
from .link import Link
from .target import ROOT, Target, load

_SHIMS = ("tools/host/shims", "lib", "firmware")
_PATH = "/config.py"
_TELLS = """
try:
 import board
 print((board.NAME, getattr(board, 'FEATURES', None)))
except ImportError:
 print(())
"""


def _modules() -> tuple[Any, Any, Any]:
    """The firmware's own registry, schema and kinds."""
    for folder in _SHIMS:
        if str(ROOT / folder) not in sys.path:
            sys.path.insert(0, str(ROOT / folder))
    from joulelog import kinds, registry, schema

    return registry, schema, kinds


def _given(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "config.py", "exec"), names)  # noqa: S102 - the user's own file
    return names


def problems(text: str, target: Target) -> str:
    """What is wrong with a config on that board, one line each; "" when it works."""
    registry, schema, _ = _modules()
    try:
        schema.check(_given(text), target.module, registry)
    except SyntaxError as problem:
        return f"line {problem.lineno}: {problem.msg}"
    except Exception as problem:  # noqa: BLE001 - whatever the file does
        if type(problem).__name__ == "ConfigError":
            return str(problem).replace("\n", "\n  ")
        return f"{type(problem).__name__}: {problem}"
    return ""


def too_large(
    text: str, target: Target, way: str, free: int, regions: list[tuple[int, ...]]
) -> str:
    """What does not fit into a heap, and what would, as the firmware says it; or ""."""
    _modules()
    from joulelog import fits

    way = f"small-{way}" if target.chip == "esp8266" else way
    try:
        return fits.problem(_given(text), target.module, way, free, regions).replace("\n", "\n  ")
    except Exception:  # noqa: BLE001 - a config with a mistake: problems() tells of it
        return ""


def merged(text: str, target: Target) -> list[str]:
    """Every key of a good config, its value without secrets, and who set it."""
    registry, schema, kinds = _modules()
    given = _given(text)
    config = schema.check(given, target.module, registry)
    board = getattr(target.module, "DEFAULTS", {})

    rows: list[tuple[str, str, str]] = []

    def add(where: str, values: dict, named: dict, adapted: dict) -> None:
        for key, value in values.items():
            origin = "config" if key in named else "board" if key in adapted else "default"
            shown = "***" if key in config.secrets and value else kinds.shown(value, 60)
            rows.append((f"{where}{key}", shown, origin))

    add("", {"device": config.device, "board": config.board}, given, {})
    lists = ["readers", "sinks"]
    for section in ("wifi", "log", "clock", "queue", "led", "webrepl"):
        values = getattr(config, section) or {}
        if isinstance(values, list):  # several networks
            lists.insert(0, section)
            continue
        add(f"{section}.", values, given.get(section) or {}, board.get(section, {}))
    for section in lists:
        for index, entry in enumerate(getattr(config, section)):
            add(
                f"{section}[{index}].",
                entry,
                given[section][index],
                board.get(entry.get("type"), {}),
            )
    width = max(len(row[0]) for row in rows)
    return [f"{key:<{width}}  {origin:<7}  {value}" for key, value, origin in rows]


def show(link: Link, name: str | None) -> None:
    """Print the merged configuration of a board."""
    link.attach()
    target, text = _fetch(link, name)
    link.restart()
    _print(text, target)


def edit(link: Link, name: str | None, replacement: Path | None) -> bool:
    """Read config.py, let the user edit it (or take a file), write it back; True if it changed."""
    link.attach()
    target, text = _fetch(link, name)
    if replacement:
        fresh = replacement.read_text()
        wrong = problems(fresh, target)
        if wrong:
            link.restart()
            raise FlashError(f"{replacement} does not work on {target.name}:\n  {wrong}")
    else:
        link.restart()  # measuring goes on while somebody thinks
        fresh = _edited(text, target)
    _print(fresh, target)
    if fresh == text:
        print("config.py is as it was")
        return False
    if not replacement:
        link.attach()
        if (link.read(_PATH) or b"").decode() != text:
            raise FlashError(
                "config.py on the board has changed meanwhile; nothing was written. What you wrote"
                f" is in {_kept(fresh)}"
            )
    link.replace(_PATH, fresh.encode())
    print("config.py is written")
    return True


def _fetch(link: Link, name: str | None) -> tuple[Target, str]:
    text = link.read(_PATH)
    if text is None:
        raise FlashError(
            "there is no config.py on the board; install first: make flash PORT=… BOARD=…"
        )
    told = ast.literal_eval(link.run(_TELLS).strip())
    target = load(name or (told[0] if told else None))
    if told:  # an image may have been built with others than the board's
        target.module.FEATURES = told[1]  # type: ignore[attr-defined]
    return target, text.decode()


def _print(text: str, target: Target) -> None:
    wrong = problems(text, target)
    if wrong:
        print(f"config.py does not work on {target.name}:\n  {wrong}")
        return
    print("\n".join(merged(text, target)))


def _edited(text: str, target: Target) -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    editor = editor or next((e for e in ("nano", "vi", "notepad") if shutil.which(e)), None)
    if not editor:
        raise FlashError("no editor: say which one, for example EDITOR=nano make config …")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.py"  # holds passwords: in a folder of the user's own
        path.write_text(text)
        while True:
            done = subprocess.run([*shlex.split(editor), str(path)], check=False)
            if done.returncode:
                raise FlashError(f"{editor} ended with status {done.returncode}; nothing written")
            fresh = path.read_text()
            wrong = problems(fresh, target)
            if not wrong:
                return fresh
            print(f"config.py does not work on {target.name}:\n  {wrong}")
            if not sys.stdin.isatty() or input("Edit again? [Y/n] ").lower().startswith("n"):
                kept = f". What you wrote is in {_kept(fresh)}" if fresh != text else ""
                raise FlashError("nothing was written" + kept)


def _kept(text: str) -> Path:
    """Save what somebody typed where only they can read it."""
    handle, path = tempfile.mkstemp(prefix="joulelog-config-", suffix=".py")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return Path(path)
