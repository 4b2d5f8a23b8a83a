"""The types of config values: what is wrong with a value, in words that help.

    fault("int 1..60", 90, required, board)   -> 'is 90; allowed is a whole number from 1 to 60'
    fault("int 1..60", 9, required, board)    -> None
    nearest("usr", ("url", "user"))          -> "user"

The types are listed in schema.py, the only user; both are dropped after the start.
"""

import exact


def fault(kind: str, value, required: bool, board) -> str | None:
    """Say what is wrong with a value and what is allowed, or None."""
    word = kind.split(" ", 1)[0]
    limits = kind[len(word) + 1 :]
    if word == "secret":
        return _secret_fault(value, required, limits)
    if word == "list" or word == "dict":
        return _collection_fault(word, limits, value)
    allowed = _allowed(word, limits, value, required, board)
    if allowed is None:
        return None
    return "is %s; allowed%s" % (shown(value), allowed)


def _allowed(word: str, limits: str, value, required: bool, board) -> str | None:
    """None where the value will do, else what is allowed: ": ..." or " is ..."."""
    if word == "int":
        low, high = _range(limits)
        if _is_int(value) and _within(value, low, high):
            return None
        quotes = isinstance(value, str) and value.isdigit()
        return " is a whole number" + _span(low, high) + (", without quotes" if quotes else "")
    if word == "bool":
        return None if isinstance(value, bool) else " is True or False"
    if word == "choice":
        return _choice(limits, value)
    if word == "pin":
        return _pin(value, board)
    if word == "uart" or word == "bus":
        return _uart(value, board)
    if not isinstance(value, str):
        return " is text in quotes"
    if word == "url":
        return _url(value, limits.split(" ") if limits else ["http", "https"])
    if word == "name":
        fine = 0 < len(value) <= 48 and not _has_any(value, '/+#"') and not _has_control(value)
        return None if fine else ' is a name of 1 to 48 characters without / + # "'
    if required and not value:
        return " is text that is not empty"
    if _has_control(value) and not value.startswith("-----BEGIN"):
        return " is text without line breaks and control characters"
    return None


def _choice(limits: str, value) -> str | None:
    options = [int(o) if o.isdigit() else o for o in limits.split(" ") if o]
    if (_is_int(value) or isinstance(value, str)) and value in options:
        return None
    near = nearest(value, [o for o in options if isinstance(o, str)])
    hint = ' (did you mean "%s"?)' % near if near else ""
    return ": " + ", ".join([shown(o) for o in options]) + hint


def _pin(value, board) -> str | None:
    pins = getattr(board, "GPIO", None)
    if _is_int(value) and value >= 0 and (pins is None or value in pins):
        return None
    if board.NAME == "HOST" and isinstance(value, str) and (value == "sim" or value[:1] == "/"):
        return None  # what is recorded there
    if pins is None:
        return " is the number of a GPIO pin"
    return ": " + ", ".join([str(p) for p in sorted(pins)]) + " (GPIO numbers of this board)"


def _uart(value, board) -> str | None:
    if board.NAME == "HOST":
        if isinstance(value, str) and (value == "sim" or (value[:1] == "/" and len(value) > 1)):
            return None
        return ': a device path such as "/dev/ttyUSB0", or "sim" for a simulated meter'
    if _is_int(value) and value in board.UARTS:
        return None
    numbers = ", ".join([str(u) for u in sorted(board.UARTS)])
    sim = '; "sim" is for a computer' if value == "sim" else ""
    return ": %s (UARTs of this board)%s" % (numbers, sim)


def _url(value: str, schemes: list[str]) -> str | None:
    start = value.find("://") + 3
    if start < 3 or value[: start - 3] not in schemes:
        return " begins with " + " or ".join(['"%s://"' % scheme for scheme in schemes])
    slash = value.find("/", start)
    host = value[start:] if slash < 0 else value[start:slash]
    if "@" in value:  # anywhere: a password may hold a slash
        return " is an address without user and password; they have keys of their own"
    if _has_any(value, "?# ") or _has_control(value):
        return " is an address without ?, # and spaces; the rest has keys of its own"
    nobody = " has a host name or IPv4 address"
    if _has_any(host, "[]\\\"'<>"):
        return nobody
    colon = host.find(":")
    if colon >= 0:
        port = host[colon + 1 :].encode()  # bytes: isdigit() of text takes more than 0 to 9
        if not (port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
            return " has a port from 1 to 65535"
        host = host[:colon]
    return None if host else nobody


def _secret_fault(value, required: bool, limits: str) -> str | None:
    """Like fault(), in words that tell nothing of the value."""
    if not isinstance(value, str):
        return "is not text; allowed is text in quotes"
    if not value:
        return "is empty; it is needed" if required else None
    if _has_control(value):
        return "has a line break or control character; was it copied with its line end?"
    low, high = _range(limits)
    if _within(len(value), low, high):
        return None
    return "is too short or too long; allowed is text%s characters" % _span(low, high)


def _collection_fault(word: str, item: str, value) -> str | None:
    allowed = '["a", "b"]' if word == "list" else '{"key": "text"}'
    keys: list = []
    if word == "list" and isinstance(value, (list, tuple)):
        items = list(value)
    elif word == "dict" and isinstance(value, dict):
        keys = list(value)
        items = list(value.values())
    else:
        return "is %s; allowed is a %s of text: %s" % (kind_of(value), word, allowed)
    for one in keys + items:
        if not isinstance(one, str) or _has_control(one):
            return "holds %s; allowed is a %s of text: %s" % (shown(one), word, allowed)
    if item == "decimal":
        for one in items:
            if exact.parse(one.encode()) is None:
                return 'holds %s; allowed is a number in quotes: "1234.567"' % shown(one)
    return None


def _is_int(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _range(limits: str) -> tuple:
    """ "1..60" -> (1, 60); None where a side is open."""
    dots = limits.find("..")
    if dots < 0:
        return None, None
    low, high = limits[:dots], limits[dots + 2 :]
    return (int(low) if low else None), (int(high) if high else None)


def _within(number: int, low, high) -> bool:
    return (low is None or number >= low) and (high is None or number <= high)


def _span(low, high) -> str:
    if low is None:
        return "" if high is None else " up to %d" % high
    if low == high:
        return " of %d" % low
    return " from %d" % low if high is None else " from %d to %d" % (low, high)


def _has_any(text: str, characters: str) -> bool:
    return any(c in text for c in characters)


def _has_control(text: str) -> bool:
    return any(ord(c) < 32 or ord(c) == 127 for c in text)


def is_address(text) -> bool:
    """Whether it is an IPv4 address in digits."""
    parts = text.split(".") if isinstance(text, str) else ()
    fine = [part for part in parts if part.encode().isdigit() and len(part) < 4]
    return len(parts) == len(fine) == 4 and max([int(part) for part in fine]) < 256


def nearest(word, candidates) -> str | None:
    """The candidate that was probably meant, or None."""
    if not isinstance(word, str):
        return None
    word = word.lower()[:24].replace("-", "_")
    best = None
    limit = 3 if len(word) > 4 else 2  # one slip in a short word, two in a longer one
    for candidate in candidates:
        if abs(len(candidate) - len(word)) < limit:
            distance = _distance(word, candidate)
            if distance < limit:
                best, limit = candidate, distance
    if best is None and len(word) > 2:
        for candidate in candidates:
            if candidate.startswith(word) or (len(candidate) > 2 and word.startswith(candidate)):
                return candidate
    return best


def _distance(one: str, other: str) -> int:
    """Slips between two words: letters left out, put in, replaced, or two swapped."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i in range(1, len(one) + 1):
        earlier, before, row = before, row, [i]
        for j in range(1, len(other) + 1):
            same = one[i - 1] == other[j - 1]
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (0 if same else 1))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def kind_of(value) -> str:
    """What a value is, without showing what it holds."""
    if isinstance(value, dict):
        return "a dict"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, str):
        return "text"
    return shortened(repr(value))


def shown(value, limit: int = 40) -> str:
    """A value as a config would write it, short, without the password of an address."""
    if isinstance(value, str):
        return '"%s"' % shortened(_masked(value), limit)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join([shown(item, limit) for item in value]) + "]"
    if isinstance(value, dict):
        pairs = ["%s: %s" % (key, shown(value[key], limit)) for key in sorted(value)]
        return "{" + ", ".join(pairs) + "}"
    return shortened(repr(value), limit)


def _masked(text: str) -> str:
    """Hide what stands before the @ of an address, behind its ?, and in PEM text."""
    if text.startswith("-----BEGIN"):
        return "(PEM text)"
    start = text.find("://")
    start = start + 3 if start >= 0 else 0
    at = text.rfind("@")
    if at >= start and ":" in text[start:at]:
        text = text[:start] + "***" + text[at:]
    query = text.find("?") if start else -1
    return text if query < 0 else text[: query + 1] + "***"


def shortened(text: str, limit: int = 40) -> str:
    """At most limit characters, on one line."""
    if len(text) > limit:
        text = text[:limit] + "…"
    if _has_control(text):  # seldom: a list of characters takes 16 times the room
        text = "".join([c if ord(c) >= 32 else " " for c in text])
    return text
