"""A package in the package."""

from .. import NAME
from ..door import Door as GroundDoor

PLACE = "upper " + NAME
