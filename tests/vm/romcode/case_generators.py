"""Generators with defaults of every kind, sent to, closed, thrown into."""

LIMIT = 3


def plain():
    yield 1
    yield 2


def defaults(start=1, stop=4, *, step=1):
    while start < stop:
        yield start
        start += step


def many(*arguments, key="k", **named):
    yield arguments
    yield key
    yield sorted(named.items())


def echo():
    got = None
    while True:
        try:
            got = yield got
        except ValueError as problem:
            got = str(problem)


def closes():
    try:
        yield 1
    finally:
        print("closed")


def outer():
    yield 0
    result = yield from inner()
    yield result


def inner():
    yield "inner"
    return "returned"


class Counter:
    def __init__(self, limit=LIMIT):
        self.limit = limit

    def __iter__(self):
        for number in range(self.limit):
            yield number

    def pairs(self, by=2, *, label="x"):
        for number in self:
            yield label, number * by


print(list(plain()), list(plain()), plain() is plain())
print(list(defaults()), list(defaults(2)), list(defaults(stop=3)), list(defaults(0, 9, step=4)))
print(list(many(1, 2)), list(many(key=5, other=6)))
talk = echo()
next(talk)
print(talk.send("hello"), talk.throw(ValueError("thrown")), talk.send(None))
one = closes()
print(next(one))
one.close()
print(list(outer()))
print(
    list(Counter()), list(Counter(1)), list(Counter().pairs()), list(Counter(2).pairs(3, label=0))
)
print(sum(value for value in defaults() if value > 1), [v for v in Counter()])
try:
    list(defaults(1, 2, 3))
except TypeError:
    print("TypeError")
