"""What keeps a board alive that nobody looks after, and tells afterwards what happened.

    guard = Guard(app, "/")          # counts this boot, and its reason, in the store
    feed = guard.watchdog()          # the chip's watchdog, or None
    guard.tick()                     # once a second
    guard.close()                    # the app has ended, the REPL comes

A board restarts itself in two cases, and the next start's report says why:

- a task does not move although it was cancelled (supervisor.stuck). Where the chip has a watchdog
  it bites 60 s after the task's last chance, should even this fail;
- there has been no network for two hours while readings wait. A router that is off does not come
  back by it: so the pause doubles with each restart that did not help, up to a day, and without a
  store that can be written there is none.

A computer is never restarted.
"""

import logging

import machine
from civil import fields
from micropython import const

from . import clock
from .store import Store, reset_reason

_DAY_MS = const(86400000)
_PATIENCE_MS = const(7200000)
_TRIES = "wifi_tries"  # restarts for want of a network, one after the other


class Guard:
    """Watchdog, store and last resort."""

    def __init__(self, app, directory: str) -> None:
        self.store = Store(directory)
        self.store.open()
        self.reset = reset_reason(machine)
        self.store.begin(self.reset)
        self._app = app
        self._dog_ms = getattr(app.board, "WATCHDOG_MS", None)
        self._dog = None
        self._known = False  # the time is
        app.supervisor.note = self._note

    def watchdog(self):
        """Start the chip's watchdog; return what feeds it, or None."""
        if not self._dog_ms:
            return None
        self._dog = machine.WDT(timeout=self._dog_ms)
        return self._dog.feed

    def close(self) -> None:
        """The watchdog cannot be stopped, but an ESP32's can be told to wait: for the REPL."""
        if self._dog:
            machine.WDT(timeout=_DAY_MS)
        self.store.save_now()

    def tick(self) -> None:
        """Save what has changed; restart the board where nothing else helps."""
        app = self._app
        self.store.save()
        if app.clock.source and not self._known:
            self._known = True
            app.queue.wake()  # the readings that waited for it
            self._tell_board()
        if self._dog_ms is None:
            return
        if app.supervisor.stuck:
            self._reboot("the task %s does not move" % app.supervisor.stuck)
        tries = self.store.get(_TRIES, 0)
        network = app.network
        if network.up:
            if tries:
                self.store.set(_TRIES, None)
        elif network.down_ms() > min(_PATIENCE_MS << min(tries, 5), _DAY_MS) and self._owes():
            self.store.set(_TRIES, tries + 1)
            if self.store.save_now():
                minutes = network.down_ms() // 60000
                self._reboot("no network for %d minutes (%s)" % (minutes, network.problem))

    def _tell_board(self) -> None:
        """Set the chip's own clock: after a restart the time is known at once."""
        # An ESP8266's is wrong by minutes.
        if getattr(self._app.board, "CHIP", "").startswith("esp32"):
            utc = self._app.clock.now()
            year, month, day, hour, minute, second = fields(utc)
            machine.RTC().datetime((year, month, day, 0, hour, minute, second, 0))

    def _owes(self) -> bool:
        if not self._app.config.wifi:
            return False
        return any([cursor.waiting for cursor in self._app.cursors])

    def _reboot(self, why: str) -> None:
        logging.getLogger("guard").error("restarting the board: %s", why)
        self.store.plan_reboot(why)
        self._app.save()
        machine.reset()

    def _note(self, text: str) -> None:
        now = self._app.clock.now()
        self.store.note_error(text, "" if now is None else clock.iso(now))
