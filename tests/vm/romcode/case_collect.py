"""Collections of garbage with objects that only a frozen module refers to."""

import gc

import part_house
import part_keeper
import part_shapes


def churn(times):
    for n in range(times):
        ["junk" + str(n), {n: n}, (n, n)]


gc.collect()
print(part_keeper.check())
part_keeper.fill()
part_shapes.Shape.made = ["made" + str(n) for n in range(20)]
part_shapes.added = {n: str(n) for n in range(20)}
part_house.door.Door.hinges = ["hinge" + str(n) for n in range(5)]
part_house.upstairs = [part_shapes.Square(n) for n in range(5)]
first = part_keeper.check()
print(first)
for number in range(20):
    churn(1000)
    gc.collect()
    if part_keeper.check() != first:
        print("lost in collection", number)
    if part_shapes.Square.made[-1] != "made19" or part_shapes.added[19] != "19":
        print("lost", number)
    if number % 2:
        print(next(part_keeper.walking))
print(part_keeper.check() == first, part_shapes.Shape.made[3], part_shapes.added[5])
print(part_house.door.Door("x").hinges[-1], [s.area() for s in part_house.upstairs])
