"""The module `micropython` for CPython: what device code uses of it, and nothing more.

from micropython import const
_LIMIT = const(4096)
"""

import sys


def const(value):
    """Return the value; on MicroPython the compiler puts it in place of the name."""
    return value


def native(function):
    """Code emitters exist on MicroPython only."""
    return function


viper = native


def schedule(function, argument) -> None:
    """Call function(argument) at once: there are no interrupts here that it has to wait for."""
    function(argument)


def kbd_intr(character: int) -> None:
    """Here the terminal says which character interrupts."""


def opt_level(level: int | None = None) -> int:
    """The optimisation level is fixed when CPython starts."""
    return sys.flags.optimize


def alloc_emergency_exception_buf(size: int) -> None:
    """CPython needs no memory set aside for exceptions in interrupts."""


def mem_info(verbose: object = None) -> None:
    """CPython has no heap of fixed size to report on."""
