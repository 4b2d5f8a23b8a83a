"""A config.py as its user wrote it: run it, or say in one line what is wrong with it, and where.

    names = user_config.read(Path("my config.py"))     # or Broken: "line 2: SyntaxError: …"
    names = user_config.run(data, "config.py")         # the same of bytes that came from a board

The config is Python and is executed here, as the board executes it: it is the user's own file.
"""

import traceback
from pathlib import Path
from typing import Any

# What people write who know JSON.
_MEANT = {"true": "True", "false": "False", "null": "None", "none": "None"}


class Broken(Exception):
    """The file cannot be run; the text is one line, with the line's number where there is one."""


def read(path: Path) -> dict[str, Any]:
    """What the file sets, by name."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise Broken(f"cannot be read: {problem.strerror}") from None
    return run(data, str(path))


def run(data: bytes | str, path: str) -> dict[str, Any]:
    """What the text of a config sets, by name; path is what its __file__ shall be."""
    try:
        text = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise Broken(f"line {line}: no UTF-8; save it as UTF-8") from None
    names: dict[str, Any] = {"__name__": "config", "__file__": path}
    try:
        exec(compile(text, path, "exec"), names)  # noqa: S102
    except SyntaxError as problem:
        where = _at(path, problem.filename, problem.lineno)
        raise Broken(f"{where}SyntaxError: {problem.msg}") from None
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever the file does
        raise Broken(_told(path, problem)) from None
    return names


def _told(path: str, problem: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(problem.__traceback__) if f.filename == path]
    where = _at(path, path, frames[-1].lineno if frames else None)
    words = " ".join(f"{type(problem).__name__}: {problem}".split())
    if isinstance(problem, NameError) and problem.name:
        meant = _MEANT.get(problem.name)
        hint = f"did you mean {meant}?" if meant else f'text stands in quotes: "{problem.name}"'
        words += f"; {hint}"
    return where + words


def _at(path: str, file: str | None, line: int | None) -> str:
    """ "line 12: ", with the file's name where it is another one than the config."""
    name = f"{Path(file).name}, " if file and file not in (path, "<string>") else ""
    return f"{name}line {line}: " if line else name
