"""Attributes of classes written in every way that Python has."""

import part_settings
from part_settings import Child, Settings, configure


def state():
    return (Settings().read(), Child().read())


print(state())
Settings.level = 2
print(state())
part_settings.Settings.name = "renamed"
print(state())
thing = Settings()
thing.raise_level()
print(state())
child = Child()
child.raise_level()
print(state())
thing.by_type("by type")
child.by_type("child's")
print(state())
Settings.configure(10)
Child.configure(20)
print(state())
Settings.reset()
print(state())
setattr(Settings, "level", 30)
configure(Child, "level", 31)
print(state())
variable = Settings
variable.level = 40
for kind in (Settings, Child):
    kind.name = kind.__name__
print(state())
Settings.hook = lambda self: "hooked " + str(self.level)
print(Settings().hook(), Child().hook())
Settings.fresh = "fresh"
print(Child.fresh, child.fresh)
del Child.level
print(state())
del Settings.fresh
print(hasattr(Child, "fresh"))
try:
    del Settings.fresh
except AttributeError:
    print("AttributeError")


def read(self):
    return "replaced", self.level


old = Settings.read
Settings.read = read
print(state())
Settings.read = old
print(state())
Settings.level += 1
Child.own -= 1
print(state(), Child.own)
