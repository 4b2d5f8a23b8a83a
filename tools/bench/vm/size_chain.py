"""Feed the P1 chain from memory as fast as it takes telegrams, and print what the heap does.

    size_chain.py telegram FILE 40     bytes and objects that a telegram allocates
    size_chain.py growth FILE 10000    heap in use after 100 telegrams and after all of them

FILE holds some telegrams of one meter, which are fed in turn, in pieces as a UART gives them. The
chain is the real one up to the requests: dsmr reader, queue, cursor, influxdb sink; the server is
a function that says 204. tools/bench/size.py reads the last line.
"""

import asyncio
import gc
import sys

_PIECE = 230  # what arrives at 115200 baud while the reader rests


def load(path: str) -> list[bytes]:
    """The telegrams of a file."""
    with open(path, "rb") as file:
        data = file.read()
    found = []
    start = 0
    while start < len(data):
        end = data.find(b"\n", data.find(b"\n!", start) + 1) + 1
        found.append(data[start:end])
        start = end
    return found


def build():
    """The app, with one reader and one sink."""
    import board

    from joulelog import build

    config = {
        "readers": [{"type": "dsmr", "uart": "sim"}],
        "sinks": [{"type": "influxdb", "url": "http://127.0.0.1", "database": "x", "interval": 0}],
        "log": {"size_kb": 0, "level": "warning"},
    }
    return build.build(config, board)


async def answer(method, url, body, headers, tls, timeout_ms, limit) -> tuple:
    """The server."""
    return 204, {}, b""


def feed(p1, telegram: bytes) -> None:
    """One telegram, in pieces; its time may have been there before."""
    p1._output._row.reading = None
    for start in range(0, len(telegram), _PIECE):
        p1.feed(telegram, start, min(len(telegram), start + _PIECE))


def taken(cursor) -> tuple:
    """The cursor's next item, which is in RAM: nothing to wait for."""
    try:
        cursor.next().send(None)
    except StopIteration as done:
        return done.value
    raise ValueError("the cursor waits")


def telegram(app, telegrams: list[bytes], count: int) -> None:
    """Print the memory maps before and after count telegrams; without collection in between."""
    import micropython

    p1 = app.readers[0]._p1
    cursor = app.sinks[0].cursor

    def some(many: int) -> None:
        for index in range(many):
            feed(p1, telegrams[index % len(telegrams)])
            cursor.confirm(taken(cursor)[0])

    some(2 * len(telegrams))
    gc.collect()
    gc.disable()
    gc.threshold(-1)
    before = gc.mem_alloc()
    micropython.mem_info(1)
    some(count)
    after = gc.mem_alloc()
    micropython.mem_info(1)
    gc.enable()
    print("TELEGRAM", after - before, count)


async def growth(app, telegrams: list[bytes], count: int) -> None:
    """Print the heap in use after 100 telegrams and after count."""
    from joulelog import clock

    sink = app.sinks[0]
    sink.server.request = answer
    task = asyncio.create_task(sink.run())
    p1 = app.readers[0]._p1
    early = 0
    for index in range(count):
        feed(p1, telegrams[index % len(telegrams)])
        await clock.sleep_ms(0)
        while sink.cursor.waiting > 8 or (index in (99, count - 1) and sink.cursor.waiting):
            await clock.sleep_ms(0)
        if index == 99:
            gc.collect()
            early = gc.mem_alloc()
    gc.collect()
    print("GROWTH", early, gc.mem_alloc(), sink.cursor.sent, p1.framer.telegrams)
    task.cancel()


def main(mode: str, path: str, count: int) -> None:
    telegrams = load(path)
    app = build()
    if mode == "telegram":
        telegram(app, telegrams, count)
    else:
        asyncio.run(growth(app, telegrams, count))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
