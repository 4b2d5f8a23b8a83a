"""Names that modules, functions and classes tell about themselves."""

import part_house.upper.window
import part_shapes
from part_values import Plain, double


def function():
    pass


def generator(value=1):
    yield value


class Thing:
    def method(self):
        return self.__class__.__name__

    class Inner:
        pass


print(part_house.__name__, part_house.upper.__name__, part_house.upper.window.__name__)
print(part_shapes.__name__, function.__name__, double.__name__, generator.__name__)
print(
    Thing.__name__,
    Thing.Inner.__name__,
    Thing().method(),
    Plain.__name__,
    Plain().__class__.__name__,
)
print(Plain.__module__, Thing.Inner.__module__ == __name__, part_shapes.Square.__module__)
print(Plain.__qualname__, type(Plain).__name__, type(Plain()).__name__, type(function).__name__)
print((lambda: 1).__name__, Thing.method.__name__)
print([kind.__name__ for kind in part_shapes.Square.__bases__])
print(str(Plain)[:6], repr(double)[:16])
