"""The start report: what a person needs when it does not work. Dropped after the start."""

import logging

import machine

from . import clock

_RESETS = (
    ("PWRON_RESET", "power on"),
    ("HARD_RESET", "reset"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deep sleep"),
    ("SOFT_RESET", "soft reset"),
)


def say(app) -> None:
    """Log the report."""
    log = logging.getLogger("start")
    for line in lines(app):
        log.info("%s", line)


def lines(app):
    """Yield the report, a line at a time."""
    yield "JouleLog %s (%s) on %s, device %s" % (
        app.version,
        app.compiled,
        app.board.NAME,
        app.device,
    )
    yield "started by %s, boot %s" % (_reset_reason(), app.boot_id)
    for reader in app.readers:
        yield "reader %s: %s" % (reader.name, reader.describe())
    for sink in app.sinks:
        yield "sink %s: %s" % (sink.name, sink.describe())
    if not app.readers:
        yield "no reader: nothing is measured; add one to `readers` in config.py"
    if not app.sinks:
        yield "no sink: readings go nowhere; add one to `sinks` in config.py"
    wifi = app.config.wifi
    network = "Wi-Fi %s" % wifi["ssid"] if wifi else "the computer's network"
    if not wifi and app.board.NAME != "HOST":
        network = "no Wi-Fi configured"
    yield "network: %s" % network
    now = app.clock.now()
    if now is None:
        yield "time: not known yet; readings wait for the meter's or a time server's"
    else:
        yield "time: %s, from the %s" % (clock.iso(now), app.clock.source)
    yield "queue: %d readings in RAM; what it holds is lost at a power cut" % (
        app.config.queue["slots"]
    )


def _reset_reason() -> str:
    cause = machine.reset_cause()
    for name, text in _RESETS:
        if getattr(machine, name, None) == cause:
            return text
    return "reset cause %s" % cause
