"""Imports part_right, which imports this."""

print("left starts")
EARLY = "early"


def early():
    return "early function"


import part_right

print("left goes on", part_right.VALUE)
LATE = "late"


def late():
    return "late function, " + part_right.read()


class Late:
    value = "late class"
