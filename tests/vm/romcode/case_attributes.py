"""hasattr, getattr and setattr on modules, classes and instances."""

import part_values
from part_values import Plain

for name in ("NUMBER", "double", "Plain", "absent", "_private"):
    print(name, hasattr(part_values, name), getattr(part_values, name, "default") is not None)
print(getattr(part_values, "absent", "default"))
try:
    getattr(part_values, "absent")
except AttributeError:
    print("AttributeError")
setattr(part_values, "NUMBER", 6)
print(part_values.NUMBER, part_values.read_number())
part_values.NUMBER = 5
print(part_values.read_number())
part_values.double = lambda value: value * 20
print(part_values.double(2))
part_values.TEXT += " and more"
print(part_values.TEXT)

thing = Plain()
print(hasattr(Plain, "grow"), hasattr(Plain, "absent"), hasattr(thing, "grow"))
print(getattr(Plain, "size"), getattr(thing, "name"), getattr(thing, "absent", None))
thing.size = 10
print(thing.size, Plain.size, thing.grow(), Plain().grow())
del thing.size
print(thing.size)
try:
    del thing.size
except AttributeError:
    print("AttributeError")
setattr(thing, "name", "own")
print(thing.name, Plain.name)
method = getattr(thing, "grow")
print(method(), Plain.grow(thing))
