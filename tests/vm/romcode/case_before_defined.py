"""Names used before they are stored, in this module and by its functions."""


def tell(function):
    try:
        print(function())
    except NameError:
        print("NameError")


def uses_function():
    return later_function()


def uses_class():
    return LaterClass().read()


def uses_constant():
    return LATER


for function in (uses_function, uses_class, uses_constant):
    tell(function)
print("LATER" in globals(), "LaterClass" in globals(), "later_function" in dir())
try:
    print(LATER)
except NameError:
    print("NameError")
try:

    class Early(LaterClass):
        pass
except NameError:
    print("NameError")


def later_function():
    return "function"


class LaterClass:
    def read(self):
        return "class"


tell(uses_constant)
LATER = 5
for function in (uses_function, uses_class, uses_constant):
    tell(function)
print("LATER" in globals(), "LaterClass" in globals())


def len(thing):
    return "own len"


print(len([1]))
del len
print(len([1]))
