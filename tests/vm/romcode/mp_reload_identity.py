"""What the old module sees after a reload: MicroPython has two sets of globals then, as Python."""

import sys

import part_counter

old = part_counter
old.increase(10)
first_tally = old.Tally
del sys.modules["part_counter"]
import part_counter

new = part_counter
print(old is new, old.count, new.count)
print(old.increase(), new.increase(), old.count, new.count)
first_tally().add()
print(first_tally.total, new.Tally.total, old.kept is new.kept)
