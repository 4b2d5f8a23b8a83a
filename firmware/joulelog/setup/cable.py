"""Improv beside the running app: for the first minute, for somebody with a cable; then it is gone.

    cable = Cable(board, network, device, directory, spawn)
    await cable.run()                   # a task of the app's

A board that was configured long ago and has a new Wi-Fi gets it without losing a reading. Whoever
has the cable has the REPL as well. In set-up mode Improv listens all the time (mode.py).
"""

from micropython import const

from .. import clock, registry

_LISTEN_MS = const(60000)
_ONCE = ("joulelog.setup.improv", "joulelog.device.typed", "improv")


class Cable:
    """Listens, and keeps the network that works."""

    def __init__(self, board, network, device: str, directory: str, spawn) -> None:
        """spawn: makes a task of a coroutine."""
        self._board = board
        self._network = network
        self._device = device
        self._spawn = spawn
        # Before a new one is joined: the others are kept beside it.
        self._config = {"wifi": network.known(), "log": {"directory": directory}, "device": device}

    async def run(self) -> None:
        """For a minute."""
        from ..device.typed import Line
        from .improv import Listener, about

        board = self._board
        told = about(board, self._device)
        try:
            await Listener(Line(board), told, self._network, self, self._spawn).run(_LISTEN_MS)
        finally:
            registry.drop(*_ONCE)

    async def problems(self, changes: dict) -> list:
        """What is wrong with a network; as config/edit says it."""
        return await self._with_editor("problems", changes)

    async def save_network(self, network: dict) -> list:
        """Keep it for the next starts."""
        return await self._with_editor("save_network", network)

    async def _with_editor(self, what: str, about: dict) -> list:
        """Its code is here for that moment only."""
        await clock.sleep_ms(0)
        from ..config.edit import Editor

        await clock.sleep_ms(0)
        try:
            return await getattr(Editor(self._config, self._board), what)(about)
        finally:
            registry.drop("joulelog.config")
