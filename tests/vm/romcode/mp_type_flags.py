"""What a subclass needs from its base's type: special accessors told by a base in flash."""

from part_shapes import Shape


class Getter(Shape):
    def __getattr__(self, name):
        return "got " + name


class Setter(Shape):
    def __setattr__(self, name, value):
        object.__setattr__(self, name, ("set", value))


class Later(Shape):
    pass


def added(self, name):
    return "added " + name


print(Getter("g").absent, Setter("s").name, Later("l").name)
try:
    Shape.__getattr__ = added
    print(Later("l").nothing)
except AttributeError:
    print("AttributeError")
try:
    Later.late = property(lambda self: "late " + self.name)
    print(Later("x").late)
except AttributeError:
    print("AttributeError")
