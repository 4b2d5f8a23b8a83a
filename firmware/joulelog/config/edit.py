"""Settings as a page may see and change them: without their secrets, which stay where they belong.

    editor = edit.Editor(config, board)       # config: that of config.py
    editor.shown()                            # {"wifi": {"ssid": "home", "password": True}, ...}
    editor.save({"sinks": [...]})             # [] when written, or what is wrong, a line each

A secret that is set is shown as True, which no secret can be, and True that comes back stands for
what is stored: for the entry of its type that goes to the same place. Where host, port, url or
ssid is another one, the secret has to be given again, or it would be sent to a stranger.
"""

from micropython import const

from .. import registry
from ..device import chip
from ..errors import ConfigError
from . import schema, tables
from .settings import Settings
from .types import masked, shortened

_PLACES = ("type", "host", "port", "url", "ssid")  # where a secret is sent
_OWNERS = ("name", "user")
_LISTS = (("readers", registry.READERS), ("sinks", registry.SINKS))
_NETWORKS = const(5)  # that are kept beside a new one


class Editor:
    """What config.py and settings say, for people who may not see everything."""

    _usable = None  # what usable() has found; a page asks for it every second

    def __init__(self, config, board) -> None:
        self._board = board
        self._config = config

    def shown(self) -> dict:
        """Section -> what counts, a secret as True."""
        merged = self._settings().merged()
        found = {}
        for name in merged:
            value = merged[name]
            if isinstance(value, (list, tuple)):
                found[name] = [_hidden(name, entry) for entry in value]
            else:
                found[name] = _hidden(name, value)
        return found

    def changed(self) -> list:
        """The sections that are not config.py's."""
        return sorted(self._settings().changes())

    def problems(self, changes: dict) -> list:
        """What would be wrong with these sections, a line each."""
        return self._put(changes)[1]

    def save(self, changes: dict) -> list:
        """Write these sections (None: as config.py has it); [], or what is wrong, a line each."""
        found, problems = self._put(changes)
        if problems:
            return problems
        self._usable = None
        try:
            found.write()
        except ConfigError as error:
            return str(error).split("\n")
        return []

    def save_network(self, network: dict) -> list:
        """Write a Wi-Fi network that works, the first to be tried from now on."""
        known = self._settings().merged().get("wifi") or []
        known = [known] if isinstance(known, dict) else list(known)
        others = [one for one in known if one.get("ssid") != network["ssid"]]
        return self.save({"wifi": [network] + others[:_NETWORKS] if others else network})

    def networks(self) -> list:
        """The Wi-Fi networks that can be tried, as the checked config has them."""
        merged = self._settings().merged()
        try:
            found = schema.check({"wifi": merged.get("wifi")}, self._board, registry).wifi
        except ConfigError:
            return []
        return [found] if isinstance(found, dict) else found or []

    def device(self) -> str:
        """The logger's name."""
        found = self._settings().merged().get("device")
        return found if found and isinstance(found, str) else "joulelog-" + chip.digits()

    def usable(self) -> bool:
        """Whether the board can measure with it."""
        if self._usable is None:
            self._usable = self._can_measure()  # type: ignore[assignment]
        return bool(self._usable)

    def _can_measure(self) -> bool:
        settings = self._settings()
        try:
            settings.check()
        except ConfigError:
            return False
        merged = settings.merged()
        return bool(merged.get("readers")) and not self._simulated(merged)

    def _simulated(self, merged: dict) -> bool:
        return self._board.NAME != "HOST" and bool(registry.simulated(merged))

    def _settings(self) -> Settings:
        return Settings(self._config, self._board)

    def _put(self, changes: dict) -> tuple:
        """(The settings with the changes in them, what is wrong)."""
        settings = self._settings()
        before = settings.merged()
        problems: list = []
        for name in changes:
            value = changes[name]
            if not schema.given_of({name: 0}):  # a config may have such helpers
                problems.append("config: `%s` is not a key here" % shortened(masked(name)))
            if isinstance(value, list):
                value = [
                    _filled("%s[%d]" % (name, index), name, entry, before.get(name), problems)
                    for index, entry in enumerate(value)
                ]
            elif value is not None:
                value = _filled(name, name, value, before.get(name), problems)
            try:
                settings.set(name, value)
            except (ConfigError, ValueError) as error:
                problems.append(str(error))
        return settings, problems or settings.problems(before, changes)


def _secrets(section: str, entry: dict) -> list | None:
    """The keys of an entry that are secrets; None where nobody knows."""
    texts = ()
    if section == "wifi":
        texts = (tables.WIFI,)
    for name, table in _LISTS:
        if name == section:
            texts = _schema(table, entry.get("type"))
    if section in registry.names(registry.SERVICES):
        texts = _schema(registry.SERVICES, section)
    if texts is None:
        return None
    return [row[0] for text in texts for row in schema.rows(text) if row[1][:6] == "secret"]


def _schema(table: tuple, name):
    """The tables of a type; None where it is none, or not installed."""
    try:
        return schema.texts(registry.module(table, name))
    except (KeyError, ImportError):
        return None


def _hidden(section: str, entry):
    """An entry with its secrets as True; of a type that nobody knows only that."""
    if not isinstance(entry, dict):
        return entry
    secrets = _secrets(section, entry)
    if secrets is None:
        return {key: entry[key] for key in _PLACES + _OWNERS if key in entry}
    return {key: True if key in secrets and entry[key] else entry[key] for key in entry}


def _filled(where: str, section: str, entry, before, problems: list):
    """The entry with the stored secrets in place of True."""
    if not isinstance(entry, dict):
        return entry
    filled = dict(entry)
    for key in _secrets(section, entry) or ():
        if entry.get(key) is not True:
            continue
        stored = _stored(key, entry, before if isinstance(before, (list, tuple)) else (before,))
        if len(stored) == 1:
            filled[key] = stored[0]
        else:
            text = "%s: `%s` has to be given again: nothing is stored for where this goes"
            problems.append(text % (where, key))
    return filled


def _stored(key: str, entry: dict, before) -> list:
    """The different secrets that are stored for where an entry goes; for its owner, if several."""
    same = [one for one in before if isinstance(one, dict) and _equal(one, entry, _PLACES)]
    own = [one for one in same if _equal(one, entry, _OWNERS)]
    found: list = []
    for one in own or same:
        if one.get(key) and one[key] not in found:
            found.append(one[key])
    return found


def _equal(one: dict, other: dict, keys: tuple) -> bool:
    return all([one.get(key) == other.get(key) for key in keys])
