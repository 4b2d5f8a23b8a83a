"""The picture of the terminal: what `make run` draws there, as SVG.

picture.write(Path("docs/terminal.svg"))
"""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from html import escape
from pathlib import Path

from tools import ROOT

_COLUMNS, _ROWS = 84, 24
_SECONDS = 25
_SIZE, _WIDTH, _HEIGHT, _MARGIN = 14, 8.43, 19, 16  # of a letter and the frame, in pixels
_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_UP = re.compile(r"\r?\x1b\[(\d+)A")
_LOG = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.* (INFO|WARNING|ERROR) |JouleLog on ")
_BOLD, _DIM, _YELLOW = "\x1b[1m", "\x1b[2m", "\x1b[33m"


def write(path: Path) -> None:
    """Run the firmware for half a minute, and draw its table as it stands then."""
    path.write_text(svg("$ make run", screen(_recorded(["make", "run"]))))


def _recorded(command: list[str]) -> str:
    """What a command writes to a terminal until Ctrl-C ends it."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        env={k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"},
    )
    os.close(its)
    os.set_blocking(ours, False)
    written = b""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(BlockingIOError, OSError):
            written += os.read(ours, 65536)
        time.sleep(0.1)
    os.killpg(child.pid, signal.SIGINT)
    child.wait(30)
    os.close(ours)
    return written.decode()


def screen(written: str) -> list[str]:
    """What such a terminal shows once all that was written: its last lines, with their colours.

    It knows what the table uses (sinks/table.py): up, erase, and the folding of long lines.
    """
    lines: list[str] = []
    at = 0
    # Behind the last whole table comes what Ctrl-C made.
    for line in written[: written.rfind("\x1b[J") + 3].replace("\r\n", "\n").split("\n"):
        if line.startswith("\x1b[J"):
            del lines[at:]
            line = line[3:]
        if up := _UP.match(line):
            at -= int(up[1])
            line = line[up.end() :]
            if line.startswith("\x1b[J"):
                del lines[at:]
                line = line[3:]
        if not line:
            continue
        plain = _CODE.sub("", line)
        if len(plain) <= _COLUMNS:
            pieces = [line]
        else:
            dim = _DIM if _LOG.match(plain) else ""
            pieces = [dim + plain[i : i + _COLUMNS] for i in range(0, len(plain), _COLUMNS)]
        lines[at : at + len(pieces)] = pieces
        at += len(pieces)
    if "(Ctrl-C stops)" not in lines[-1]:
        raise OSError("no table was drawn: " + written[-400:])
    return lines[1 - _ROWS :]


def svg(prompt: str, lines: list[str]) -> str:
    """Lines of a terminal, bold ones with their codes, as a picture."""
    width = round(2 * _MARGIN + _COLUMNS * _WIDTH)
    texts = []
    for row, line in enumerate([prompt, *lines]):
        text = _CODE.sub("", line).rstrip()
        if not text:
            continue
        # The prompt, what the log says, and what is left to do are no values.
        dim = row == 0 or _DIM in line or _LOG.match(text) or "Ctrl-C" in text
        style = ' class="dim"' if dim else ""
        style = ' class="warn"' if line.startswith(_YELLOW) else style
        name, _, rest = line.removeprefix(_BOLD).partition("\x1b[0m")
        shown = escape(text)
        if line.startswith(_BOLD):
            shown = f'<tspan class="title">{escape(name)}</tspan>{escape(_CODE.sub("", rest))}'
        y = 2 * _MARGIN + _HEIGHT * row
        texts.append(
            f'<text x="{_MARGIN}" y="{y}" xml:space="preserve"{style}'
            f' textLength="{len(text) * _WIDTH:.1f}">{shown}</text>'
        )
    height = 2 * _MARGIN + _HEIGHT * (len(lines) + 1)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" role="img">',
            "<title>make run: the newest reading of a simulated smart meter</title>",
            "<style>text { font: %dpx ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono',"
            " monospace; fill: #d8dee9 } .title { fill: #8fd18b; font-weight: bold }"
            " .dim { fill: #8a94a6 } .warn { fill: #e5c07b }</style>" % _SIZE,
            f'<rect width="{width}" height="{height}" rx="8" fill="#1d2129"/>',
            *texts,
            "</svg>",
            "",
        ]
    )
