"""isinstance and issubclass over modules, and classes as values."""

import part_shapes
from part_shapes import Index, NotFound, Refused, Shape, Square, Stack

KINDS = [Shape, Square, Stack, Index, NotFound, Refused]
THINGS = [Shape("s"), Square(1), Stack(), Index(), NotFound(), Refused("r")]
for thing in THINGS:
    print(type(thing).__name__, [isinstance(thing, kind) for kind in KINDS])
for kind in KINDS:
    print(kind.__name__, [issubclass(kind, other) for other in KINDS])
    print([issubclass(kind, base) for base in (object, list, dict, Exception, (int, list))])
    print(isinstance(kind, type), isinstance(kind, Shape))
makers = {"shape": Shape, "square": lambda: Square(4), "stack": part_shapes.Stack}
print(sorted(type(make()).__name__ for make in makers.values()))


def make(kind=Square, *arguments):
    return kind(*arguments)


print(make(Shape, "x").describe(), make(Square, 2).area(), make(list, (1, 2)))
for wrong in (lambda: isinstance(1, 2), lambda: issubclass(1, Shape), lambda: Square()):
    try:
        wrong()
    except TypeError:
        print("TypeError")
try:
    Shape().absent
except AttributeError:
    print("AttributeError")
print(Shape.describe(Shape("unbound")), Square.describe(Square(1)))
