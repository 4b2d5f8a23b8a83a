"""Star imports of frozen modules."""

from part_values import *

print(NUMBER, TEXT, double(4), Plain().grow())
for name in ("_private", "_Hidden"):
    print(name, name in globals())
set_later(5)
print(later, get_later())
NUMBER = 6
print(NUMBER, read_number())


def double(value):
    return "own"


print(double(1))
from part_all import *

print(shown(), _shown_too(), Shown.__name__, "not_listed" in globals())
import part_values

print(part_values.double(1), part_values.NUMBER)
part_values.fresh = 1
from part_values import *

print(fresh, NUMBER, double(4))
