"""Fetch the log files of a board."""

from pathlib import Path

from tools import ROOT
from tools.flash import FlashError
from tools.flash.link import Link

_NAMES = ("lastLog.log", "joulelog.log")  # the older one first
_WHERE = """
d = None
try:
 import config
 d = getattr(config, 'log', {}).get('directory')
except Exception:
 pass
try:
 import board
 d = d or board.LOG_DIRECTORY
except Exception:
 pass
print(d or '/')
"""


def fetch(link: Link) -> list[Path]:
    """Copy the logs into build/logs, print them, let the board go on; the paths of the copies."""
    link.attach()
    folder = link.run(_WHERE).strip().rstrip("/")
    copies = []
    target = ROOT / "build/logs"
    target.mkdir(parents=True, exist_ok=True)
    for name in _NAMES:
        data = link.read(f"{folder}/{name}")
        if data is not None:
            copies.append(target / name)
            copies[-1].write_bytes(data)
    link.restart()
    for copy in copies:
        print(f"==> {copy.name}")
        print(copy.read_text(errors="replace"), end="")
    if not copies:
        raise FlashError(f"no log in {folder or '/'} yet: lines reach the flash once a minute")
    print("==> copies: " + ", ".join(str(copy.relative_to(ROOT)) for copy in copies))
    return copies
