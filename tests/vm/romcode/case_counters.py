"""Globals that functions change, here and in another module."""

import part_counter
from part_counter import count, increase

total = 0
label = "a"


def add(value):
    global total, label
    total += value
    label = label + "b"


def make():
    global made
    made = "made"


def outer():
    def inner():
        global total
        total = 100

    inner()


for number in range(4):
    add(number)
print(total, label)
outer()
print(total)
make()
print(made)
print(increase(), increase(2), count, part_counter.count)
part_counter.count = 50
print(increase(), part_counter.count)
from part_counter import count

print(count)
total = 7
add(1)
print(total)
