"""Part of the package."""

KNOCKS = 2


class Door:
    material = "wood"

    def __init__(self, name, width=90):
        self.name = name
        self.width = width

    def open(self):
        return self.name + " opens"


def knock(times=KNOCKS):
    return "knock " * times
