"""Print the heap that each module takes when it is imported, without those that it imports itself.

    size_modules.py CONFIG UART

Loads what a firmware with this config loads until it runs: "MODULE bytes names" per import,
"names" being what has come into sys.modules by it. tools/bench/size.py prints that with -v.
"""

import builtins
import gc
import sys

import config_file

_import = builtins.__import__
_inner = [0]  # bytes of the imports within the one that is going on, per level
_told: list = []


def _used() -> int:
    gc.collect()
    return gc.mem_alloc()


def _measured(*arguments):
    """In the place of __import__."""
    known = list(sys.modules)
    _inner.append(0)
    before = _used()
    try:
        return _import(*arguments)
    finally:
        took = _used() - before
        inner = _inner.pop()
        _inner[-1] += took
        names = [name for name in sys.modules if name not in known and name not in _told]
        _told.extend(names)
        if took > inner or names:
            print("MODULE", took - inner, " ".join(names) or arguments[0])


def main(path: str, uart: str) -> None:
    import board
    import machine  # noqa: F401 - what is C code on a chip
    import network  # noqa: F401

    config = config_file.load(path, [uart])
    builtins.__import__ = _measured
    from joulelog import build

    app = build.build(config, board)
    import asyncio

    async def stop() -> None:
        running = asyncio.create_task(app.run())
        await asyncio.sleep_ms(3000)
        running.cancel()

    asyncio.run(stop())


main(sys.argv[1], sys.argv[2])
