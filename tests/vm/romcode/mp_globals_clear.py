"""globals() cleared, as nothing but a soft reset or a test does; the function goes on."""

import sys


def function():
    return 1


KEPT = [1, 2]


def clear(output):
    names = globals()
    names.clear()
    output(len(names), "function" in names)
    try:
        function()
    except NameError:
        output("NameError")
    names["function"] = lambda: "new"
    output(function())


clear(print)
print(sorted(globals()))
