"""Globals in RAM that grow while the heap is nearly full: stores that need memory, one refused."""

import gc

import part_keeper
import part_values

part_keeper.fill()
hoard = []
try:
    while True:
        hoard.append(bytearray(512))
except MemoryError:
    pass
count = len(hoard)
del hoard[-min(100, count // 2) :]
gc.collect()
stored = 0
try:
    for number in range(5000):
        setattr(part_values, "name" + str(number), [number])
        stored += 1
except MemoryError:
    print("full")
print(stored > 0, count > 20)
hoard = None
gc.collect()
print(part_values.read_number(), part_keeper.check())
for number in range(0, stored, 7):
    if getattr(part_values, "name" + str(number)) != [number]:
        print("lost", number)
part_values.after = [1]
gc.collect()
print(part_values.after, part_values.Plain().grow())
