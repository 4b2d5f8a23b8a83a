"""A board's config.py on the computer: check it, show where each value comes from, edit it.

What the board's own page has set lies over it, in settings.a and settings.b: it is shown, and
where something is written that has no effect because of it, that is said, and dropping it offered.

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
from typing import TYPE_CHECKING, Any

from tools import user_config
from tools.flash import FlashError, command
from tools.flash.target import Target, load

if TYPE_CHECKING:
    from tools.flash.link import Link

_PATH = "/config.py"
# The board's name, its features where an image was built with others, and where its code lies.
_TELLS = """
import os
n = f = p = None
try:
 import board
 n = board.NAME
 f = getattr(board, 'FEATURES', None)
 import joulelog
 p = getattr(joulelog, '__file__', '')
 if not p:
  try:
   os.stat('/rom/joulelog')
   p = '/rom/'
  except OSError:
   pass
except ImportError:
 pass
print(repr((n, f, p)))
"""
Room = tuple[str, int, list[tuple[int, ...]]]  # how it is installed, what Link.heap() says


def _modules() -> tuple[Any, Any]:
    """The firmware's own registry and schema."""
    from joulelog import registry
    from joulelog.config import schema

    return registry, schema


def _given(text: bytes | str) -> dict[str, Any]:
    """What the config sets; user_config.Broken where Python cannot run it."""
    return user_config.run(text, "config.py")


def problems(text: bytes | str, target: Target) -> str:
    """What is wrong with a config on that board, one line each; "" when it works."""
    from joulelog.errors import ConfigError

    registry, schema = _modules()
    try:
        schema.check(_given(text), target.module, registry)
    except (user_config.Broken, ConfigError) as problem:
        return str(problem).replace("\n", "\n  ")
    return ""


def waits_for_person(text: bytes | str) -> bool:
    """Whether the meter is simulated, as in a new config: no board plays one, and says so."""
    from joulelog import registry

    try:
        return bool(registry.simulated(_given(text)))
    except user_config.Broken:
        return False


def too_large(
    text: bytes | str, target: Target, way: str, free: int, regions: list[tuple[int, ...]]
) -> str:
    """What does not fit into a heap, and what would, as the firmware says it; or ""."""
    from joulelog.config import fits

    way = f"small-{way}" if target.chip == "esp8266" else way
    try:
        given = _given(text)
    except user_config.Broken:  # problems() tells of it
        return ""
    return fits.problem(given, target.module, way, free, regions).replace("\n", "\n  ")


def merged(text: bytes | str, target: Target, changes: dict[str, Any] | None = None) -> list[str]:
    """Every key of a good config, its value without secrets, and who set it.

    changes: what the board's settings have.
    """
    from joulelog.config import settings

    registry, schema = _modules()
    given = _given(text)
    changes = changes or {}
    config = schema.check(given | changes, target.module, registry)
    rows = list(settings.rows(config, target.module, given, changes))
    width = max(len(row[0]) for row in rows)
    return [f"{key:<{width}}  {origin:<8}  {value}" for key, value, origin in rows]


def _changes(link: "Link", text: bytes, target: Target) -> tuple[dict[str, Any], list[str]]:
    """What the board's settings have, and their files on the board, the one that counts last."""
    from joulelog import registry
    from joulelog.device.state import Store

    try:
        place = registry.log_folder(_given(text), target.module).rstrip("/")
    except user_config.Broken:
        place = target.module.LOG_DIRECTORY.rstrip("/")
    with tempfile.TemporaryDirectory() as folder:  # holds passwords
        there = []
        for name in ("settings.a", "settings.b"):
            data = link.read(f"{place}/{name}")
            if data is not None:
                there.append(name)
                (Path(folder) / name).write_bytes(data)
        store = Store(folder, "settings")
        store.open()
        newest = Path(store.path()).name
    there.sort(key=lambda name: name == newest)
    return dict(store.values), [f"{place}/{name}" for name in there]


def _without_effect(fresh: bytes, changes: dict[str, Any]) -> list[str]:
    """The sections of a config.py that the board's settings have as well."""
    return sorted(set(_given(fresh)) & set(changes))


def _offer_to_drop(link: "Link", names: list[str], files: list[str], drop: bool) -> None:
    """Say what has no effect, and drop the settings where somebody wants that."""
    print(
        f"no effect has what config.py says of {', '.join(names)}: the board's own settings,"
        f" which its page has written ({', '.join(files)}), come first"
    )
    question = "Drop the board's settings, all of them? [y/N] "
    if not drop and sys.stdin.isatty():
        drop = input(question).strip().lower().startswith("y")
    if not drop:
        print("they stay; DROP=1 drops them, so that config.py alone counts")
        return
    for path in files:  # the one that counts is the last: cut off, all of them or none stay
        link.remove(path)
    print("the settings are dropped: config.py alone counts")


def show(link: "Link", name: str | None) -> None:
    """Print the merged configuration of a board."""
    link.attach()
    target, text, _ = _fetch(link, name)
    changes, _ = _changes(link, text, target)
    link.restart()
    _print(text, target, changes)


def edit(link: "Link", name: str | None, replacement: Path | None, drop: bool = False) -> bool:
    """Read config.py, let the user edit it (or take a file), write it back; True if it changed.

    drop: the board's settings go without a question, where they take the effect from it.
    """
    link.attach()
    target, text, room = _fetch(link, name)
    changes, files = _changes(link, text, target)
    if replacement:
        fresh = _replacement(replacement)
        wrong = _wrong(fresh, target, room)
        if wrong:
            raise FlashError(
                f"nothing was written: {replacement} does not work on {target.name}:\n  {wrong}"
            )
    else:
        link.restart()  # measuring goes on while somebody thinks
        fresh = _edited(text, target, room)
    _print(fresh, target, changes)
    names = [] if _wrong(fresh, target, None) else _without_effect(fresh, changes)
    if fresh == text and not (names and drop):
        print("config.py is as it was")
        return False
    if not replacement:
        link.attach()
        if link.read(_PATH) != text:
            raise FlashError(
                "config.py on the board has changed meanwhile; nothing was written. What you wrote"
                f" is in {_kept(fresh)}"
            )
    if fresh != text:
        link.replace(_PATH, fresh)
        print("config.py is written")
    if names:
        _offer_to_drop(link, names, files, drop)
    return True


def _replacement(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise FlashError(f"{path}: {problem.strerror}") from None


def _fetch(link: "Link", name: str | None) -> tuple[Target, bytes, Room | None]:
    """The board that it is, its config, and the room that one has; None where nobody knows."""
    text = link.read(_PATH)
    if text is None:
        install = command("install", port=link.port, board=name or "…")
        raise FlashError(f"there is no config.py on the board; install first: {install}")
    free, regions = link.heap()
    told, features, place = ast.literal_eval(link.run(_TELLS).strip())
    target = load(name or told)
    if told:  # an image may have been built with others than the board's
        target.module.FEATURES = features  # type: ignore[attr-defined]
    if place is None:
        return target, text, None
    way = "romfs" if place[:5] == "/rom/" else "files" if place[:1] == "/" else "frozen"
    return target, text, (way, free, regions)


def _wrong(text: bytes | str, target: Target, room: Room | None) -> str:
    """What the board would say of it at its start."""
    return problems(text, target) or (too_large(text, target, *room) if room else "")


def _print(text: bytes | str, target: Target, changes: dict[str, Any]) -> None:
    from joulelog.errors import ConfigError

    wrong = problems(text, target)
    if wrong:
        print(f"config.py does not work on {target.name}:\n  {wrong}")
    if wrong and not changes:
        return
    if changes:
        print(f"the board's own settings have: {', '.join(sorted(changes))}")
    try:
        print("\n".join(merged(text, target, changes)))
    except (ConfigError, user_config.Broken) as problem:
        if not wrong:
            print(f"with the settings over it, it does not work:\n  {problem}")


def _edited(text: bytes, target: Target, room: Room | None) -> bytes:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    editor = editor or next((e for e in ("nano", "vi", "notepad") if shutil.which(e)), None)
    if not editor:
        raise FlashError("no editor: set EDITOR to the command of one, such as nano")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.py"  # holds passwords: in a folder of the user's own
        path.write_bytes(text)
        while True:
            try:
                # In quotes on Windows, where a path has backslashes and blanks.
                words = [editor] if os.path.exists(editor) else shlex.split(editor)
                status = subprocess.run([*words, str(path)], check=False).returncode
            except (OSError, ValueError) as problem:
                raise FlashError(f"the editor {editor} cannot be started: {problem}") from None
            if status:
                raise FlashError(f"{editor} ended with status {status}; nothing written")
            fresh = path.read_bytes()
            wrong = "" if fresh == text else _wrong(fresh, target, room)
            if not wrong:
                return fresh
            print(f"config.py does not work on {target.name}:\n  {wrong}")
            if not sys.stdin.isatty() or input("Edit again? [Y/n] ").lower().startswith("n"):
                raise FlashError(f"nothing was written. What you wrote is in {_kept(fresh)}")


def _kept(text: bytes) -> Path:
    """Save what somebody typed where only they can read it."""
    handle, path = tempfile.mkstemp(prefix="joulelog-config-", suffix=".py")
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    return Path(path)
