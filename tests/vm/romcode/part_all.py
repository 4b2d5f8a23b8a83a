"""A module that says what a star import takes."""

__all__ = ["shown", "_shown_too", "Shown"]


def shown():
    return "shown"


def _shown_too():
    return "shown too"


def not_listed():
    return "not listed"


class Shown:
    pass
