"""A module that does more when it is the program."""

import sys

VALUE = 1


def function():
    return VALUE


class Thing:
    def where(self):
        return function()


if __name__ == "__main__":
    import __main__

    VALUE = 2
    print("main", __main__.function() == function(), Thing().where())
else:
    module = sys.modules[__name__]
    print(__name__, module.function is function, Thing().where(), Thing.__module__)
print(function())
