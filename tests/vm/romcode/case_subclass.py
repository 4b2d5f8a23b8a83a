"""Subclasses of frozen classes, of builtin ones, with more than one base, and made by type()."""

import part_shapes
from part_shapes import Index, Loud, NotFound, Refused, Shape, Square, Stack


class Circle(Shape):
    kind = "circle"

    def area(self):
        return 3


class Tiny(Square):
    def __init__(self):
        super().__init__(1)
        self.kind = "tiny"


class LoudSquare(Loud, Square):
    pass


class Both(Circle, Loud):
    extra = 1


for thing in (Shape(), Square(3), Circle("c"), Tiny(), LoudSquare(2), Both("b")):
    print(thing.describe(), thing.area(), thing.title)
    print([isinstance(thing, kind) for kind in (Shape, Square, Circle, Loud, LoudSquare)])
print(issubclass(Tiny, Shape), issubclass(Shape, Tiny), issubclass(Both, (int, Loud)))
print(Tiny.__bases__ == (Square,), LoudSquare.__bases__ == (Loud, Square))
Made = type("Made", (Square,), {"kind": "made"})
print(Made(5).describe(), Made(5).area(), Made.__name__)


class Error(Refused):
    pass


class Tag:
    tag = "tag"


class Multi(Tag, NotFound):
    pass


for kind, arguments in ((NotFound, ("a", 1)), (Refused, ("b",)), (Error, ("c", 5))):
    try:
        raise kind(*arguments)
    except NotFound as problem:
        print(type(problem).__name__, problem.args, problem.code, str(problem))
        print(getattr(problem, "why", None), getattr(problem, "retry", "none"))
try:
    raise Multi("m")
except NotFound as problem:
    print("NotFound", problem.args, problem.code, problem.tag)
stack = Stack([1, 2])
stack.append(3)
print(stack.top(), len(stack), stack == [1, 2, 3], isinstance(stack, list))


class Deep(Stack):
    def top(self):
        return "deep", super().top()


print(Deep([4]).top())
index = Index(b=1, a=2)
print(index.first(), index["b"], len(index))


class Local(part_shapes.Shape):
    class Inner(Square):
        sides = 5

    def make(self):
        return self.Inner(2).describe()


print(Local().make())
Shape.kind_of_all = "all"
print(Circle.kind_of_all, Tiny().kind_of_all)
