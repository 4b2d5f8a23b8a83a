"""A class whose attributes no code writes by any name that a freezer could see."""


class Untouched:
    value = 1
    other = 2

    def read(self):
        return self.value
