"""`is` of functions, classes, methods and modules; modules, functions and classes as keys."""

import sys

import part_shapes
import part_values
from part_shapes import Shape, Square
from part_values import Plain, double


def function():
    return 1


alias = function
saved = Shape

print(double is part_values.double, Plain is part_values.Plain, Square is part_shapes.Square)
print(alias is function, globals()["function"] is function, saved is Shape)
print(sys.modules["part_values"] is part_values, sys.modules[__name__].function is function)
print(Square.__bases__[0] is Shape, Square(1).__class__ is Square, type(Square(1)) is Square)
print(Shape.describe is Square.describe, Plain.grow is Plain.grow, Shape.area is Square.area)
table = {part_values: "module", double: "function", Plain: "class", Shape: "shape", None: 0}
print(table[part_values], table[sys.modules["part_values"]], table[part_values.double])
print(table[type(Plain())], table[Square.__bases__[0]], Square in table, part_shapes in table)
print(len({function, alias, double, part_values.double, Plain, part_values.Plain}))
print(function == alias, function != double, Plain == part_values.Plain, Shape == Square)
print(hash(function) == hash(alias), hash(Plain) == hash(part_values.Plain))
print(id(double) == id(part_values.double), id(part_values) == id(sys.modules["part_values"]))
print([kind for kind in (Plain, Square) if kind in (part_values.Plain,)] == [Plain])
print(callable(double), callable(Plain), callable(part_values), bool(double), bool(Plain))
