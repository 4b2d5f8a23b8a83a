"""globals() read, written and gone through; a module's __dict__ from outside."""

import part_values

FIRST = 1


def read():
    return WRITTEN


def second():
    return "second"


names = globals()
print(names["FIRST"], names["second"](), names is globals())
print("FIRST" in names, "absent" in names, names.get("absent", "default"))
names["WRITTEN"] = 11
print(WRITTEN, read())
names["FIRST"] = 2
print(FIRST)
names["second"] = lambda: "replaced"
print(second())
del names["WRITTEN"]
try:
    read()
except NameError:
    print("NameError")
try:
    del names["absent"]
except KeyError:
    print("KeyError")
print(sorted(name for name in names if name[0] != "_"))
print(sorted(key for key, _ in names.items() if key in ("FIRST", "read")))
print(len(names) > 4, bool(names), FIRST in list(names.values()))
names.update({"UPDATED": 3})
print(UPDATED)
print(names.pop("UPDATED"), "UPDATED" in names)
print(names.setdefault("FIRST", 100), names.setdefault("NEW", 100), NEW)
copy = names.copy()
copy["FIRST"] = "copy"
print(FIRST, copy["FIRST"], copy["read"] is read)
print(dict(names)["read"] is read)

inside = part_values.__dict__
print(inside["NUMBER"], inside["double"](3), "absent" in inside)
print(sorted(name for name in inside if name[0] != "_"))
