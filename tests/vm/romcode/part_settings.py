"""Classes whose attributes others write."""


class Settings:
    level = 1
    name = "settings"
    hook = None

    def read(self):
        return self.level, self.name

    def raise_level(self):
        self.__class__.level += 1

    def by_type(self, value):
        type(self).name = value

    @classmethod
    def configure(cls, level):
        cls.level = level

    @staticmethod
    def reset():
        Settings.level = 1
        Settings.name = "settings"


class Child(Settings):
    own = 5


def configure(kind, name, value):
    setattr(kind, name, value)
