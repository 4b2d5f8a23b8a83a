"""Names as MicroPython tells them: __path__, __file__, how things print."""

import part_house
import part_house.upper
import part_shapes
import part_values

print(part_house, part_house.upper, part_values)
for module in (part_house, part_house.upper, part_house.door, part_values):
    print(getattr(module, "__path__", "no path"), getattr(module, "__file__", "no file"))
print(part_shapes.Square, part_values.double, part_house.Door("d").open)
print(part_values.Plain.__qualname__, getattr(part_values.Plain, "__module__", "none"))
print(part_shapes.Square.__bases__, type(part_values), part_shapes.Refused("x"))
try:
    print(__name__, __file__)
except NameError:
    print(__name__, "no file")
print(sorted(dir(part_values.Plain)))
print(sorted(dir(part_shapes.Square)))
print(sorted(dir(part_values)))
for attribute in ("__doc__", "__code__", "__globals__", "__defaults__", "__init__"):
    print(attribute, hasattr(part_values.double, attribute), hasattr(part_values.Plain, attribute))
