"""What the board runs after boot.py: the application, with the user's config.py beside it.

Whatever happens in it, the board comes back by itself: the watchdog runs before anything that may
hang is imported, and each end is counted (joulelog/device/starts.py): after three starts that
ended within a minute it is safe mode that starts. Ctrl-C leaves for the REPL, at any time.
"""

import sys

import board
import machine

watched_ms = getattr(board, "WATCHDOG_MS", None)  # None: a computer, which nothing restarts
if watched_ms:
    machine.WDT(timeout=watched_ms)
try:
    from joulelog.device import starts

    short = starts.begin(board)
    wrong = ""
    found = []  # a name for the config here would keep it for ever
    from joulelog.start import run

    try:
        found.append(__import__("config"))
    except Exception as error:
        from joulelog import broken

        wrong = broken.tell(error)
        found.append({})
    run(found.pop(), board, short=short, broken=wrong)
except Exception as error:
    if watched_ms is None:
        raise
    sys.print_exception(error)  # type: ignore[attr-defined] - of MicroPython
    starts = sys.modules.get("joulelog.device.starts")
    if starts:  # else it is that which is broken
        from joulelog import broken

        starts.end(broken.line(error))
    print("starting again in five seconds; Ctrl-C keeps the REPL")
    import time

    time.sleep(5)
    machine.reset()
finally:
    if watched_ms:  # the REPL has a day
        machine.WDT(timeout=86400000)
