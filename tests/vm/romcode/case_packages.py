"""Packages: submodules as attributes, relative imports, names of modules."""

import sys

import part_house

print(part_house.NAME, part_house.open_all(), part_house.knock(), part_house.knock(1))
print(part_house.door.KNOCKS, part_house.entrance is part_house.door)
print(hasattr(part_house, "upper"))
import part_house.upper.window

print(hasattr(part_house, "upper"), part_house.upper.PLACE)
print(part_house.upper.window.Window("w").open())
from part_house.upper import window
from part_house.upper.window import Window as Glass

print(window.Window is Glass, issubclass(Glass, part_house.Door), Glass("g", 10).width)
print(part_house.upper.GroundDoor is part_house.door.Door)
print(sorted(name for name in sys.modules if name.startswith("part_house")))
part_house.door.KNOCKS = 5
print(Glass("g").open())
part_house.Door.material = "steel"
print(part_house.door.Door.material, Glass.material)
part_house.extra = sys
print(part_house.extra is sys)
try:
    from part_house import cellar
except ImportError:
    print("ImportError")
try:
    import part_house.cellar
except ImportError:
    print("ImportError")
try:
    from .part_house import door
except Exception:
    print("no parent")
found = __import__("part_house.door")
print(found is part_house, __import__("part_house.door", None, None, ["x"]) is part_house.door)
