"""Imports from all around it."""

from . import PLACE
from .. import door
from ..door import Door


class Window(Door):
    material = "glass"

    def open(self):
        return PLACE + " " + super().open() + " " + str(door.KNOCKS)
