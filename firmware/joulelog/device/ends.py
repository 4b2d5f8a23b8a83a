"""How starts ended: three that were too short, and the next one is safe mode (joulelog/safe.py).

    short = ends.begin(board)           # once a start: why safe mode is better, or ""
    ends.doing("p1")                    # the task whose step begins
    ends.end("ValueError: ...")         # it has come to an end, and that is why
    ends.steady()                       # a minute has passed
    ends.left()                         # a person has ended it

Short is what ended within a minute: by an exception, a watchdog, a restart of our own, a crash of
the chip. What a person ends is none: the switch, Ctrl-C, an ESP8266's reset button. The count lies
in the RTC's memory, which a reset leaves as it is and switching off does not: no flash wears, and
it is there before any file system. Beside it lies which task was at work, since a watchdog does
not say. Switch-ons are counted in starts.py, on the flash.
"""

import machine
from micropython import const

# machine's names of the reasons for a reset, and ours
_REASONS = (
    ("PWRON_RESET", "power on"),
    ("HARD_RESET", "reset"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deep sleep"),
    ("SOFT_RESET", "soft reset"),
)

before = ""  # why the start before this one ended, where it was short

# What is in the RTC's memory: the mark; one of these; a count; a count; a text.
_MARK = b"JL1"
_STEADY = const(0)  # or nothing has begun
_YOUNG = const(1)  # in its first minute; the text is the task at work
_ENDED = const(2)  # in its first minute; the text is why
_HEAD = const(6)
_TEXT_BYTES = const(200)  # an ESP8266's memory has room for twice that
_SHORT_STARTS = const(3)
_FIRST_STAY_MS = const(600000)
_STAY_MS = const(3600000)


def reset_reason(machine) -> str:
    """What the module machine says of the last reset: "power on", "watchdog", ..."""
    cause = machine.reset_cause()
    for name, text in _REASONS:
        if getattr(machine, name, None) == cause:
            return text
    return "cause %d" % cause


def begin(board) -> str:
    """Count this start; why those before it ended, where that was too often within a minute."""
    if getattr(board, "WATCHDOG_MS", None) is None:  # a computer
        return ""
    global before
    state, count, stays, text = _recall()
    reason = _reason(board)
    before = ""
    if not reason:
        count = stays = 0
    elif state == _ENDED or state == _YOUNG:
        count = min(count + 1, 255)
        before = text
        if state == _YOUNG:
            before = "%s, while %s was at work" % (reason, text) if text else reason
    _keep(_YOUNG, count, stays, "")
    return before or reason if count >= _SHORT_STARTS else ""


def doing(name: str) -> None:
    """In the first minute: which task is at work from now on."""
    state, count, stays, text = _recall()
    if state == _YOUNG and text != name:
        _keep(_YOUNG, count, stays, name)


def end(why: str) -> None:
    """This start has come to its end."""
    state, count, stays, _ = _recall()
    if state == _YOUNG:
        _keep(_ENDED, count, stays, why)


def steady() -> None:
    """It has lasted for a minute: whatever comes now is no short start."""
    _keep(_STEADY, 0, 0, "")


left = steady  # a person has ended it: that is no short one either


def stay_ms() -> int:
    """Safe mode begins: how long it lasts. Should the next start be short again, it comes back."""
    _, _, stays, _ = _recall()
    _keep(_STEADY, _SHORT_STARTS - 1, min(stays + 1, 255), "")
    return _STAY_MS if stays else _FIRST_STAY_MS


def _recall() -> tuple:
    """(state, short starts before this one, stays in safe mode, text)"""
    data = machine.RTC().memory()
    try:
        if data[:3] == _MARK and len(data) >= _HEAD:
            return data[3], data[4], data[5], data[_HEAD:].decode()
    except ValueError:  # a UnicodeError: what a brown-out left
        pass
    return _STEADY, 0, 0, ""


def _keep(state: int, count: int, stays: int, text: str) -> None:
    data = text.encode()
    while len(data) > _TEXT_BYTES:
        text = text[: _TEXT_BYTES if len(text) > _TEXT_BYTES else -1]
        data = text.encode()
    machine.RTC().memory(_MARK + bytes((state, count, stays)) + data)


def _reason(board) -> str:
    """What reset the chip, where it was no person: an ESP8266's "reset" is that of its pin."""
    found = reset_reason(machine)
    if found == "power on" or (found == "reset" and board.CHIP == "esp8266"):
        return ""
    return "a crash" if found == "reset" else found
