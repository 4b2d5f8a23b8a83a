"""Classes for others to stand on."""


class Shape:
    sides = 0
    kind = "shape"

    def __init__(self, name="none"):
        self.name = name

    def describe(self):
        return self.name + " " + self.kind + " " + str(self.sides)

    def area(self):
        return 0

    @property
    def title(self):
        return "<" + self.name + ">"


class Square(Shape):
    sides = 4
    kind = "square"

    def __init__(self, width):
        super().__init__("square")
        self.width = width

    def area(self):
        return self.width * self.width


class Loud:
    def describe(self):
        return "LOUD " + self.kind


class NotFound(Exception):
    code = 404


class Refused(NotFound):
    def __init__(self, why, retry=None):
        super().__init__(why)
        self.why = why
        self.retry = retry


class Stack(list):
    def top(self):
        return self[-1]


class Index(dict):
    def first(self):
        return sorted(self)[0]
