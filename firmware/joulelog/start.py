"""From a config file to a running app, in the order that needs the least memory.

    run(config, board)            # never returns; on a computer Ctrl-C ends it

The config is checked while nothing else is loaded yet, and the checker is dropped before the
app is built: on an ESP8266 both do not fit side by side.
"""

import gc
import sys

from .errors import ConfigError


def checked(config, board):
    """Return the checked config, printed without its secrets; ConfigError says what to change."""
    from . import registry, schema

    try:
        found = schema.check(config, board, registry)
        for line in schema.redacted(found):
            print(line)
        return found
    finally:
        _drop("schema", "kinds")


def build(config, board, terminal: bool = False):
    """Return the app, its start report logged; ConfigError says what to change."""
    found = checked(config, board)
    from .app import App

    app = App(found, board, terminal)
    from . import report

    report.say(app)
    _drop("report")
    return app


def run(config, board, terminal: bool = False) -> None:
    """Build the app and run it; prints what is wrong with the config, and raises ConfigError."""
    import asyncio

    try:
        app = build(config, board, terminal)
    except ConfigError as error:
        print("The config cannot work yet:")
        for line in str(error).split("\n"):
            print("  " + line)
        raise
    if hasattr(gc, "threshold"):  # collect often and early: late collections leave fragments
        gc.threshold((gc.mem_free() + gc.mem_alloc()) // 8)  # type: ignore[attr-defined]
    asyncio.run(app.run())


def _drop(*names: str) -> None:
    """Forget modules that only the start needs, so that their memory comes back."""
    package = sys.modules["joulelog"]
    for name in names:
        sys.modules.pop("joulelog." + name, None)
        if hasattr(package, name):
            delattr(package, name)
    gc.collect()
