"""Modbus readers on a scripted line, by a clock that moves only when told.

stand = Stand()                                # puts the line under the bus
reader = stand.add(modbus, address=1, registers=[...])
stand.wire.meters[1] = answering(closed(b"..."))
stand.play(5000)                               # milliseconds
stand.outputs[0].readings                      # [(ms, {key: value}), ...]
"""

import asyncio

from crc16 import MODBUS, update
from virtual_clock import VirtualClock
from wire import Board, Machine, Output, Said, Wire

from joulelog import clock, registry
from joulelog.device import uart
from joulelog.readers import bus, pzem


def closed(frame):
    """The frame with its CRC."""
    crc = update(MODBUS, frame, 0, len(frame))
    return frame + bytes((crc & 255, crc >> 8))


class App:
    board = Board

    def __init__(self):
        self.clock = clock.Clock()
        self.buses = {}
        self.network = None


class Stand:
    """Readers on one bus, and the clock of all."""

    def __init__(self):
        self.virtual = VirtualClock()
        self.wire = Wire(self.virtual)
        bus.machine = uart.machine = Machine(self.wire)
        self.app = App()
        self.readers = []
        self.outputs = []
        self.failures = []

    def add(self, kind=pzem, **changes):
        entry = {"uart": 2, "address": 1, "tx": None, "rx": None, "de": None}
        entry.update({"interval": 10, "timeout_ms": 250, "misses": 3, "stop": None})
        if kind is pzem:
            entry["model"] = "ac"
        else:
            entry.update({"host": None, "port": 502, "framing": "tcp", "which": 1})
            entry.update({"baud": 9600, "parity": "none", "stop": 1, "function": 4})
            entry.update({"meter": None, "registers": None, "hole": 0, "most": 0})
        entry.update(changes)
        self.outputs.append(Output(self.virtual))
        reader = kind.Reader("pzem", entry, self.outputs[-1], *registry.needed(kind, self.app))
        reader._log = Said()
        self.readers.append(reader)
        return reader

    def play(self, *times):
        """Run all readers; times: milliseconds, and functions that are called in between."""

        async def keep(reader):
            while True:  # as the supervisor does
                try:
                    await reader.run()
                except OSError as error:
                    self.failures.append(error.args[0])
                    await clock.sleep_ms(60000)

        async def story():
            tasks = [asyncio.create_task(keep(reader)) for reader in self.readers]
            for step in times:
                if isinstance(step, int):
                    await self.virtual.advance(step)
                else:
                    step()
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        self.virtual.play(story())

    def values(self, key, number=0):
        return [found[key] for _, found in self.outputs[number].readings]


def answering(*frames, delay=45):
    """A meter that gives these answers in turn, and then the last one for ever."""
    left = list(frames)

    def meter(request):
        frame = left.pop(0) if len(left) > 1 else left[0]
        return ((delay, frame),) if frame else ()

    return meter
