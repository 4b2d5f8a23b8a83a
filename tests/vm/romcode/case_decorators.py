"""Decorators: of functions, of classes, static, class methods, properties with all three parts."""


def twice(function):
    def wrapped(*arguments, **named):
        return function(*arguments, **named) * 2

    return wrapped


def times(count):
    def decorate(function):
        return lambda *arguments: function(*arguments) * count

    return decorate


def same(thing):
    return thing


REGISTRY = {}


def register(kind):
    REGISTRY[kind.__name__] = kind
    kind.registered = True
    return kind


def replace(kind):
    return kind.__name__ + " replaced"


@twice
def one(value=1):
    return value


@times(3)
@twice
def two(value):
    return value


@same
def unchanged(value=3):
    return value


@register
class First:
    @staticmethod
    def static(value, more=1):
        return value + more

    @classmethod
    def named(cls, prefix=""):
        return prefix + cls.__name__

    @twice
    def method(self):
        return 4

    def __init__(self):
        self._size = 1

    @property
    def size(self):
        return self._size

    @size.setter
    def size(self, value):
        self._size = value

    @size.deleter
    def size(self):
        self._size = None

    def _get(self):
        return "got"

    readable = property(_get)


@replace
class Second:
    pass


class Third(First):
    @property
    def size(self):
        return "third"


print(one(), one(5), two(1), unchanged(), unchanged(8))
print(sorted(REGISTRY), First.registered, Second)
first = First()
print(First.static(1), first.static(1, 2), First.named(), first.named("a "), Third.named())
print(first.method(), first.size, first.readable)
first.size = 9
print(first.size)
del first.size
print(first.size)
try:
    first.readable = 1
except AttributeError:
    print("AttributeError")
third = Third()
print(third.size, third.readable)
try:
    third.size = 3
except AttributeError:
    print("AttributeError")
print(isinstance(First.__dict__["size"] if hasattr(First, "__dict__") else None, property))
