"""Set-up mode, or the app with the access point beside it, and their memory: for setup_heaps.py.

    size_setup.py heap PORT NAMES
    size_setup.py steps PORT NAMES
    size_setup.py heap PORT NAMES CONFIG UART      # beside the app
    size_setup.py steps PORT NAMES CONFIG UART

PORT is the web server's, NAMES the name server's. Set-up mode runs until a client asks for the
start; beside the app it takes the Wi-Fi away, and ends when a client has given another one, the
point is closed and all readings are delivered. Prints "MEM name bytes-allocated bytes-free" lines,
MicroPython's mem_info() with each of them while somebody may ask, or "STEP name microseconds" of
each kind of task, loading of modules included; and "DONE readings delivered restarts" at the end;
alone that is answers, answers without failure, restarts.
"""

import asyncio
import gc
import sys

import micropython
from measured_steps import counting, create_task, tell

_LOOK_MS = 40
_TIMEOUT_MS = 60000  # of real time
_LED = {"pin": 2, "active": 0, "pwm": True}
_AROUND = ["home & garden", "its password", -50]


def say(name: str) -> None:
    """What is in use behind a collection, and what is free in one piece."""
    gc.collect()
    print("MEM", name, gc.mem_alloc(), gc.mem_free())
    micropython.mem_info()


async def names(number: int) -> None:
    """The name server, which a computer's set-up has not."""
    from joulelog.net.every_name import EveryName

    await EveryName("127.0.0.1", number).run()


def alone(board, number: int, steps: bool) -> None:
    """Set-up mode as start.py enters it."""
    from joulelog.setup import mode

    board.IMPROV = True
    board.NO_ROOM = ()
    board.LED = getattr(board, "LED", None) or _LED
    gc.threshold(getattr(board, "GC_THRESHOLD", 32768))
    set_up = mode.SetUp({}, board, "", False)
    say("built")

    async def watch() -> None:
        running = asyncio.create_task(set_up.run(None))
        asyncio.create_task(names(number))
        await asyncio.sleep_ms(500)
        say("running")
        counting[0] = steps
        while not running.done():
            await asyncio.sleep_ms(_LOOK_MS)
            if not steps:
                say("asked")
        if steps:
            tell()
        counters = dict(set_up.site.server.counters())
        failed = counters["failures"] + counters["no_memory"]
        print("COUNTERS", counters)
        answered = counters["answered"]
        print("DONE", answered, answered - failed, set_up.supervisor.restarts)

    asyncio.run(watch())


def beside(board, number: int, steps: bool, path: str, uart: str) -> None:
    """The app, as size_run.py builds it."""
    import config_file
    import network

    from joulelog import build, clock, registry, start  # noqa: F401 - start stays

    config = config_file.load(path, [uart])
    del config_file, sys.modules["config_file"]
    home = config.wifi
    network._around.append([home["ssid"], home["password"], -50])
    network.WLAN._wanted[network.STA_IF] = False
    speed = config.SPEED
    clock.set_speed(speed)
    build.fitting = lambda *_: (0, "")
    build.load(config, board)
    app = build.build(config, board)
    del build, config
    registry.drop("joulelog.build")

    async def until(done, name: str) -> None:
        deadline = clock.uptime_ms() + _TIMEOUT_MS * speed
        while not done() and clock.uptime_ms() < deadline and not app.supervisor.restarts:
            await asyncio.sleep_ms(_LOOK_MS)
            if name and not steps:
                say(name)
        if not done():
            print("TIMEOUT", name)

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        asyncio.create_task(names(number))
        await until(lambda: min([sink.cursor.sent for sink in app.sinks]) > 5, "")
        say("running")
        counting[0] = steps
        network._around[0] = _AROUND
        await until(lambda: app.network.point, "")
        print("OPEN")
        await until(lambda: not app.network.point, "asked")
        if steps:
            tell()
        say("closed")
        await until(lambda: not any([sink.cursor.waiting for sink in app.sinks]), "")
        done = min([sink.cursor.sent for sink in app.sinks])
        print("DONE", app.queue.newest, done, app.supervisor.restarts)
        running.cancel()

    asyncio.run(watch())


def main(how: str, port: int, number: int, *about) -> None:
    say("boot")
    import board

    board.WEB_PORT = port
    steps = how == "steps"
    if steps:
        asyncio.create_task = asyncio.core.create_task = create_task
    if about:
        beside(board, number, steps, *about)
    else:
        alone(board, number, steps)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
