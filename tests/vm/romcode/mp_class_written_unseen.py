"""Writes to a class that no freezer can see: they happen, or they raise; they never do nothing."""

import part_untouched


def told(expected):
    kind = part_untouched.Untouched
    print(kind.value == expected, kind().value == expected, kind().read() == expected)


def set_attribute(kind):
    setattr(kind, "val" + "ue", 3)


def augment(kind):
    kind.value += 10


def delete(kind):
    del kind.value


def write_dict(kind):
    kind.__dict__["value"] = 4


def write(kind):
    kind.value = 2


kind = getattr(part_untouched, "Un" + "touched")
for change, value in ((write, 2), (set_attribute, 3), (augment, None), (write_dict, 4)):
    before = kind.value
    if value is None:
        value = before + 10
    try:
        change(kind)
    except (AttributeError, TypeError):
        value = before
    told(value)
try:
    delete(kind)
    print(not hasattr(kind, "value"))
except AttributeError:
    print(hasattr(kind, "value"))
print(kind.other, kind().other)
