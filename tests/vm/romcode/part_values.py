"""Values of all kinds that other cases import, read, write and delete."""

NUMBER = 5
TEXT = "text"
PAIR = (1, "two")
_private = "private"
later = None


def double(value):
    return value * 2


def read_number():
    return NUMBER


def set_later(value):
    global later
    later = value


def get_later():
    return later


def drop_later():
    global later
    del later


class Plain:
    size = 1
    name = "plain"

    def grow(self):
        return self.size + 1


class _Hidden:
    pass
