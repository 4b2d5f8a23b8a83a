"""exec and eval in a module's globals, and in dicts of their own."""

import part_values

COUNT = 3


def helper(value):
    return value + COUNT


print(eval("COUNT + 1"), eval("helper(4)"))
exec("COUNT = 10")
print(COUNT, helper(4))
exec("def made(value):\n    return helper(value) * 2")
print(made(1))
exec("class Made:\n    kind = COUNT\n")
print(Made.kind)
own = {"COUNT": 1}
exec("COUNT += 1\nother = COUNT", own)
print(own["COUNT"], own["other"], COUNT)
print(eval("COUNT", own), eval("COUNT", {"COUNT": "x"}))
exec("del COUNT")
try:
    helper(1)
except NameError:
    print("NameError")
COUNT = 4
print(helper(1))
exec("NUMBER = 50\ndel double", part_values.__dict__)
print(part_values.read_number(), hasattr(part_values, "double"))
exec("from part_values import *")
print(NUMBER, Plain.size)
