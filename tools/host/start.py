"""The firmware's main.py for a computer, on CPython and on the MicroPython VM.

    python -m tools.host.start CONFIG [UART …]       # on the VM: start.py as a script

CONFIG is a config.py; each UART is the device path that stands for one uart "sim" in it.
IMPROV=1 in the environment says that standard input is a line for Improv and no terminal;
FOLDER is where its log and what waits lie, if the config names no other place;
SETUP says that it starts in set-up mode, and who asks for it ("button"; any other word), WEB_PORT
where its web server listens; SPEED=n makes the clock run n times as fast; TABLE=80x24 says that
the terminal can redraw a table and how large it was at the start, NO_COLOR that it shall have no
colours.
"""

import asyncio
import os
import sys

_SIGINT = 2
_EPIPE = 32
_SIG_BLOCK = 0
_NONBLOCK = 0x800


def end_as_ctrl_c_does() -> None:
    """Let SIGTERM end this as Ctrl-C does: what is in RAM goes to the disk. CPython only."""
    try:
        import signal
    except ImportError:  # MicroPython
        return

    def terminated(_number, _frame) -> None:
        # Once: a service manager tells all processes, and tools/run.py tells its own.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, terminated)
    # tools/run.py has kept them from us until here: while Python starts, each is a traceback.
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def let_ctrl_c_wait(build) -> None:
    """Let Ctrl-C come between two steps of tasks. Debian's VM only.

    By itself it raises KeyboardInterrupt in the midst of anything, a collection too: then its heap
    stays locked, and nothing can be saved. No chip does so, nor does the VM of rig/frozen.py.
    """
    try:
        import ffi  # type: ignore[import-not-found]
    except ImportError:
        return

    libc = ffi.open("libc.so.6")
    signals = bytearray(128)
    signals[0] = 1 << (_SIGINT - 1)
    libc.func("i", "sigprocmask", "iPP")(_SIG_BLOCK, signals, None)
    file = libc.func("i", "signalfd", "iPi")(-1, signals, _NONBLOCK)
    read = libc.func("i", "read", "iPi")
    original = build.build

    def built(*about):
        app = original(*about)
        run = app.run

        async def watch() -> None:
            while read(file, signals, len(signals)) <= 0:
                await asyncio.sleep_ms(50)  # type: ignore[attr-defined]
            raise KeyboardInterrupt

        async def watched() -> None:
            watching = asyncio.create_task(watch())
            try:
                await run()
            finally:
                watching.cancel()

        app.run = watched
        return app

    build.build = built


def simulate(build, fill, uarts: list) -> None:
    """Let the simulated meters stand for the "sim" of what counts: settings may have another."""
    original = build.settled

    def settled(config, board) -> tuple:
        found = original(config, board)
        fill(found[0], uarts)
        return found

    build.settled = settled


def terminal():
    """What tells (columns, rows, colours) of the terminal; None where it redraws nothing."""
    table = os.getenv("TABLE")
    if not table:
        return None
    columns, rows = [int(number) for number in table.split("x")]
    colours = not os.getenv("NO_COLOR")

    def size() -> tuple:
        try:
            now = os.get_terminal_size()
            return now[0] or columns, now[1] or rows, colours
        except (AttributeError, OSError):  # MicroPython; no terminal any more
            return columns, rows, colours

    return size


def prepare() -> None:
    """Let Windows be as other computers, and end once nobody reads what is said. CPython only."""
    try:
        from tools.host import output, windows
    except ImportError:  # the VM has no package tools
        return
    windows.adapt()
    sys.stdout = output.Output(sys.stdout)


def main(path: str, uarts: list) -> None:
    import board
    import config_file

    from joulelog import build, clock, start

    if os.getenv("FOLDER"):
        board.LOG_DIRECTORY = os.getenv("FOLDER")
    board.IMPROV = bool(os.getenv("IMPROV"))
    clock.set_speed(int(os.getenv("SPEED") or 1))
    board.WEB_PORT = int(os.getenv("WEB_PORT") or 8080)
    config = config_file.load(path, ())
    simulate(build, config_file.fill, uarts)
    del config_file, sys.modules["config_file"]  # a board has no such thing in its heap
    if sys.implementation.name == "micropython":
        let_ctrl_c_wait(build)
    del build  # run() drops the module
    start.run(config, board, terminal(), os.getenv("SETUP") or "")


if __name__ == "__main__":
    try:
        end_as_ctrl_c_does()
        prepare()
        main(sys.argv[1], sys.argv[2:])
    except KeyboardInterrupt:
        try:
            print("\nstopped")
        except OSError:  # the VM, and nobody reads what it says
            pass
    except Exception as error:
        if getattr(error, "errno", 0) == _EPIPE:  # the same
            sys.exit(0)
        if type(error).__name__ != "ConfigError":  # that one was printed
            raise
        sys.exit(2)
