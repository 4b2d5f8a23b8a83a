"""Imports that may fail, that happen in functions and branches, and that take other names."""

try:
    from part_absent import thing
except ImportError:
    thing = "fallback"

try:
    from part_values import absent
except ImportError:
    absent = "not there"

try:
    from part_values import NUMBER
except ImportError:
    NUMBER = None

try:
    import part_absent
except ImportError:
    part_absent = None

if NUMBER == 5:
    import part_all as chosen
else:
    import part_values as chosen


def late():
    from part_shapes import Square as Found

    return Found(2).area()


def later():
    import part_house.door

    return part_house.door.knock(1)


class Holder:
    from part_values import NUMBER as number
    from part_values import double

    import part_values as module


import part_values as one, part_values as two
from part_values import NUMBER as renamed, double as doubled

print(thing, absent, NUMBER, part_absent, chosen.shown())
print(late(), later(), late(), "part_house" in globals())
print(Holder.number, Holder.module.TEXT, Holder.double(5))
print(one is two, renamed, doubled(2))
one.NUMBER = 77
from part_values import NUMBER

print(NUMBER, renamed, two.NUMBER)
one.NUMBER = 5
for name in ("part_values", "part_none"):
    try:
        print(__import__(name).__name__)
    except ImportError:
        print("ImportError")
