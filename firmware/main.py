"""What the board runs after boot.py: the application, with the user's config.py beside it.

Whatever happens in it, the board comes back by itself: the watchdog runs before anything that may
hang is imported, and each end is counted (joulelog/device/ends.py): after three starts that
ended within a minute it is safe mode that starts. Ctrl-C leaves for the REPL, at any time.
"""

import gc
import sys

import board
import machine

watched_ms = getattr(board, "WATCHDOG_MS", None)  # None: a computer, which nothing restarts
if watched_ms:
    machine.WDT(timeout=watched_ms)
try:
    from joulelog.device import ends

    short = ends.begin(board)
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
    ends.left()  # for the REPL
except KeyboardInterrupt:
    if "joulelog.device.ends" in sys.modules:
        sys.modules["joulelog.device.ends"].left()
    raise
except Exception as error:
    if watched_ms is None:
        raise
    gc.collect()
    try:
        sys.print_exception(error)  # type: ignore[attr-defined] - of MicroPython
        if "joulelog.device.ends" in sys.modules:  # else it is that which is broken
            from joulelog import broken

            sys.modules["joulelog.device.ends"].end(broken.line(error))
    except Exception:  # no memory to say why; or the rest is broken as well
        pass
    print("starting again in five seconds; Ctrl-C keeps the REPL")
    import time

    time.sleep(5)
    machine.reset()
finally:
    if watched_ms:  # the REPL has a day
        machine.WDT(timeout=86400000)
