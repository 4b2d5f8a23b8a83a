"""Async functions with defaults, as methods, with async with and async for."""

import asyncio

LOG = []


async def add(value, more=1, *, note="none"):
    await asyncio.sleep(0)
    LOG.append((value, more, note))
    return value + more


class Lock:
    name = "lock"

    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, kind, value, trace):
        LOG.append(("exit", kind and kind.__name__))
        return False

    async def hold(self, times=2):
        for _ in range(times):
            await asyncio.sleep(0)
        return self.name


class Numbers:
    def __init__(self, count=2):
        self.count = count

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.count:
            raise StopAsyncIteration
        self.count -= 1
        return self.count


async def fails(text="failed"):
    raise ValueError(text)


async def slow():
    await asyncio.sleep(5)


async def main(lock=Lock()):
    print(await add(1), await add(1, 2), await add(1, note="n"))
    async with lock as held:
        print(held.name, await held.hold(), await held.hold(times=0))
    async for number in Numbers():
        print(number)
    tasks = [asyncio.create_task(add(n, note=str(n))) for n in range(3)]
    print(await asyncio.gather(*tasks))
    try:
        await fails()
    except ValueError as problem:
        print(problem)
    try:
        await asyncio.wait_for(slow(), 0.01)
    except asyncio.TimeoutError:
        print("late")
    event = asyncio.Event()
    waiter = asyncio.create_task(event.wait())
    event.set()
    print(await waiter)


asyncio.run(main())
print(LOG)
