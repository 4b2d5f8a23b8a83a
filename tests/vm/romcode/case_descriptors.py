"""Descriptors, __slots__, super() in every place, class attributes that are functions."""


class Field:
    def __init__(self, start=0):
        self.start = start
        self.name = None

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, thing, owner):
        if thing is None:
            return self
        return getattr(thing, "_" + (self.name or "none"), self.start)

    def __set__(self, thing, value):
        setattr(thing, "_" + (self.name or "none"), value)

    def __delete__(self, thing):
        delattr(thing, "_" + (self.name or "none"))


class Record:
    first = Field(1)
    second = Field(2)

    def both(self):
        return self.first, self.second


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left, right=None):
        self.left = left
        self.right = right


def outside(self):
    return "outside", self.__class__.__name__


class Base:
    def __init__(self, *arguments, **named):
        self.arguments = arguments
        self.named = named

    def hello(self):
        return "base"

    @classmethod
    def build(cls, *arguments):
        return cls(*arguments)

    @property
    def size(self):
        return len(self.arguments)


class Middle(Base):
    method = outside
    builtin = len
    shout = lambda self, text="hey": text.upper()

    def hello(self):
        return "middle " + super().hello()


class Last(Middle):
    def __init__(self, first, *rest, **named):
        super().__init__(first, *rest, **named)
        self.first = first

    def hello(self):
        return "last " + super().hello()

    @classmethod
    def build(cls, *arguments):
        return super().build("built", *arguments)

    def comprehend(self):
        parent = super()
        return [parent.hello() for _ in range(2)]


record = Record()
print(record.both())
record.first = 10
print(record.both(), Record().both(), record.__dict__ if False else "")
del record.first
print(record.both())
slotted = Slotted(1)
print(slotted.left, slotted.right)
last = Last(1, 2, key="k")
print(last.hello(), last.arguments, last.named, last.first, last.size, last.method(), last.shout())
print(Last.build(5).arguments, Middle.build(5).arguments, last.comprehend(), last.builtin("four"))
print(Middle.hello(last), Base.hello(last), super(Last, last).hello(), super(Middle, last).hello())
