"""Who set what: the board, config.py, the settings file; and that file, which a page may write.

    config = settings.over(config, board)            # at the start: what counts of all of them

    changes = settings.Settings(config, board)       # config: that of config.py
    changes.set("wifi", {"ssid": "home", "password": "..."})    # None: as config.py has it
    changes.save()                                   # ConfigError: nothing is written
    for key, value, origin in changes.rows():        # "clock.timezone", '"UTC0"', "settings"
        print(key, value, origin)

The later counts: built-in defaults, the board's DEFAULTS, config.py, the settings file. A section
of the file (wifi, log, ...) changes the keys that it has; a list (readers, sinks) and a single
value replace config.py's. What cannot work as a whole is never written.

The file lies beside the state and is written as that: settings.a and settings.b in turn, with a
CRC. One that is damaged, or that has come to be a mistake, is told by its name, and the older of
the two counts; where that is none either, config.py alone. Loaded for a moment at the start.
"""

from .. import registry
from ..errors import ConfigError

_LONGEST = 2500  # bytes of an entry of a list, or of a section


def over(config, board):
    """The config with the settings file over it; config itself where there is no file that works.

    Prints what is wrong with a file.
    """
    found = Settings(config, board)
    for _ in range(2):  # the newest file, then the one before
        if not found.changes():
            break
        try:
            found.check()
            return found.merged()
        except ConfigError as error:
            print("%s cannot work, what was before it counts:" % found.path())
            for line in str(error).split("\n"):
                print("  " + line)
        found._store.go_back()
    return config


def rows(found, board, given: dict, changes: dict):
    """Yield (key, value as text without secrets, who set it) of a checked config."""
    from .schema import parts

    adapted = getattr(board, "DEFAULTS", {})
    top = {"device": found.device, "board": found.board}
    yield from _rows("", top, found.secrets, {}, given, changes)
    for label, name, index, part in parts(found):
        if index is None:
            layers = adapted.get(name), given.get(name), changes.get(name)
        elif name in changes:
            layers = adapted.get(part.get("type")), None, changes[name][index]
        else:
            layers = adapted.get(part.get("type")), given[name][index], None
        yield from _rows(label + ".", part, found.secrets, *layers)


def _rows(where: str, values: dict, secrets: list, *layers):
    """The same of one section; layers: what board, config.py and settings have of it."""
    from .types import shown

    for key in values:
        origin = "default"
        for name, layer in zip(("board", "config", "settings"), layers):
            if isinstance(layer, dict) and key in layer:
                origin = name
        text = "***" if key in secrets and values[key] else shown(values[key], 60)
        yield where + key, text, origin


class Settings:
    """What the settings file says, over a config."""

    def __init__(self, config, board) -> None:
        from ..device.state import Store
        from . import schema

        self.given = schema.given_of(config)
        self._board = board
        self._store = Store(registry.log_folder(config, board), "settings")
        self._store.open()

    def changes(self) -> dict:
        """Section -> what the file says of it."""
        return self._store.values

    def path(self) -> str:
        """The file that counts."""
        return self._store.path()

    def merged(self) -> dict:
        """config.py with the changes over it."""
        whole = dict(self.given)
        for name in self.changes():
            change = self.changes()[name]
            below = whole.get(name)
            if isinstance(change, dict) and isinstance(below, dict):
                below = dict(below)
                below.update(change)
                change = below
            whole[name] = change
        return whole

    def check(self):
        """The checked config; ConfigError lists what is wrong."""
        from . import schema

        return schema.check(self.merged(), self._board, registry)

    def rows(self):
        """Yield (key, value as text without secrets, who set it)."""
        return rows(self.check(), self._board, self.given, self.changes())

    def set(self, name: str, value) -> None:
        """Change a section, a list or a single value; None: leave it to config.py."""
        import json

        for part in value if isinstance(value, list) else (value,):
            if len(json.dumps(part).encode()) > _LONGEST:
                raise ConfigError("%s: an entry has more than %d bytes" % (name, _LONGEST))
        self._store.put(name, value)

    def save(self) -> None:
        """Write what was set; ConfigError where it cannot work or be written."""
        self.check()
        if not self._store.save_now():
            raise ConfigError("%s cannot be written" % self._store.path())
