"""Who set what: the board, config.py, the settings file; and that file, which a page may write.

    config, told = settings.over(config, board)      # at the start: what counts of all of them

    changes = settings.opened(config, board)         # config: that of config.py
    changes.set("wifi", {"ssid": "home", "password": "..."})    # None: as config.py has it
    changes.save()                                   # ConfigError: nothing is written
    for key, value, origin in changes.rows():        # "clock.timezone", '"UTC0"', "settings"
        print(key, value, origin)

The later counts: built-in defaults, the board's DEFAULTS, config.py, the settings file. What the
file has replaces a section (wifi, readers, sinks, log, ...) or a single value as a whole: nobody
finds half of it in one place and half in the other. What makes a config worse is never written;
what was wrong in config.py before may stay wrong, for set-up goes from one section to the next.
(A card's config.json will have its place between config.py and the settings file.)

The file lies beside the state and is written as that: settings.a and settings.b in turn, with a
CRC. One that is cut, damaged, of a later version, or that has come to be a mistake is told by its
name, and the older of the two counts; where that is none either, config.py alone. Loaded for a
moment at the start, and when somebody changes something.
"""

from .. import registry
from ..errors import ConfigError

_LONGEST = 2500  # bytes of an entry of a list, or of a section


def over(config, board) -> tuple:
    """(The config with the settings file over it, or itself without one that works; what to tell).

    The first text names the sections that are not config.py's, "" for none; the others tell of
    files that do not count.
    """
    found = opened(config, board)
    told = [""] + list(found.damage())
    for _ in range(2):  # the newest file, then the one before
        changes = found.changes()
        if not changes:
            break
        problems = found.problems()
        if not problems:
            names = ", ".join(sorted(changes))
            text = "%s has %s: what config.py says of that does not count"
            told[0] = text % (found.path(), names)
            return found.merged(), told
        told.append("%s cannot work, what was before it counts:" % found.path())
        told.extend(["  " + line for line in problems])
        found.go_back()
    return config, told


def erase(config, board) -> None:
    """Remove the settings, the older file first: cut off in between, all or none of them stay."""
    import os

    found = opened(config, board)
    newest = found.path()
    for path in found.paths():
        if path != newest:
            _remove(os, path)
    _remove(os, newest)


def _remove(os, path: str) -> None:
    try:
        os.remove(path)
    except OSError:  # it is not there
        pass


def rows(found, board, given: dict, changes: dict):
    """Yield (key, value as text without secrets, who set it) of a checked config."""
    from .schema import parts

    adapted = getattr(board, "DEFAULTS", {})
    top = {"device": found.device, "board": found.board}
    yield from _rows("", top, found.secrets, {}, given, changes)
    for label, name, index, part in parts(found):
        if index is None:
            below = None if name in changes else given.get(name)
            layers = adapted.get(name), below, changes.get(name)
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


def opened(config, board):
    """The Settings, read at once."""
    found = Settings(config, board)
    for _ in found.opening():
        pass
    return found


class Settings:
    """What the settings file says, over a config; opening(), finding() and writing() are steps.

    Steps are generators of pauses: their work is done when they end.
    """

    def __init__(self, config, board) -> None:
        from ..device.state import Store
        from . import schema

        self.given = schema.given_of(config)
        self._board = board
        self._store = Store(registry.log_folder(config, board), "settings")

    def opening(self):
        """Read the file: the first that is to be done."""
        return self._store.opening()

    def changes(self) -> dict:
        """Section -> what the file says of it."""
        return self._store.values

    def path(self) -> str:
        """The file that counts."""
        return self._store.path()

    def paths(self) -> tuple:
        """Both files."""
        return self._store.paths

    def damage(self):
        """Yield what is wrong with files that cannot be read."""
        for path in self._store.unreadable:
            yield "%s is cut, damaged or of a later version: what was before it counts" % path

    def go_back(self) -> None:
        """Take what the older file says."""
        self._store.go_back()

    def merged(self) -> dict:
        """config.py with the changes over it."""
        whole = dict(self.given)
        whole.update(self.changes())
        return whole

    def problems(self, below=None, names=None) -> list:
        """What the changes make wrong, a line each; not what is wrong without them.

        below: the config without them, names: the sections that they have; those of the file.
        """
        found: list = []
        for _ in self.finding(found, below, names):
            pass
        return found

    def finding(self, found: list, below=None, names=None):
        """The same in steps, into found."""
        wrong: list = []
        yield from _lines(wrong, self.merged(), self._board)
        if not wrong:  # the other check takes as long again
            return
        before: list = []
        yield from _lines(before, self.given if below is None else below, self._board)
        names = self.changes() if names is None else names
        for line in wrong:
            section = line.split(":")[0].split("[")[0]
            if section in names or line not in before:
                found.append(line)

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
        problems = self.problems()
        if problems:
            raise ConfigError("\n".join(problems))
        for _ in self.writing():
            pass

    def writing(self):
        """The same in steps, where it is known that nothing is wrong."""
        if not (yield from self._store.saving()):
            raise ConfigError("%s cannot be written" % self._store.path())


def _lines(found: list, config, board):
    """The problems of a config, a line each, in steps."""
    from . import Config, schema

    try:
        yield from schema.checking(Config(), config, board, registry)
    except ConfigError as error:
        found.extend(str(error).split("\n"))
