"""The start report: what a person needs when it does not work. Dropped after the start."""

import logging
import os

from . import COMPILED, VERSION

_ERRORS = 3  # of those before this start


def say(app, told, warnings: list) -> None:
    """Log the report, and what else is to be said of this start; told: of the settings file."""
    log = logging.getLogger("start")
    if told and told[0]:
        log.info("%s", told[0])
    for text in told[1:]:
        log.warning("%s", text)
    if app.spool:
        from .backlog import opening

        warnings = warnings + list(opening.told(app.spool.former))
    for text in warnings:
        log.warning("%s", text)
    for line in lines(app):
        log.info("%s", line)


def lines(app):
    """Yield the report, a line at a time."""
    made = VERSION, COMPILED
    yield "JouleLog %s (%s) on %s, device %s" % (made + (app.board.NAME, app.device))
    store = app.store
    computer = app.board.NAME == "HOST"
    cause = "the computer" if computer and app.guard.reset == "power on" else app.guard.reset
    yield "started by %s, boot %d (%s)" % (cause, store.get("boots", 0), app.boot_id)
    if app.guard.cut_off:
        yield "the run before was cut off: readings that it had in RAM only are missing"
    if store.last_reboot:
        yield "the board restarted itself: %s" % store.last_reboot
    for text in store.get("errors", ())[-_ERRORS:]:
        yield "an earlier failure: %s" % text
    for reader in app.readers:
        yield "reader %s: %s" % (reader.name, reader.describe())
    for sink in app.sinks:
        yield "sink %s: %s" % (sink.name, sink.describe())
    if not app.readers:
        yield "no reader: nothing is measured; add one to `readers` in config.py"
    if not app.sinks:
        yield "no sink: readings go nowhere; add one to `sinks` in config.py"
    yield "network: %s" % _network(app)
    now = app.clock.now()
    if now is None:
        yield "time: not known yet; readings wait for the meter's or a time server's"
    else:
        yield "time: %s, from the %s" % (app.clock.text(now), app.clock.source)
    slots = app.queue.slots
    spool = app.spool
    if not spool:
        yield "queue: %d readings in RAM; what it holds is lost at a power cut" % slots
        from .backlog.files import place_of

        place = place_of(app.config, app.board)
        if _has_segments(place):
            yield "readings of earlier runs stay in %s: remove it, or set `queue.flash_kb`" % place
        return
    from .backlog import opening

    yield "queue: %d readings in RAM, %s" % (slots, opening.describe(spool, slots))
    if spool.waiting:
        one = "1 reading of an earlier run waits on the flash"
        more = "%d readings of earlier runs wait on the flash" % spool.waiting
        yield one if spool.waiting == 1 else more


def _has_segments(place: str) -> bool:
    try:
        return any([name.endswith(".log") for name in os.listdir(place)])
    except OSError:  # nothing is there
        return False


def _network(app) -> str:
    if app.board.NAME == "HOST":
        return "the computer's network"
    names = [one["ssid"] for one in app.network.networks]
    return "Wi-Fi %s" % " or ".join(names) if names else "no Wi-Fi configured"
