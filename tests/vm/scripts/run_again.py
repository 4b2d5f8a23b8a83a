"""The app is started, ended by Ctrl-C and started again in one heap: what is free each time.

    run_again.py DIRECTORY PORT COUNT

For test_run_again.py. It does what a person does at the REPL: `run(__import__("config"), board)`
again and again. One of the readers is that person, and presses Ctrl-C; MQTT and InfluxDB find
nobody at the port. Prints "free N" before each run and behind the last.
"""

import gc
import sys

_SPEED = 6
_PRESSED_MS = 12000


class Board:
    NAME = "TEST"
    CHIP = "host"
    UARTS: dict = {}
    LED = None


class Person:
    """Stands for the module of a reader."""

    SCHEMA = ""
    NEEDS = ("queue",)

    class Reader:
        def __init__(self, name, entry, output, queue) -> None:
            self.name = name
            self._queue = queue

        def describe(self) -> str:
            return "somebody at the keyboard"

        def counters(self) -> tuple:
            return ()

        async def run(self) -> None:
            from joulelog import clock

            await clock.sleep_ms(_PRESSED_MS)
            print("pressed", self._queue.newest)
            raise KeyboardInterrupt


def config(directory: str, port: int):
    class Config:
        device = "again"
        readers = ({"type": "health", "interval": 5}, {"type": "person"})
        sinks = (
            {"type": "mqtt", "host": "127.0.0.1", "port": port},
            {"type": "influxdb", "url": "http://127.0.0.1:%d" % port, "database": "energy"},
        )
        log = {"size_kb": 20, "directory": directory}

    return Config


def run_once(directory: str, port: int) -> None:
    from joulelog import clock, registry, start

    clock.set_speed(_SPEED)
    registry.READERS = (("health", "joulelog.readers.health"), ("person", "person"))
    try:
        start.run(config(directory, port), Board)
    except KeyboardInterrupt:
        pass


def tell() -> None:
    gc.collect()
    print("free", gc.mem_free())  # type: ignore[attr-defined]


def main(directory: str, port: int, count: int) -> None:
    sys.modules["person"] = Person  # type: ignore[assignment]
    from joulelog import clock, registry, start  # noqa: F401 - loaded before the first figure

    for _ in range(count):
        tell()
        run_once(directory, port)
    tell()


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
