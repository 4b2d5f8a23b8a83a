"""A module's __dict__ where MicroPython gives it: written and deleted through it."""

import part_values

inside = part_values.__dict__
try:
    inside["NUMBER"] = 9
    print(part_values.NUMBER, part_values.read_number())
    inside["fresh"] = 1
    print(part_values.fresh)
    del inside["fresh"]
    print(hasattr(part_values, "fresh"))
    del inside["double"]
    print(hasattr(part_values, "double"))
except (TypeError, KeyError) as problem:
    print(type(problem).__name__, problem)
for kind in (part_values.Plain, object, Exception):
    found = kind.__dict__
    print("size" in found, "grow" in found)
    try:
        found["size"] = 2
        print("written", kind.size)
    except (TypeError, AttributeError) as problem:
        print(type(problem).__name__)
