"""Fails when it is imported, after it has stored things."""

STORED = 1


def function():
    return STORED


class Thing:
    pass


1 // 0
