"""Defaults: constants, classes, functions, names that change later, closures and lambdas."""

import part_values
from part_values import Plain, double

LIMIT = 3


class Options:
    depth = 2


def with_class(kind=Plain, options=Options, maker=double):
    return kind().grow(), options.depth, maker(LIMIT)


def with_name(limit=LIMIT, *, keyword=LIMIT, pair=(1, LIMIT)):
    return limit, keyword, pair


def with_constants(a=1, b="b", c=None, d=(1, 2), e=b"e", f=1.5, g=..., *, h=True, i=10**12):
    return a, b, c, d, e, f, g, h, i


def with_module(module=part_values):
    return module.NUMBER


def counter(start=0):
    count = start

    def increase(by=1):
        nonlocal count
        count += by
        return count

    def read():
        return count

    return increase, read


class Methods:
    def run(self, options=Options, function=double, *, limit=LIMIT):
        return options.depth, function(limit)

    adders = [lambda value, n=n: value + n for n in range(3)]
    compose = staticmethod(lambda f, g=double: lambda value: f(g(value)))


print(with_class(), with_name(), with_constants(), with_module())
LIMIT = 4
print(with_class(), with_name(), with_name(1, keyword=2))
Options.depth = 9
print(with_class(), Methods().run(), Methods().run(limit=1))


class Options:
    depth = 100


print(with_class(), Methods().run(Options))
increase, read = counter(5)
print(increase(), increase(4), read(), counter()[1]())
print([adder(10) for adder in Methods.adders], Methods.compose(lambda v: v + 1)(4))
add = lambda value, more=LIMIT, *rest, key="k": (value, more, rest, key)
LIMIT = 5
print(add(1), add(1, 2, 3, key=0), (lambda: LIMIT)())
for call in (lambda: with_name(1, 2), lambda: with_name(other=1), lambda: double()):
    try:
        call()
    except TypeError:
        print("TypeError")
keywords = {"keyword": 8, "limit": 7}
print(with_name(**keywords), with_name(*[6]), with_constants(*range(4), **{"h": 0})[:5])
