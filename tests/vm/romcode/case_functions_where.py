"""Functions defined in loops, behind if and try, twice, before and after a condition."""

functions = []
for number in range(3):

    def looped(value=number):
        return value

    functions.append(looped)
print([function() for function in functions], functions[0] is functions[1])
same = []
for _ in range(2):

    def constant():
        return "constant"

    same.append(constant)
print([function() for function in same])

SWITCH = len(functions) == 3
if SWITCH:

    def chosen():
        return "if"
else:

    def chosen():
        return "else"


print(chosen())
if not SWITCH:

    def never():
        return "never"


try:
    never()
except NameError:
    print("NameError")
try:

    def tried():
        return "tried"

    raise ValueError
except ValueError:

    def recovered():
        return "recovered"
finally:

    def last():
        return "last"


print(tried(), recovered(), last())


def twice():
    return 1


first = twice


def twice():
    return 2


print(first(), twice(), first is twice)

before = "before"
if SWITCH:
    before = "changed"
print(before)
after = "one"
while SWITCH:
    after = "two"
    break
print(after)


def stored():
    return "stored"


if SWITCH:
    stored = None
print(stored)
VALUE = 1
if SWITCH:
    pass
else:
    VALUE = 2
print(VALUE)
if SWITCH:
    MAYBE = 1


def read_maybe():
    return MAYBE


print(read_maybe())
with_default = [1]


def shared(value, kept=with_default):
    kept.append(value)
    return kept


print(shared(2), shared(3), with_default, shared(1, []))
