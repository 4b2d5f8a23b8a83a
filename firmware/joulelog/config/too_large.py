"""What is said of a config that does not fit: its parts, their sum, and what would fit.

    text(plan, table, image, free, short)        # see fits.py, the only user

image is the table of an image for the same chip: code in flash takes less.
"""

from .fits import kb


def text(plan, table, image, free: int, short: int) -> str:
    """A line for the sum, one for the parts, and advice; short: bytes that are missing."""
    slots = plan.slots or plan.least
    lines = [
        "it does not fit: it needs %d kB of memory %s, and %d kB are free"
        % (kb(free + short), _how(table.way), max(0, free) // 1000),
        "  " + ", ".join(_told(plan, table, slots)),
    ]
    fitting = _changes(plan, table, slots, short, 1) or _changes(plan, table, slots, short, 2)
    if fitting:
        lines.append("  what would fit: " + "; or ".join(fitting))
    if table.way != image.way:
        line = "  in an image with the code in flash (make firmware) it needs %d kB instead of %d"
        lines.append(line % (kb(plan.needs(image, slots)), kb(free + short)))
    return "\n".join(lines)


def _told(plan, table, slots: int):
    """Yield the parts with what each adds to those before it."""
    names = [name for name in plan.names() if name in ("core", "work", "ntp")]
    before = table.of(names)
    yield "firmware and network %d kB" % kb(before)
    for label, more, _, _ in plan.entries:
        names.extend(more)
        total = table.of(names)
        yield "%s %d" % (label, kb(total - before))
        before = total
    if plan.kept:
        yield "readings on the flash %d" % kb(table.of(plan.names()) - before)
    if plan.slot:
        yield "%d readings in RAM %d" % (slots, kb(slots * plan.slot))


def _changes(plan, table, slots: int, short: int, most: int) -> list:
    """What would fit: so many changes at once (1 or 2), in words, those that save least first."""
    whole = table.of(plan.names())
    possible: list = [(entry,) for entry in plan.entries if plan.can_spare(entry)]
    possible.append((None,))  # the flash
    if most == 2:
        possible = [(a[0], b[0]) for i, a in enumerate(possible) for b in possible[i + 1 :]]
    found = []
    for change in possible:
        if plan.kept or None not in change:
            saved = whole - table.of(plan.names(change))
            if saved >= short:
                found.append((saved, "%s: %d kB less" % (_in_words(change), saved // 1000)))
    found.sort()
    fewer = -(-short // plan.slot) if plan.slot else slots
    if most == 1 and slots - fewer >= 4:
        found.insert(0, (0, '`queue = {"slots": %d}`' % (slots - fewer)))
    return [text for _, text in found]


def _in_words(change: tuple) -> str:
    names = [entry[0] for entry in change if entry]
    words = ["leave out " + " and ".join(names)] if names else []
    if None in change:
        words.append('`queue = {"flash_kb": 0}`, an outage then costs what RAM does not hold')
    return " and ".join(words)


def _how(way: str) -> str:
    return {"romfs": "from ROMFS", "files": "from files"}.get(way[-5:], "as an image")
