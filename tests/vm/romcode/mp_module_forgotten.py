"""A module forgotten as the application's start does: what it held can be collected."""

import gc
import sys

import part_keeper

part_keeper.fill()
gc.collect()
used = gc.mem_alloc()
names = part_keeper.__dict__
del sys.modules["part_keeper"], part_keeper
names.clear() if hasattr(names, "clear") and len(names) > 100 else None
gc.collect()
import part_keeper

print(part_keeper.check()[3], part_keeper.later, part_keeper.numbers[1])
part_keeper.fill()
gc.collect()
print(part_keeper.check()[3:6])
