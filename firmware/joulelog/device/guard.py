"""What keeps a board alive that nobody looks after, and tells afterwards what happened.

    guard = Guard(app)               # counts this boot, and its reason, in the app's store
    feed = guard.watchdog()          # the chip's watchdog, or None
    guard.tick()                     # once a second
    guard.close()                    # the app has ended, the REPL comes

A board restarts itself in three cases, and the next start's report says why:

- a task does not move although it was cancelled (supervisor.stuck). Where the chip has a watchdog
  it bites 60 s after the task's last chance, should even this fail;
- there has been no network for two hours while readings wait. A router that is off does not come
  back by it: so the pause doubles with each restart that did not help, up to a day, and without a
  store that can be written there is none.
- tasks run out of memory again and again, or a server is not reached for want of it: the tasks are
  ended, which frees what they hold, and readings go to the flash first. Here as well the pause
  doubles with each restart that did not help.

A computer is never restarted. A start that lasts for a minute is told to ends.py: what comes
later is no reason for safe mode.

An ESP32's bootloader takes back an image that was written over the air: at the next reset the one
before starts, unless somebody says that the new one is good. The guard says so, once: when an
update has passed its trial (update/trial.py); of an image that others have written, after a minute
in which no task failed or hung, with a network (where one is configured); without one after ten
such minutes, for a router that is off says nothing about the image.
"""

import logging

import machine
from civil import fields
from micropython import const

from .. import clock
from . import ends
from .state import SWITCH_ONS

_DAY_MS = const(86400000)
_PATIENCE_MS = const(7200000)
_MANY_SHORT = const(8)  # MemoryErrors, one soon after the other
_SHORT_S = const(600)  # a sink says that it has no memory
_SHORT_MS = const(600000)
_STEADY_MS = const(60000)  # no short start any more; without a failure an image is good
_STEADY_ALONE_MS = const(600000)  # the same without a network
_NO_MEMORY = "not enough memory"
_FULL = "there was no memory left"
_MEMORY_TRIES = "memory_tries"  # restarts for want of memory, one after the other
_RUNNING = "running"  # on a computer, until it ends in order
_SOON_MS = const(10000)
_TRIES = "wifi_tries"  # restarts for want of a network, one after the other


class Guard:
    """Watchdog and last resort."""

    def __init__(self, app) -> None:
        self.reset = ends.reset_reason(machine)
        app.store.begin(self.reset)
        self._app = app
        self._dog_ms = getattr(app.board, "WATCHDOG_MS", None)
        self._dog = None
        # A computer does not tell whether the run before could save what it had.
        self.cut_off = self._dog_ms is None and app.store.get(_RUNNING)
        if self._dog_ms is None:
            app.store.set(_RUNNING, 1)
        self._known = False  # the time is
        self._short_s = 0
        self._begun_ms = clock.uptime_ms()
        self._unconfirmed = getattr(app.board, "CHIP", "").startswith("esp32")  # the image is
        self._steady_ms = self._begun_ms  # uptime when a task failed last
        self._restarts = 0  # of tasks, until then
        self.planned = ""  # why the board is restarted once the app has ended
        self.trial = None  # of an update: update/trial.py
        app.supervisor.note = self._note
        if self._dog_ms is not None:
            app.supervisor.mark = ends.doing

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
        if self._dog_ms is None:
            self._app.store.set(_RUNNING, None)
        if self.planned:
            self._app.store.plan_reboot(self.planned)
        else:
            self._app.store.save_now()

    def leave(self, why: str) -> None:
        """Let the app end, and then restart the board."""
        if self._dog_ms is not None and not self.planned:
            self.planned = self._app.supervisor.leaving = why
            try:
                logging.getLogger("guard").error("restarting the board: %s", why)
            except MemoryError:
                print("restarting the board:", why)

    def restart(self) -> None:
        """Behind the app: restart the board, if that is planned."""
        if self.planned:
            self._end(self.planned)
            machine.reset()

    def tick(self) -> None:
        """Save what has changed; restart the board where nothing else helps."""
        app = self._app
        if self._dog_ms is not None:
            try:
                self._look_at_memory()
            except MemoryError:  # not even for the reason
                self.leave(_FULL)
        if (
            app.supervisor.mark
            and not self.trial
            and clock.uptime_ms() - self._begun_ms > _STEADY_MS
        ):
            app.supervisor.mark = None
            ends.steady()
        if app.store.get(SWITCH_ONS) and clock.uptime_ms() - self._begun_ms > _SOON_MS:
            app.store.set(SWITCH_ONS, None)
            app.store.save_now()
        app.store.save()
        if app.clock.source and not self._known:
            self._known = True
            app.queue.wake()  # the readings that waited for it
            self._tell_board()
        if self._dog_ms is None:
            return
        if app.supervisor.stuck:
            self._reboot("the task %s does not move" % app.supervisor.stuck)
        if self._unconfirmed:
            self._look_at_image()
        tries = app.store.get(_TRIES, 0)
        network = app.network
        if network.up:
            if tries:
                app.store.set(_TRIES, None)
        elif network.networks and any([sink.cursor.waiting for sink in app.sinks]):
            if network.down_ms() <= min(_PATIENCE_MS << min(tries, 5), _DAY_MS):
                return
            app.store.set(_TRIES, tries + 1)
            if app.store.save_now():
                minutes = network.down_ms() // 60000
                self._reboot("no network for %d minutes (%s)" % (minutes, network.problem))

    def _look_at_memory(self) -> None:
        why = self._starved()
        tries = self._app.store.get(_MEMORY_TRIES, 0)
        up_ms = clock.uptime_ms() - self._begun_ms
        if not why:
            calm_ms = min(up_ms, clock.uptime_ms() - self._app.supervisor.short_ms)
            if tries and calm_ms > _PATIENCE_MS:
                self._app.store.set(_MEMORY_TRIES, None)
        elif not tries or up_ms > min(_SHORT_MS << min(tries, 8), _DAY_MS):
            self._app.store.set(_MEMORY_TRIES, tries + 1)
            self.leave(why)

    def _starved(self) -> str:
        """What cannot go on for want of memory, or "" """
        supervisor = self._app.supervisor
        if supervisor.short >= _MANY_SHORT:
            return "%s ran out of memory again and again" % supervisor.starved
        for sink in self._app.sinks:
            if _NO_MEMORY in getattr(sink, "state", ""):
                self._short_s += 1
                if self._short_s < _SHORT_S:
                    return ""
                return "%s has had not enough memory for %d minutes" % (sink.name, _SHORT_S // 60)
        self._short_s = 0
        return ""

    def _look_at_image(self) -> None:
        if self.planned or not self._is_good():
            return
        self._unconfirmed = False
        try:
            from esp32 import Partition  # type: ignore[import-not-found]

            Partition.mark_app_valid_cancel_rollback()
            logging.getLogger("guard").info("this image runs well: the bootloader keeps it")
        except Exception as error:  # one image, or it came by wire: there is none to go back to
            logging.getLogger("guard").debug("no image to confirm: %s", error)
        if self.trial:
            self.trial.keep()
            self.trial = None

    def _is_good(self) -> bool:
        app = self._app
        if self.trial:
            lacks = self.trial.lacks()
            if lacks:
                self._reboot(lacks)
            return lacks == ""
        now = clock.uptime_ms()
        if app.supervisor.restarts != self._restarts:
            self._restarts = app.supervisor.restarts
            self._steady_ms = now
        alone = app.network.networks and not app.network.up
        return now - self._steady_ms >= (_STEADY_ALONE_MS if alone else _STEADY_MS)

    def _tell_board(self) -> None:
        """Set the chip's own clock: after a restart the time is known at once."""
        # An ESP8266's is wrong by minutes.
        if getattr(self._app.board, "CHIP", "").startswith("esp32"):
            utc = self._app.clock.now()
            year, month, day, hour, minute, second = fields(utc)
            machine.RTC().datetime((year, month, day, 0, hour, minute, second, 0))

    def _reboot(self, why: str) -> None:
        logging.getLogger("guard").error("restarting the board: %s", why)
        self._app.store.plan_reboot(why)
        self._app.save()
        self._end(why)
        machine.reset()

    def _end(self, why: str) -> None:
        if self.trial:
            self.trial.fail(why)
        ends.end(why)

    def _note(self, text: str) -> None:
        now = self._app.clock.now()
        self._app.store.note_error(text, "" if now is None else clock.iso(now))
