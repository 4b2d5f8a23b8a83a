"""Bring the files of a board up to date so that it has the old ones or the new ones, never a mix.

    plan = files.Plan(link, link.listing(), {"/lib/a.mpy": data, "/main.py": data, …})
    plan.carry_out()

A Plan raises FlashError where the board has no room: nothing has been written then. What is new is
written beside what is there (`a.mpy.new`), compared, and put into its place in one go by the board
itself. Whatever stops it before, the old version runs on, and the next run takes what has arrived.
A file system that cannot hold both is written in place, and says so.

Only what joulelog.files lists is ever removed, and a source or bytecode file that would be
imported instead of one of ours.
"""

import hashlib
import sys
from collections.abc import Iterable

from tools.flash import FlashError
from tools.flash.link import Link, unbroken

MANIFEST = "/lib/joulelog.files"
CONFIG = "/config.py"
EXAMPLE = "/config.example.py"
MAIN = "/main.py"
_SWAP = "/lib/joulelog.swap"
_NEW = ".new"
_SPARE_BLOCKS = 8  # for the log's first lines and the folders' own blocks

# Lines "from|to"; an empty "to" removes a file, or a folder that has become empty. The dots are
# for who waits: erasing takes a while on a large flash.
_SWAPS = f"""
import os
def g(p):
 for f in (os.remove, os.rmdir):
  try:
   f(p)
   return
  except OSError:
   pass
with open({_SWAP!r}) as f:
 for l in f:
  a, b = l[:-1].split('|')
  if not b:
   g(a)
  else:
   try:
    os.rename(a, b)
   except OSError:
    g(b)
    os.rename(a, b)
  print('.', end='')
os.remove({_SWAP!r})
"""


class Plan:
    """What is to change on a board; files: path -> contents, config.py only to write it."""

    def __init__(self, link: Link, listing: dict[str, int], files: dict[str, bytes]) -> None:
        self._link = link
        self._listing = listing
        self._files = files
        self._ours = _installed(link, listing)
        same_size = [path for path, data in files.items() if listing.get(path) == len(data)]
        there = link.hashes(same_size)
        self._todo = {
            path: data for path, data in files.items() if there.get(path) != hashed(data)
        }
        gone = [path for path in self._ours if path not in files and path in listing]
        gone += [path for path in _instead_of(files) if path in listing and path not in gone]
        self._gone = gone
        self._arrived, self._left = self._of_earlier_runs()
        self._beside = self._has_room_for_both()
        if not self._beside:
            self._refuse_without_space()

    def _of_earlier_runs(self) -> tuple[list[str], list[str]]:
        """Of what a run that was stopped has left: (paths that can be taken, files to remove)."""
        known = {*self._files, *self._ours, CONFIG}
        found = [
            path for path in self._listing if path.endswith(_NEW) and path[: -len(_NEW)] in known
        ]
        sizes = {path: len(data) for path, data in self._todo.items()}
        whole = [p for p in found if sizes.get(p[: -len(_NEW)]) == self._listing[p]]
        there = self._link.hashes(whole)
        arrived = [
            path[: -len(_NEW)]
            for path in whole
            if there[path] == hashed(self._todo[path[: -len(_NEW)]])
        ]
        return arrived, [path for path in found if path[: -len(_NEW)] not in arrived]

    def _missing(self) -> dict[str, bytes]:
        return {path: data for path, data in self._todo.items() if path not in self._arrived}

    def _blocks(self, sizes: Iterable[int]) -> int:
        return sum(-(-size // self._block) for size in sizes)

    def _folders(self) -> int:
        """Blocks for folders that are to come; a run that was stopped has made them."""
        folders = {path.rsplit("/", 1)[0] for path in self._todo}
        return 2 * len(folders - set(self._listing))

    def _has_room_for_both(self) -> bool:
        free, self._block = self._link.free()
        self._free = free + self._block * self._blocks(self._listing[p] for p in self._left)
        need = self._blocks(map(len, self._missing().values())) + _SPARE_BLOCKS + self._folders()
        return need * self._block <= self._free

    def _refuse_without_space(self) -> None:
        listing, block, todo = self._listing, self._block, self._todo
        waiting = [path + _NEW for path in self._arrived]  # not of use where there is no room
        gone = [*self._gone, *todo, *waiting]
        need = self._blocks(map(len, todo.values())) + _SPARE_BLOCKS + self._folders()
        # A file is written whole before its old blocks are free.
        replaced = [len(data) for path, data in todo.items() if path in listing]
        need += self._blocks([max(replaced, default=0)])
        freed = self._blocks(max(listing[path], 0) for path in gone if path in listing)
        room = self._free + freed * block
        if todo and need * block > room:
            large = [path for path in listing if listing[path] > block]
            largest = sorted(large, key=lambda path: listing[path])[-3:]
            raise FlashError(
                f"the board has {room // 1024} KiB for this, and it takes {need * block // 1024}"
                f" KiB; nothing was written. Largest files there: {', '.join(largest) or 'none'}."
                f" Remove some (mpremote connect {self._link.port} rm :/name), or freeze it: make"
                " firmware"
            )

    def carry_out(self) -> None:
        """Change what has to be changed; FlashError says what is on the board then."""
        link, todo, gone = self._link, self._todo, self._gone
        listed = {path for path in self._files if path != CONFIG}
        if todo or gone or self._left or set(self._ours) != listed:
            _make_folders(link, self._listing, [*self._files, MANIFEST])
            # Should this end half way, the next run still knows all that is ours.
            both = {*listed, *(path for path in self._ours if path in self._listing)}
            self._write_list(both - {path for path, _ in self._kept()})
            if self._beside:
                self._copy_beside()
            else:
                self._copy_in_place(both)
            self._write_list(listed)
            for old, new in self._kept():
                print(f"your {old[1:]} is now {new[1:]}")
        print(
            "%d of %d files copied (%d bytes), %d up to date, %d removed; all arrived as sent"
            % (
                len(todo),
                len(self._files),
                sum(map(len, todo.values())),
                len(self._files) - len(todo),
                len(gone),
            )
        )

    def _write_list(self, paths: set[str]) -> None:
        text = "".join(path + "\n" for path in sorted(paths))
        self._link.replace(MANIFEST, text.encode())

    def _copy_beside(self) -> None:
        link, todo = self._link, self._todo
        try:
            for path in self._left:
                link.remove(path)
            _copy(link, {path + _NEW: data for path, data in self._missing().items()})
            verify(link, {path + _NEW: data for path, data in todo.items()})
            swaps = "".join(f"{old}|{new}\n" for old, new in self._swaps())
            link.write(_SWAP, swaps.encode())
        except (FlashError, KeyboardInterrupt) as problem:
            raise FlashError(
                f"{_reason(problem)}. What was on the board is as it was: nothing of it has been"
                " changed yet. Running this again goes on where it stopped"
            ) from None
        try:
            with unbroken():
                link.run(_SWAPS, "putting the new files into their places")
        except FlashError as problem:
            raise FlashError(
                f"{problem}. The board may have a part of the new files: running this again"
                " completes them"
            ) from None
        listing = link.listing()
        wrong = [path for path, data in self._files.items() if listing.get(path) != len(data)]
        if wrong:
            raise FlashError(f"{', '.join(wrong)}: not as sent; run this again")

    def _swaps(self) -> list[tuple[str, str]]:
        """(from, to) in their order; main.py last, as what starts the others."""
        gone = [(path, "") for path in self._gone + _emptied(self._gone)]
        order = sorted(self._todo, key=lambda path: (path == MAIN, path))
        return self._kept() + gone + [(path + _NEW, path) for path in order]

    def _kept(self) -> list[tuple[str, str]]:
        """A main.py that is not ours, and a config.py that is replaced, get another name."""
        pairs = []
        for path in (MAIN, CONFIG):
            if path in self._todo and path in self._listing and path not in self._ours:
                number = ""
                while f"{path[:-3]}.old{number}.py" in self._listing:
                    number = str(int(number or 1) + 1)
                pairs.append((path, f"{path[:-3]}.old{number}.py"))
        return pairs

    def _copy_in_place(self, both: set[str]) -> None:
        link = self._link
        print("no room for the old files beside the new ones: leave the cable in until it is done")
        try:
            for path in self._left + [path + _NEW for path in self._arrived]:
                link.remove(path)
            for old, new in self._kept():
                link.rename(old, new)
            self._write_list(both)
            for path in self._gone:
                link.remove(path)
            for folder in _emptied(self._gone):
                if not link.value(f"len(__import__('os').listdir({folder!r}))"):
                    link.remove(folder)
            _copy(link, self._todo)
            verify(link, self._files)
        except (FlashError, KeyboardInterrupt) as problem:
            raise FlashError(
                f"{_reason(problem)}. The board has a part of the new files, and may not measure:"
                " running this again completes them"
            ) from None


def verify(link: Link, files: dict[str, bytes]) -> None:
    """FlashError where a file of the board is not what it should be."""
    arrived = link.hashes(list(files))
    wrong = [path for path, data in files.items() if arrived.get(path) != hashed(data)]
    if wrong:
        raise FlashError(f"{', '.join(wrong)} did not arrive as sent: try another cable or port")


def hashed(data: bytes) -> str:
    """SHA-256 in hex, as Link.hashes() has it."""
    return hashlib.sha256(data).hexdigest()


def _reason(problem: BaseException) -> str:
    return str(problem) if isinstance(problem, FlashError) else "stopped"


def _installed(link: Link, listing: dict[str, int]) -> list[str]:
    """What an earlier run put here; a damaged list cannot name what is not ours."""
    text = (link.read(MANIFEST) or b"").decode("utf-8", "replace") if MANIFEST in listing else ""
    return [
        path
        for path in text.split("\n")
        if path in (MAIN, EXAMPLE) or (path.startswith("/lib/") and "/.." not in path)
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


def _make_folders(link: Link, listing: dict[str, int], paths: list[str]) -> None:
    folders = {path[:at] for path in paths for at in range(1, len(path)) if path[at] == "/"}
    for folder in sorted(folders):
        if folder not in listing:
            link.make_folder(folder)


def _emptied(gone: list[str]) -> list[str]:
    """The folders that may be empty without these, those inside of others first."""
    folders = {path[:at] for path in gone for at in range(5, len(path)) if path[at] == "/"}
    return sorted(folders, reverse=True)


def _copy(link: Link, files: dict[str, bytes]) -> None:
    # main.py last: a board that starts half way has the old application, or waits at the prompt.
    order = sorted(files, key=lambda path: (path.startswith(MAIN), path))
    try:
        for number, path in enumerate(order, 1):
            if sys.stdout.isatty():
                print(f"\r{number}/{len(order)} {path}\x1b[K", end="", flush=True)
            link.write(path, files[path])
    finally:
        if sys.stdout.isatty():
            print("\r\x1b[K", end="", flush=True)
