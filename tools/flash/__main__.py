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
import contextlib
import signal
import sys
from pathlib import Path

from tools.flash import TARGETS, FlashError, command, image, ports, settings, target

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
    parser.add_argument("--drop", action="store_true", help="config: drop the board's settings")
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
    name = board.name if board else "…"
    again = command("micropython", port=options.port, board=name, image="…")
    print(f"The flash is empty. Next: {again}")


def _write_image(options: argparse.Namespace) -> None:
    board = target.load(options.board)
    if not options.port:
        raise FlashError(ports.fault(None) or "")
    write = image.write_command(board, options.port, options.image, not options.keep)
    image.run(write, board)
    install = command("install", port=options.port, board=board.name)
    print(f"MicroPython is on the board. Next: {install}")


def _connected(options: argparse.Namespace) -> None:
    action = options.action
    board = target.load(options.board) if action in ("install", "romfs") else None
    problem = ports.fault(options.port)
    if problem:
        raise FlashError(problem)
    try:
        from tools.flash import install, logs
        from tools.flash.link import Link
    except ImportError as missing:
        words = f"{missing.name} is missing: python -m pip install -r requirements.txt"
        raise FlashError(words) from None
    with Link(options.port) as link, link.left_running():
        if action == "logs":
            logs.fetch(link)
        elif action == "config" and options.show:
            settings.show(link, options.board)
        elif action == "config":
            if settings.edit(link, options.board, options.config, options.drop):
                install.start(link)
        elif board:
            (install.install if action == "install" else install.install_romfs)(
                link, board, options.config
            )
            install.start(link)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    options = _parser().parse_args()
    for name in ("SIGTERM", "SIGHUP"):  # as Ctrl-C: a terminal that is closed, a service manager
        with contextlib.suppress(AttributeError):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), _stop)
    try:
        {"erase": _erase, "micropython": _write_image}.get(options.action, _connected)(options)
    except FlashError as problem:
        sys.stdout.flush()
        print(f"{TARGETS.get(options.action, options.action)}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; running it again completes what is half done", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
