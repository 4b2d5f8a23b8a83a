"""One update at a time: from whatever brings its bytes to the switch, and what is counted of it.

    updates = Updates(board, store, queue.latest)
    version = await updates.take(reading(read), total, forced)    # UpdateError says why not
    guard.leave("an update to version " + version)

read() is awaited for the next bytes, and gives b"" at the end; when none come for 30 s that is the
end of it. What it takes to check and to write is loaded for as long as there is an update.
"""

import asyncio
import gc
import logging

from micropython import const
from updatefile import UpdateError

from .. import COMPILED, VERSION, clock, registry
from . import KEY, slots

_STALL_MS = const(30000)
_ONCE = "joulelog.update.write", "updatefile.rsa"


class Updates:
    """See the module's text."""

    done = 0
    refused = 0
    erases = 0  # of flash blocks
    longest_ms = 0  # that one of them, or a write, has taken
    switch_ms = 0  # that the last switch has taken: the image is read once more, in one step

    def __init__(self, board, store, latest=None) -> None:
        """latest: of the queue, by which the trial knows what has to deliver again."""
        self.size = 0  # bytes of the update that is coming, 1: nobody knows; 0: there is none
        self.problem = ""  # why the last one was refused
        self.ready = ""  # the version that is to run next
        self._board = board
        self._store = store
        self._latest = latest
        self._busy = False
        self._write = None

    def written(self) -> int:
        """Bytes of the application that have come."""
        return self._write.received if self._write else 0

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (
            ("updates", self.done),
            ("updates_refused", self.refused),
            ("update_erases", self.erases),
            ("update_longest_ms", self.longest_ms),
        )

    async def take(self, pour, total: int = 0, forced: bool = False) -> str:
        """Take an update, and switch to it; its version, or UpdateError.

        pour(write): puts all bytes into it. total: how many these are; 0: not known.
        """
        if self._busy or self.ready:
            self.refused += 1
            raise UpdateError(
                "busy", "there is another update on its way: wait until that is done"
            )
        self._busy = True
        self.problem = ""
        version = ""
        refusal = None
        try:
            version = await self._take(pour, total, forced)
        except UpdateError as error:
            refusal = error
        except OSError as error:
            refusal = UpdateError("flash", "the flash failed: %s" % error)
        except MemoryError:
            text = "there is not enough memory for an update: restart the board first"
            refusal = UpdateError("flash", text)
        finally:
            self._write = None
            self.size = 0
            self._busy = False
        await clock.sleep_ms(0)
        registry.drop(*_ONCE)
        await clock.sleep_ms(0)
        if not refusal:
            return version
        self.refused += 1
        self.problem = refusal.args[1]
        logging.getLogger("update").error("refused: %s", self.problem)
        await clock.sleep_ms(0)
        raise refusal

    async def _take(self, pour, total: int, forced: bool) -> str:
        slot = slots.other(self._board, self._store)
        await clock.sleep_ms(0)  # each of these is a step of its own
        gc.collect()
        await clock.sleep_ms(0)
        from updatefile import rsa  # noqa: F401 - for later

        await clock.sleep_ms(0)
        from .write import Write

        await clock.sleep_ms(0)
        write = Write(slot, self._board, slots.modulus(), (VERSION, COMPILED), forced, total)
        self._write = write
        self.size = max(1, total)
        await clock.sleep_ms(0)
        try:
            await pour(write)
            for _ in write.finish():
                await clock.sleep_ms(0)
        finally:
            self.erases += write.erases
            self.longest_ms = max(self.longest_ms, write.longest_ms)
        version = write.head.version  # type: ignore[union-attr]
        await self._switch(slot, version)
        await clock.sleep_ms(0)
        logging.getLogger("update").warning(
            "version %s is written: %d blocks erased, %d ms for the flash, %d ms at most at once, "
            "%d ms for the switch",
            *(version, write.erases, write.flash_ms, write.longest_ms, self.switch_ms),
        )
        await clock.sleep_ms(0)
        return version

    async def _switch(self, slot, version: str) -> None:
        """First what is on trial into the store, then the bootloader."""
        store = self._store
        before = store.get(KEY)
        from .trial import delivering

        sources = delivering(self._latest) if self._latest else ""
        try:
            store.set(KEY, [VERSION, version, slot.info()[4], "", sources])
            saved = store.save_now()
        except ValueError:
            saved = False
        if not saved:
            store.put(KEY, before)
            text = "the flash did not take a note of the update: free some of it, send it again"
            raise UpdateError("store", text)
        await clock.sleep_ms(0)
        begun = clock.ticks_ms()
        try:
            slot.set_boot()
        except OSError as error:
            store.put(KEY, before)
            store.save_now()
            text = "the bootloader does not take this image (%s): build it again" % error
            raise UpdateError("image", text)
        self.switch_ms = clock.ticks_diff(clock.ticks_ms(), begun)
        self.ready = version
        self.done += 1


def reading(read):
    """What pours the bytes that read() gives, until it gives none."""

    async def pour(write) -> None:
        while True:
            try:
                data = await clock.wait_for_ms(read(), _STALL_MS)
            except asyncio.TimeoutError:
                text = "nothing more came for %d s: send it again" % (_STALL_MS // 1000)
                raise UpdateError("stalled", text)
            except (OSError, EOFError):
                raise UpdateError("cut", "the connection ended before the file did: send it again")
            if not data:
                return
            view = memoryview(data)
            while len(view):
                view = view[write.put(view) :]
                await clock.sleep_ms(0)

    return pour
