"""Exceptions that cross modules: raised there, caught here, and the other way round."""

from part_raises import refuse, swallow, translate
from part_shapes import NotFound, Refused


class Own(NotFound):
    def __str__(self):
        return "own text"


def raise_own():
    raise Own("x")


try:
    refuse("busy")
except Refused as problem:
    print(problem.why, problem.retry, problem.code)
print(swallow(lambda: "fine"), swallow(raise_own), swallow(lambda: refuse("no")))
try:
    swallow(lambda: {}["missing"])
except KeyError as problem:
    print("KeyError", problem.args)
try:
    translate(lambda: {}[1])
except NotFound as problem:
    print(problem, problem.args)
print(translate(lambda: None))


class Guard:
    def __enter__(self):
        print("enter")
        return self

    def __exit__(self, kind, value, trace):
        print("exit", kind and kind.__name__, value)
        return kind is Own


with Guard():
    raise_own()
try:
    with Guard() as guard:
        raise ValueError("through")
except ValueError as problem:
    print(problem, guard.__class__.__name__)
try:
    try:
        raise_own()
    except Own:
        raise
except NotFound as problem:
    print("again", problem)
ERRORS = (Own, KeyError)
try:
    raise_own()
except ERRORS as problem:
    print("tuple", type(problem) is Own)
