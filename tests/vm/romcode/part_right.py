"""Imported by part_left before that is done."""

print("right starts")
import part_left

print(part_left.EARLY, part_left.early())
for name in ("LATE", "late", "Late"):
    print(name, hasattr(part_left, name))
    try:
        getattr(part_left, name)
    except AttributeError:
        print("AttributeError")
try:
    from part_left import LATE
except ImportError:
    print("ImportError")
try:
    print(part_left.late())
except AttributeError:
    print("AttributeError")
try:

    class Child(part_left.Late):
        pass
except AttributeError:
    print("AttributeError")
print(sorted(name for name in dir(part_left) if name[0] != "_"))
VALUE = 1


def read():
    return part_left.LATE + " " + part_left.Late.value
