"""From a config to the app, in the order that needs the least memory; dropped behind it.

    app = build.build(config, board)      # ConfigError says what to change

What cannot fit is told before anything is loaded. What stays for ever is loaded first, so that it
lies side by side; then the config is checked, and the checker and the report, which leave holes,
are dropped.
"""

import gc
import os

from micropython import const

from . import registry
from .errors import ConfigError

_LOADING_BYTES = const(1024)  # allocated between two collections while modules are loaded
_THRESHOLD = const(32768)  # bytes between two collections where the board says nothing


def load(config, board) -> None:
    """Import what the app and the config's entries need; the check tells of what is missing."""
    from . import app  # noqa: F401 - loaded for later

    for table, section in ((registry.READERS, "readers"), (registry.SINKS, "sinks")):
        for entry in registry.entries(config, section):
            try:
                registry.module(table, entry["type"])
            except Exception:
                pass
    for name in registry.services(lambda name: registry.get(config, name), board):
        if registry.has(board, name):
            registry.module(registry.SERVICES, name)
    gc.collect()


def settled(config, board) -> tuple:
    """(The config with the settings file over it, where there is one; what to tell of that)."""
    place = registry.log_folder(config, board).rstrip("/")
    for name in ("/settings.a", "/settings.b"):
        try:
            os.stat(place + name)
        except (OSError, ValueError):  # it is not there; cannot be
            continue
        from .config import settings

        try:
            return settings.over(config, board)
        finally:
            registry.drop("joulelog.config")
    return config, []


def fitting(config, board, stayed: int = 0) -> tuple[int, str]:
    """(slots of the queue, a warning); ConfigError tells of a config that is too large."""
    from .config import fits

    try:
        return fits.check(config, board, stayed)
    finally:
        registry.drop("joulelog.config")


def checked(config, board, slots: int = 0):
    """Return the checked config, printed without its secrets; ConfigError says what to change."""
    from .config import schema

    try:
        found = schema.check(config, board, registry, slots)
        for line in schema.redacted(found):
            print(line)
        return found
    finally:
        registry.drop("joulelog.config")


def build(config, board, terminal=None, stayed: int = 0, told=()):
    """Return the app, its start report logged; ConfigError says what to change.

    stayed: bytes that earlier runs left in the heap, and that this one need not have again.
    told: texts about the settings file, for the report.
    """
    if hasattr(gc, "threshold"):  # what stays must not come to lie between what goes
        gc.threshold(_LOADING_BYTES)  # type: ignore[attr-defined]
    slots, warning = fitting(config, board, stayed)
    load(config, board)
    found = checked(config, board, slots)
    gc.collect()  # now that the checker's frames are gone as well
    from .app import App

    app = App(found, board, terminal)
    from . import report

    report.say(app, told, [warning] + found.warnings if warning else found.warnings)
    once = "joulelog.report", "ringlog.ringopen"
    registry.drop(
        *once, *["joulelog.backlog." + name for name in ("files", "opening", "places", "wear")]
    )
    if hasattr(gc, "threshold"):
        gc.collect()
        # Late collections leave fragments, early ones take time: how late is the board's datum.
        gc.threshold(getattr(board, "GC_THRESHOLD", _THRESHOLD))  # type: ignore[attr-defined]
    return app


def built(*about):
    """The same; ConfigError as well where the memory runs out."""
    try:
        return build(*about)
    except MemoryError:
        gc.collect()
    raise ConfigError("the memory ran out while it was loaded; leave out a sink or a reader")
