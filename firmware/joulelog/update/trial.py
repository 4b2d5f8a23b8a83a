"""An update on trial: within ten minutes it has to do what the firmware before it did.

    trial = begin(store, network, queue.latest, sinks)    # None: one was taken back, and told
    trial.lacks()             # once a second: None: wait; "": it is good; else why it is not
    trial.fail(why)           # before a restart: the bootloader then starts the one before
    trial.keep()              # it has passed

It passes once there is a network (where one is configured), a destination has taken a reading
(where there are any), and each source that delivered in the ten minutes before the update has
delivered again: an inverter at night takes nothing back. A power cut ends the trial as well: the
bootloader starts an image once before somebody says that it is good.
"""

import logging

from micropython import const

from .. import clock
from ..device import ends
from . import FROM, KEY, SLOT, SOURCES, TO, WHY

_TRIAL_MS = const(600000)
_LEAST_MS = const(60000)  # an image that dies soon shall not have passed before
_NAMES = const(190)  # characters; a text of the store has 200
_CUT = "the power was cut, or the switch had not been made"


def delivering(latest) -> str:
    """For the store: the sources that have delivered in the last ten minutes."""
    found = ""
    for name in sorted(latest.rows):
        row = latest.rows[name]
        is_due = row.count and clock.uptime_ms() - row.came_ms <= _TRIAL_MS
        if is_due and len(found) + len(name) < _NAMES:  # what does not fit is not waited for
            found += ("/" if found else "") + name
    return found


def begin(store, network, latest, sinks: list):
    """What is on trial, or None; tells of one that was taken back."""
    entry = store.get(KEY)
    if not _runs(entry):
        text = "the update to %s was taken back (%s): %s runs"
        text %= (entry[TO], entry[WHY] or ends.before or _CUT, entry[FROM])
    elif not entry[WHY]:
        return Trial(store, network, latest, sinks, entry)
    else:  # it had passed before, and the power went before that was noted
        text = "version %s stays: the bootloader has no other (%s)" % (entry[TO], entry[WHY])
    logging.getLogger("update").error(text)
    store.note_error(text)
    store.set(KEY, None)
    return None


def give_up(store, why: str) -> bool:
    """Before an app is there: whether this boot was a trial, which is over now."""
    entry = store.get(KEY)
    if not entry or not _runs(entry):
        return False
    _note(store, entry, why)
    return True


class Trial:
    """See the module's text."""

    def __init__(self, store, network, latest, sinks: list, entry: list) -> None:
        self._store = store
        self._network = network
        self._latest = latest
        self._sinks = sinks
        self._entry = entry
        self._begun_ms = clock.uptime_ms()
        names = entry[SOURCES] if len(entry) > SOURCES else ""
        self._sources = names.split("/") if names else []
        self._online = not network.networks
        text = "version %s is on trial for ten minutes; %s comes back if it fails"
        logging.getLogger("update").warning(text, entry[TO], entry[FROM])

    def lacks(self) -> str | None:
        """None: time will tell; "": nothing; else what has not been seen in all the time."""
        self._online = self._online or self._network.up
        passed_ms = clock.uptime_ms() - self._begun_ms
        if passed_ms < _LEAST_MS:
            return None
        missing = [] if self._online else ["there was no network"]
        if self._sinks and not any([sink.cursor.sent for sink in self._sinks]):
            missing.append("no destination has taken a reading")
        for name in self._sources:
            row = self._latest.rows.get(name)
            if not row or not row.count:
                missing.append("%s has delivered nothing" % name)
        if not missing:
            return ""
        return "in ten minutes " + ", ".join(missing) if passed_ms >= _TRIAL_MS else None

    def fail(self, why: str) -> None:
        """It is over: the next start is that of the version before."""
        _note(self._store, self._entry, why)

    def keep(self) -> None:
        """It is the firmware from now on."""
        self._store.set(KEY, None)
        self._store.save_now()
        logging.getLogger("update").warning("version %s has passed its trial", self._entry[TO])


def _runs(entry: list) -> bool:
    """Whether the slot of the update is the one that runs."""
    try:
        from esp32 import Partition  # type: ignore[import-not-found]

        running = Partition(Partition.RUNNING)  # type: ignore[arg-type]
        return running.info()[4] == entry[SLOT]
    except (ImportError, OSError):  # written by a cable since, perhaps without slots
        return False


def _note(store, entry: list, why: str) -> None:
    changed = list(entry)
    changed[WHY] = why
    store.set(KEY, changed)
    store.save_now()
