"""Settings as a page may see and change them: without their secrets, which stay where they belong.

    editor = edit.Editor(config, board)       # config: that of config.py
    await editor.shown()                      # {"wifi": {"ssid": "home", "password": True}, ...}
    await editor.save({"sinks": [...]})       # [] when written, or what is wrong, a line each

A secret that is set is shown as True, which no secret can be, and True that comes back stands for
what is stored: for the entry of its type that goes to the same place. Where host, port, url or
ssid is another one, the secret has to be given again, or it would be sent to a stranger.
"""

import asyncio

from micropython import const

from .. import clock, registry
from ..device import chip
from ..errors import ConfigError
from . import Config, schema, tables
from .settings import Settings, opened
from .types import masked, shortened

_PLACES = ("type", "host", "port", "url", "ssid")  # where a secret is sent
_OWNERS = ("name", "user")
LISTS = (("readers", registry.READERS), ("sinks", registry.SINKS))
_NETWORKS = const(5)  # that are kept beside a new one


class Editor:
    """What config.py and settings say, for people who may not see everything.

    One task at a time is at it, the others wait: a change is checked and written in many steps.
    """

    _usable = None  # what usable() has found; a page asks for it every second

    def __init__(self, config, board) -> None:
        self._board = board
        self._config = config
        self._lock = asyncio.Lock()

    async def shown(self) -> dict:
        """Section -> what counts, a secret as True."""
        async with self._lock:
            return await self._shown()

    async def changed(self) -> list:
        """The sections that are not config.py's."""
        async with self._lock:
            return sorted((await self._opened()).changes())

    async def problems(self, changes: dict) -> list:
        """What would be wrong with these sections, a line each."""
        async with self._lock:
            return (await self._put(changes))[1]

    async def save(self, changes: dict) -> list:
        """Write these sections (None: as config.py has it); [], or what is wrong, a line each."""
        async with self._lock:
            return await self._save(changes)

    async def save_with(self, name: str, change) -> list:
        """The same of one section: change(what is shown of it) returns what it is to be."""
        async with self._lock:
            shown = (await self._shown()).get(name)
            changed = change(shown)
            return [] if changed == shown else await self._save({name: changed})

    async def save_network(self, network: dict) -> list:
        """Write a Wi-Fi network that works, the first to be tried from now on."""
        async with self._lock:
            known = (await self._opened()).merged().get("wifi") or []
            known = [known] if isinstance(known, dict) else list(known)
            others = [one for one in known if one.get("ssid") != network["ssid"]]
            return await self._save(
                {"wifi": [network] + others[:_NETWORKS] if others else network}
            )

    async def usable(self) -> bool:
        """Whether the board can measure with it."""
        async with self._lock:
            if self._usable is None:
                self._usable = await self._can_measure()  # type: ignore[assignment]
            return bool(self._usable)

    def networks(self) -> list:
        """The Wi-Fi networks that can be tried, as the checked config has them; at the start."""
        merged = opened(self._config, self._board).merged()
        try:
            found = schema.check({"wifi": merged.get("wifi")}, self._board, registry).wifi
        except ConfigError:
            return []
        return [found] if isinstance(found, dict) else found or []

    def device(self) -> str:
        """The logger's name; at the start."""
        found = opened(self._config, self._board).merged().get("device")
        return found if found and isinstance(found, str) else "joulelog-" + chip.digits()

    async def _can_measure(self) -> bool:
        merged = (await self._opened()).merged()
        if not merged.get("readers"):
            return False
        if self._board.NAME != "HOST" and registry.simulated(merged):
            return False
        try:
            await _in_steps(schema.checking(Config(), merged, self._board, registry))
        except ConfigError:
            return False
        return True

    async def _opened(self) -> Settings:
        found = Settings(self._config, self._board)
        await _in_steps(found.opening())
        return found

    async def _shown(self) -> dict:
        merged = (await self._opened()).merged()
        found = {}
        for name in merged:
            value = merged[name]
            if isinstance(value, (list, tuple)):
                found[name] = []
                for entry in value:
                    found[name].append(await _hidden(name, entry))
            else:
                found[name] = await _hidden(name, value)
        return found

    async def _save(self, changes: dict) -> list:
        found, problems = await self._put(changes)
        if problems:
            return problems
        self._usable = None
        try:
            await _in_steps(found.writing())
        except ConfigError as error:
            return str(error).split("\n")
        return []

    async def _put(self, changes: dict) -> tuple:
        """(The settings with the changes in them, what is wrong)."""
        settings = await self._opened()
        before = settings.merged()
        problems: list = []
        for name in changes:
            value = changes[name]
            stored = before.get(name)
            if not schema.given_of({name: 0}):  # a config may have such helpers
                problems.append("config: `%s` is not a key here" % shortened(masked(name)))
            if isinstance(value, list):
                filled = []
                for index, entry in enumerate(value):
                    where = "%s[%d]" % (name, index)
                    filled.append(await _filled(where, name, entry, stored, problems))
                value = filled
            elif value is not None:
                value = await _filled(name, name, value, stored, problems)
            try:
                settings.set(name, value)
            except (ConfigError, ValueError) as error:
                problems.append(str(error))
            await clock.sleep_ms(0)
        if not problems:
            await _in_steps(settings.finding(problems, before, changes))
        return settings, problems


async def _in_steps(steps) -> None:
    """Go through a generator of pauses; in each of them the others have their turn."""
    try:
        for _ in steps:
            await clock.sleep_ms(0)
    finally:
        steps.close()


async def _secrets(section: str, entry: dict) -> list | None:
    """The keys of an entry that are secrets; None where nobody knows."""
    texts = ()
    if section == "wifi":
        texts = (tables.WIFI,)
    for name, table in LISTS:
        if name == section:
            texts = await _schema(table, entry.get("type"))
    if section in registry.names(registry.SERVICES):
        texts = await _schema(registry.SERVICES, section)
    if texts is None:
        return None
    found = []
    for text in texts:
        found.extend([row[0] for row in schema.rows(text) if row[1][:6] == "secret"])
        await clock.sleep_ms(0)
    return found


async def _schema(table: tuple, name):
    """The tables of a type; None where it is none, or not installed."""
    await clock.sleep_ms(0)  # an import cannot be cut
    try:
        module = registry.module(table, name)
    except (KeyError, ImportError):
        return None
    await clock.sleep_ms(0)
    return schema.texts(module)


async def _hidden(section: str, entry):
    """An entry with its secrets as True; of a type that nobody knows only that."""
    if not isinstance(entry, dict):
        return entry
    secrets = await _secrets(section, entry)
    if secrets is None:
        return {key: entry[key] for key in _PLACES + _OWNERS if key in entry}
    return {key: True if key in secrets and entry[key] else entry[key] for key in entry}


async def _filled(where: str, section: str, entry, before, problems: list):
    """The entry with the stored secrets in place of True."""
    if not isinstance(entry, dict):
        return entry
    filled = dict(entry)
    kept = [key for key in entry if entry[key] is True]
    secrets = await _secrets(section, entry) if kept else ()
    for key in secrets or ():
        if key not in kept:
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
