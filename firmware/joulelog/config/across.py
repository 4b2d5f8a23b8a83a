"""What the entries of a config say of one another: the names of readers, and their channels.

    known = across.names(result.readers, given)      # also of readers with a problem
    across.missing("sources", "smr", known)          # "" or '`sources` names "smr", but ...'
    for where, text in across.channels(result, registry):       # in steps: ("", "") is a pause
        print(where, text)            # "sinks[0] (mqtt)", '`channels` names "powr", which ...'

Which channels a reader has is known beforehand where its module has a function keys(entry): of
registers, and of what is computed. What a P1 meter or a heat pump sends nobody knows before it
does. What a sink names beside `sources` and `channels` its module's named(entry) yields, as pairs
(reader, channel). Needed at start only.
"""

from .types import nearest, shown


def names(readers: list[dict], given) -> list[str]:
    """The names of all readers, also of those with a problem: one mistake, one message."""
    found = [entry["name"] for entry in readers if "name" in entry]
    for entry in given:
        name = entry.get("name") or entry.get("type")
        if isinstance(name, str) and name not in found:
            found.append(name)
    return found


def missing(key: str, name, known: list[str]) -> str:
    """What is wrong with the name of a reader in this key; "" for nothing."""
    if not isinstance(name, str) or name in known:
        return ""
    readers = ", ".join([shown(one) for one in known]) or "none"
    text = "`%s` names %s, but no reader has that name; readers: %s"
    return text % (key, shown(name), readers)


def channels(config, registry):
    """Yield (entry, problem) of each channel that an entry wants and no reader can have.

    ("", "") where nothing is wrong, but the others may have their turn.
    """
    keys: dict = {}  # name of a reader -> its channels as they are called, or None: not known
    for index, entry in enumerate(config.readers):
        module = registry.module(registry.READERS, entry["type"])
        known = module.keys(entry) if hasattr(module, "keys") else None
        if known is not None:
            wanted = entry["channels"]
            yield from _unknown("readers", index, entry, known)
            called = entry["names"]
            known = [called.get(key, key) for key in known if not wanted or key in wanted]
        keys[entry["name"]] = known
        yield "", ""
    for index, entry in enumerate(config.sinks):
        module = registry.module(registry.SINKS, entry["type"])
        if hasattr(module, "named"):
            where = "sinks[%d] (%s)" % (index, entry["type"])
            option = "values" if entry["values"] else "body"
            told = ""
            for name, key in module.named(entry):
                wrong = missing(option, name, list(keys)) or _no_channel(option, key, keys[name])
                if wrong and wrong != told:
                    yield where, wrong
                told = wrong or told
        known = []
        for name in entry["sources"] or keys:
            more = keys[name]
            known = None if known is None or more is None else known + more
        if known:
            yield from _unknown("sinks", index, entry, known)
        yield "", ""


def _unknown(section: str, index: int, entry: dict, known: list[str]):
    for key in entry["channels"] or ():
        wrong = _no_channel("channels", key, known)
        if wrong:
            yield "%s[%d] (%s)" % (section, index, entry["type"]), wrong


def _no_channel(option: str, key: str, known: list[str] | None) -> str:
    """What is wrong with a channel's name; "" for nothing, or where nobody knows."""
    if known is None or key in known:
        return ""
    near = nearest(key, known)
    hint = 'did you mean "%s"?' % near if near else "allowed: " + ", ".join(known)
    return "`%s` names %s, which no reader has; %s" % (option, shown(key), hint)
