"""dir() of modules, classes and instances, before and after something was stored."""

import part_values


def names(thing):
    return [name for name in dir(thing) if name[:2] != "__"]


print(sorted(names(part_values)))
print("__name__" in dir(part_values), part_values.__name__)
part_values.added = 1
print("added" in dir(part_values))
del part_values.added
print("added" in dir(part_values))
print(sorted(names(part_values.Plain)))
thing = part_values.Plain()
thing.own = 3
print([name for name in ("own", "size", "grow", "none") if name in dir(thing)])
print("names" in dir(), "thing" in dir(), "absent" in dir())


def local():
    inner = 1
    return inner


print(local(), "inner" in dir())
