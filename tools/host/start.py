"""The firmware's main.py for a computer, on CPython and on the MicroPython VM.

    start.py CONFIG [UART …]

CONFIG is a config.py; each UART is the device path that stands for one uart "sim" in it.
SPEED=n in the environment makes the clock run n times as fast; TABLE=1 says that the terminal
can redraw a table.
"""

import asyncio
import os
import sys

_SIGINT = 2
_SIG_BLOCK = 0
_NONBLOCK = 0x800


def load(path: str):
    """Import a config file by its path.

    Its folder and name are free again then: a pulse.py in there must not stand for a package.
    """
    slash = path.rfind("/")
    sys.path.insert(0, path[:slash] if slash >= 0 else ".")
    name = path[slash + 1 :]
    name = name[:-3] if name.endswith(".py") else name
    config = __import__(name)
    sys.path.pop(0)
    sys.modules.pop(name, None)
    return config


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


def let_ctrl_c_wait(start) -> None:
    """Let Ctrl-C come between two steps of tasks. Debian's VM only.

    By itself it raises KeyboardInterrupt in the midst of anything, a collection too: then its heap
    stays locked, and nothing can be saved. No chip does so, nor does the VM of tools/frozen.py.
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
    build = start.build

    def built(*about):
        app = build(*about)
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

    start.build = built


def main(path: str, uarts: list) -> None:
    import board

    from joulelog import clock, start

    clock.set_speed(int(os.getenv("SPEED") or 1))
    config = load(path)
    readers = getattr(config, "readers", ())
    for entry in readers if isinstance(readers, (list, tuple)) else ():
        for key in ("uart", "pin") if isinstance(entry, dict) else ():
            if uarts and entry.get(key) == "sim":
                entry[key] = uarts.pop(0)
    if sys.implementation.name == "micropython":
        let_ctrl_c_wait(start)
    start.run(config, board, bool(os.getenv("TABLE")))


if __name__ == "__main__":
    try:
        end_as_ctrl_c_does()
        main(sys.argv[1], sys.argv[2:])
    except KeyboardInterrupt:
        print("\nstopped")
    except Exception as error:
        if type(error).__name__ != "ConfigError":  # that one was printed
            raise
        sys.exit(2)
