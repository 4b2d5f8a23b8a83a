"""del of names of a module: in it, from a function, and from another module."""

import part_values


def gone(function):
    try:
        return function()
    except (NameError, AttributeError, KeyError):  # which of them differs between the Pythons
        return "gone"


CONSTANT = 7


def function():
    return "function"


class Thing:
    pass


def use_function():
    return function()


def drop_constant():
    global CONSTANT
    del CONSTANT


print(use_function())
del function
print(gone(use_function))
del Thing
print(gone(lambda: Thing))
drop_constant()
print(gone(lambda: CONSTANT))
print(gone(drop_constant))
CONSTANT = 8
print(CONSTANT)
print("function" in globals(), "Thing" in globals(), "CONSTANT" in globals())


def function():
    return "another"


print(use_function())

print(part_values.double(4))
del part_values.double
print(gone(lambda: part_values.double))
print(hasattr(part_values, "double"))


def delete_twice():
    del part_values.double


print(gone(delete_twice))
part_values.double = len
print(part_values.double("abc"))
del part_values.double
print(gone(lambda: part_values.double))
part_values.set_later("x")
print(part_values.get_later(), part_values.later)
part_values.drop_later()
print(gone(part_values.get_later))
print(gone(part_values.drop_later))
part_values.later = "again"
print(part_values.get_later())
del part_values.NUMBER
print(gone(part_values.read_number))
part_values.NUMBER = 5
print(part_values.read_number())
try:
    from part_values import double
except ImportError as problem:
    print("ImportError")
