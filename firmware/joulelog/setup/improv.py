"""Wi-Fi by the cable: a browser or a program speaks Improv on the REPL's line (lib/improv).

    listener = Listener(typed.Line(board), about(board, device), wifi, editor)
    await listener.run(60000)           # for so many ms; 0: for ever

wifi: scan(), attempt(entry), up and address, as net/wifi has them. editor, as config/edit has it:
problems({"wifi": entry}) says what cannot be, save_network(entry) keeps what works; both return
lines, [] where all is well. The answer to settings is the board's address.

Every request holds a byte 3, so Ctrl-C does not interrupt by itself while it listens
(device/typed.py): one outside of a packet raises KeyboardInterrupt here, which leaves asyncio.run.
What has begun as a packet and does not end within half a second is none. Other bytes are dropped.
"""

import asyncio
import logging

import improv
from micropython import const

from .. import VERSION, clock
from ..device.typed import CTRL_C

_LOOK_MS = const(20)  # a board keeps 256 bytes for us, 22 ms of 115200 baud; requests are short
_WHOLE_MS = const(500)  # a packet is here within 25 ms


def about(board, device: str) -> tuple:
    """(firmware, version, family of the chip as ESP Web Tools names it, name of the device)."""
    family = board.CHIP.upper()
    if family[:5] == "ESP32" and len(family) > 5:
        family = "ESP32-" + family[5:]
    return "JouleLog", VERSION, family, device


class Listener:
    """Answers requests; one attempt or scan at a time."""

    def __init__(self, line, about: tuple, wifi, editor, spawn=None) -> None:
        """spawn: makes a task of a coroutine, where asyncio's own will not do."""
        self.requests = 0
        self.malformed = 0
        self.joined = 0
        self._about = improv.result(improv.DEVICE_INFORMATION, *about)
        self._line = line
        self._wifi = wifi
        self._editor = editor
        self._spawn = spawn or asyncio.create_task
        self._parser = improv.Parser()
        self._since = 0  # when what is held began
        self._work = None  # the task of an attempt or a scan
        self._joining = False
        self._log = logging.getLogger("improv")

    async def run(self, for_ms: int = 0) -> None:
        """Listen, and finish what is asked for until then."""
        end = clock.uptime_ms() + for_ms
        self._line.take()
        try:
            while self._work or not for_ms or clock.uptime_ms() < end:
                data = self._line.read()
                self._hear(data)
                await clock.sleep_ms(0 if data else _LOOK_MS)
        finally:
            self._line.release()
            if self._work:
                self._work.cancel()

    def _hear(self, data: bytes) -> None:
        parser = self._parser
        held = len(parser.held)
        now = clock.uptime_ms()
        found = parser.feed(data)
        if found or not held:
            self._since = now
        elif not data and now - self._since > _WHOLE_MS:
            found = [(improv.PLAIN, parser.give_up())]
        for kind, part in found:
            if kind == improv.PLAIN:
                if CTRL_C in part:
                    raise KeyboardInterrupt
            elif kind == improv.RPC:  # others are answers: an echo, or another board
                self._answer(part)

    def _answer(self, data: bytes) -> None:
        self.requests += 1
        settings = None
        try:
            command, payload = improv.command(data)
            if command == improv.WIFI_SETTINGS:
                settings = improv.wifi_settings(payload)
                if not settings[0]:
                    raise improv.ImprovError("the network has no name")
        except improv.ImprovError as error:
            self.malformed += 1
            self._log.warning("a request cannot be read: %s", error)
            self._say(improv.error(improv.INVALID))
            return
        if settings or command == improv.WIFI_NETWORKS:
            if self._work:
                self._log.warning("asked again before the answer")
                self._say(improv.error(improv.UNKNOWN_ERROR))
                return
            self._joining = bool(settings)
            self._work = self._spawn(self._do(settings))
        elif command not in (improv.CURRENT_STATE, improv.DEVICE_INFORMATION):
            self._say(improv.error(improv.UNKNOWN_COMMAND))
            return
        if command == improv.DEVICE_INFORMATION:
            self._say(self._about)
        elif command == improv.CURRENT_STATE:
            self._tell(improv.CURRENT_STATE)
        elif settings:
            # Only new settings end an error: a browser looks for networks right behind one, and
            # would not show it any more.
            self._say(improv.error(improv.NO_ERROR))
            self._tell()

    def _tell(self, command: int = 0) -> None:
        """Tell the state; behind it where the board is, as the answer to that command."""
        up = self._wifi.up and not self._joining
        state = improv.PROVISIONED if up else improv.READY
        self._say(improv.state(improv.PROVISIONING if self._joining else state))
        if command and up:
            self._say(improv.result(command, "http://%s/" % self._wifi.address))

    def _say(self, packet: bytes) -> None:
        # A packet begins a line: whatever the console has written before it.
        self._line.write(improv.NEWLINE + packet)

    async def _do(self, settings: tuple | None) -> None:
        """What takes time: join a network, or look for some."""
        wrong = improv.UNKNOWN_ERROR
        try:
            if settings is None:
                await self._scan()
                wrong = improv.NO_ERROR
            else:
                wrong = await self._join(settings)
        except Exception as error:  # the client waits for an answer, whatever it is
            self._log.error("%s: %s", type(error).__name__, error)
        self._joining = False
        self._work = None
        if wrong:
            self._say(improv.error(wrong))
        if settings:
            self._tell(0 if wrong else improv.WIFI_SETTINGS)

    async def _join(self, settings: tuple) -> int:
        """Join, and keep; the error."""
        entry = {"ssid": settings[0], "password": settings[1]}
        problem = "; ".join(await self._editor.problems({"wifi": entry}))
        problem = problem or await self._wifi.attempt(entry)
        if problem:
            self._log.warning("%s", problem)
            return improv.UNABLE_TO_CONNECT
        problem = "; ".join(await self._editor.save_network(entry))
        if problem:
            self._log.error("the Wi-Fi works, but cannot be kept: %s", problem)
            return improv.UNKNOWN_ERROR
        self.joined += 1
        return improv.NO_ERROR

    async def _scan(self) -> None:
        for name, strength, secure in await self._wifi.scan():
            needs = "YES" if secure else "NO"
            self._say(improv.result(improv.WIFI_NETWORKS, name, str(strength), needs))
            await clock.sleep_ms(0)  # each takes some ms of the line
        self._say(improv.result(improv.WIFI_NETWORKS))
