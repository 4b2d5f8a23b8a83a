"""A module imported again after it was taken out of sys.modules, and the old one still in use."""

import sys

import part_counter

old = part_counter
print(old.increase(), old.increase(5), old.count)
old.kept.append(1)
old.added = "added"
tally = old.Tally()
print(tally.add(), tally.add())
del sys.modules["part_counter"]
import part_counter

print(part_counter.count, part_counter.kept, hasattr(part_counter, "added"))
print(part_counter.increase(), part_counter.increase())
print(part_counter.Tally().add(), part_counter.Tally.kinds)
print("part_counter" in sys.modules)


def fails():
    import part_fails


for _ in range(2):
    try:
        fails()
    except ZeroDivisionError:
        print("ZeroDivisionError", "part_fails" in sys.modules)
