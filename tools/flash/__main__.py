"""Put JouleLog on a board, and look after it there.

    python -m tools.flash micropython --port P --board B --image F   write MicroPython (esptool)
    python -m tools.flash install     --port P --board B             JouleLog as files (mpremote)
    python -m tools.flash romfs       --port P --board B             JouleLog as a ROMFS image
    python -m tools.flash logs        --port P                       fetch and print the logs
    python -m tools.flash config      --port P                       show, edit, write config.py
    python -m tools.flash erase       --port P [--board B]           erase the whole flash

Exit status: 0 done, 1 it could not be done (the text says what would help), 2 wrong arguments.
"""

import argparse
import sys
from pathlib import Path

from . import FlashError, image, install, logs, ports, settings, target
from .link import Link

_ACTIONS = ("micropython", "install", "romfs", "logs", "config", "erase")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.flash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("--port", help="serial port of the board, such as /dev/ttyUSB0")
    parser.add_argument("--board", help="folder in boards/")
    parser.add_argument("--image", type=Path, help="micropython: the .bin file")
    parser.add_argument("--keep", action="store_true", help="micropython: keep the file system")
    parser.add_argument("--config", type=Path, help="this file becomes the board's config.py")
    parser.add_argument("--show", action="store_true", help="config: only show it")
    parser.add_argument("--yes", action="store_true", help="erase: do not ask")
    return parser


def _erase(options: argparse.Namespace) -> None:
    problem = ports.fault(options.port)
    if problem:
        raise FlashError(problem)
    board = target.load(options.board) if options.board else None
    if not options.yes:
        question = f"Erase everything on {options.port}, config.py and logs too? Type yes: "
        if not sys.stdin.isatty() or input(question).strip() != "yes":
            raise FlashError("nothing was erased; YES=1 does not ask")
    image.run(image.erase_command(board.chip if board else "auto", options.port), board)
    print("The flash is empty. Next: make micropython PORT=… BOARD=… IMAGE=…")


def _write_image(options: argparse.Namespace) -> None:
    board = target.load(options.board)
    if not options.port:
        raise FlashError(ports.fault(None) or "")
    command = image.write_command(board, options.port, options.image, not options.keep)
    image.run(command, board)
    print(f"MicroPython is on the board. Next: make flash PORT={options.port} BOARD={board.name}")


def _connected(options: argparse.Namespace) -> None:
    action = options.action
    board = target.load(options.board) if action in ("install", "romfs") else None
    with Link(options.port) as link:
        if action == "logs":
            logs.fetch(link)
        elif action == "config" and options.show:
            settings.show(link, options.board)
        elif action == "config":
            if settings.edit(link, options.board, options.config):
                install.start(link)
        elif board:
            (install.install if action == "install" else install.install_romfs)(
                link, board, options.config
            )
            install.start(link)


def main() -> int:
    options = _parser().parse_args()
    try:
        {"erase": _erase, "micropython": _write_image}.get(options.action, _connected)(options)
    except FlashError as problem:
        sys.stdout.flush()
        print(f"{options.action}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; running it again completes what is half done", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
