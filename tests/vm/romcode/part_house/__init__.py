"""A package: relative imports, and a submodule as an attribute."""

from .door import Door, knock
from . import door as entrance

NAME = "house"
doors = [Door("front")]


def open_all():
    return [thing.open() for thing in doors]
