"""The types of config values: what is wrong with a value, in words that help.

    fault("int 1..60", 90, required, board)   -> 'is 90; allowed is a whole number from 1 to 60'
    fault("int 1..60", 9, required, board)    -> None
    nearest("usr", ("url", "user"))          -> "user"

The types are listed in schema.py, the only user; both are dropped after the start.
"""

import sys

import exact

_NAME = " is a name of 1 to 48 characters without %s\" ' \\, no $ or @ first, no blank at its ends"
_HUGE = 1 << 128
_ITEMS = 10  # of a collection, each of the length that a value may have
_LONG = 12  # characters of a part of an address's path: a key has more
_KEY = 15  # characters of a word that is no key
_TAKEN = ("id", "time")  # what a message has beside its channels


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
    if word == "host":
        return _host(value)
    if word == "url":
        return _url(value, limits.split(" ") if limits else ["http", "https"])
    if word == "address":
        return None if _is_address(value) else ": 192.168.1.20"
    if word == "zone":
        return _zone(value)
    if word == "name" or word == "label":
        more = "/ + # " if word == "name" else ""
        return None if _is_name(value, more) else _NAME % more
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
        text = value if isinstance(value, str) else ""
        windows = sys.platform == "win32"
        start = "COM" if windows else "/"
        if text == "sim" or (text[: len(start)] == start != text) or text.find("://") > 0:
            return None
        example = "COM3" if windows else "/dev/ttyUSB0"
        return ': a device path such as "%s", or "sim" for a simulated meter' % example
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
        port = host[colon + 1 :]
        if not (_is_digits(port) and len(port) < 6 and 0 < int(port) < 65536):
            return " has a port from 1 to 65535"
        host = host[:colon]
    return None if host else nobody


def _host(value: str) -> str | None:
    if "@" in value:
        return " is a name without user and password; they have keys of their own"
    if value and not _has_any(value, "/:?#[]\\\"'<> ") and not _has_control(value):
        return None
    return ' is a name or IPv4 address such as "192.168.1.10", without "://", port and path'


def _is_name(value: str, without: str) -> bool:
    """Whether a topic, a file and a server's query can have it, and nobody misreads it."""
    if _has_any(value, without.replace(" ", "") + "\"'\\") or _has_control(value):
        return False
    return 0 < len(value) <= 48 and value[0] not in "$@" and value.strip() == value


def _is_address(value: str) -> bool:
    parts = value.split(".")
    for part in parts:
        if not _is_digits(part) or str(int(part[:4])) != part or int(part) > 255:
            return False
    return len(parts) == 4


def _is_digits(text: str) -> bool:
    """Digits of ASCII: isdigit() of text takes more than 0 to 9."""
    return bool(text) and all(["0" <= c <= "9" for c in text])


def _zone(value: str) -> str | None:
    if not value:
        return None
    import posixtz

    try:
        posixtz.Zone(value)
    except ValueError as error:
        text = str(error)  # the zone stands before: it may be what is none
        return " is a POSIX TZ (%s)" % text[text.rfind(", character ") + 2 :]
    return None


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
    for index, one in enumerate(items):
        of = " for %s" % shown(keys[index]) if keys else ""
        if item == "decimal" and exact.parse(one.encode()) is None:
            return 'holds %s%s; allowed is a number in quotes: "1234.567"' % (shown(one), of)
        if item == "name" and (one in _TAKEN or not _is_name(one, "/ + # ")):
            taken = " and not " + " or ".join(_TAKEN)
            return "holds %s%s; allowed%s" % (shown(one), of, _NAME % "/ + # " + taken)
        if item == "row" and one.strip()[:1] not in ("", "#"):
            name = one.split("|", 1)[0].strip()
            if name in _TAKEN or not _is_name(name, "/ + # "):
                return "has a row %s; allowed%s" % (shown(name), _NAME % "/ + # ")
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
    """Control characters, and half characters, which nothing can write.

    Looked for from C: a certificate or a template has thousands of characters.
    """
    try:
        data = text.encode()
    except ValueError:  # half a character, on CPython
        return True
    if not data or (max(data) < 127 and min(data) > 31):
        return False
    if min(data) < 32 or bytes((127,)) in data:
        return True
    for number in range(32):  # 0x80 to 0x9F, and 0xD800 to 0xDFFF, in UTF-8
        if bytes((0xC2, 128 + number)) in data or bytes((0xED, 160 + number)) in data:
            return True
    return False


def _is_control(code: int) -> bool:
    return code < 32 or 127 <= code < 160 or 0xD800 <= code < 0xE000


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


def no_type(entry: dict, types: list[str]) -> str:
    """What is wrong with an entry whose `type` is none of these."""
    known = ", ".join(['"%s"' % t for t in types])
    if "type" not in entry:
        return "`type` is missing; allowed: " + known
    near = nearest(entry["type"], types)
    hint = ' (did you mean "%s"?)' % near if near else ""
    return "`type` is %s; allowed: %s%s" % (shown(entry["type"]), known, hint)


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
    if _is_number(value) and not isinstance(value, bool):
        return "a number"
    return _plain(value, 40)


def shown(value, limit: int = 40, depth: int = 2) -> str:
    """A value as a config would write it, short, without the password of an address."""
    if isinstance(value, str):
        return '"%s"' % shortened(masked(value), limit)
    if not isinstance(value, (list, tuple, dict)):
        return _plain(value, limit)
    if not depth:  # it may hold itself
        return kind_of(value)
    if isinstance(value, dict):
        keys = sorted([key for key in value if isinstance(key, str)])
        keys.extend([key for key in value if not isinstance(key, str)])
        pairs = []
        for key in keys:
            word = shortened(masked(key), limit) if isinstance(key, str) else kind_of(key)
            pairs.append("%s: %s" % (word, shown(value[key], limit, depth - 1)))
        return "{" + shortened(", ".join(pairs), _ITEMS * limit) + "}"
    texts = [shown(item, limit, depth - 1) for item in value]
    return "[" + shortened(", ".join(texts), _ITEMS * limit) + "]"


def _is_number(value) -> bool:
    try:
        return value + 0 is not None
    except Exception:
        return False


def _plain(value, limit: int) -> str:
    """What is neither text nor a collection; of the unusual only its type, which tells nothing."""
    if isinstance(value, int) and abs(value) >= _HUGE:
        return "a huge number"  # CPython would not write it
    if value is None or _is_number(value):
        return shortened(repr(value), limit)
    return "a " + type(value).__name__


def masked(text: str) -> str:
    """Hide what may be a secret.

    That is what stands before the @ of an address and behind its ?, long parts of its path, PEM
    text, and long words of letters and digits: keys that stand in a wrong place.
    """
    if text.startswith("-----BEGIN"):
        return "(PEM text)"
    start = text.find("://")
    start = start + 3 if start >= 0 else 0
    at = text.rfind("@")
    if at >= start and ":" in text[start:at]:
        text = text[:start] + "***" + text[at:]
    query = text.find("?") if start else -1
    text = text if query < 0 else text[: query + 1] + "***"
    if start:
        parts = text.split("/")
        return "/".join(parts[:3] + ["***" if len(part) > _LONG else part for part in parts[3:]])
    for word in text.replace("_", " ").replace("-", " ").replace(",", " ").split():
        digits = sum(["0" <= c <= "9" for c in word])
        if len(word) > _KEY and 1 < digits < len(word):
            return "***"
    return text


def shortened(text: str, limit: int = 40) -> str:
    """At most limit characters, on one line."""
    if len(text) > limit:
        text = text[:limit] + "…"
    if _has_control(text):  # seldom: a list of characters takes 16 times the room
        text = "".join([" " if _is_control(ord(c)) else c for c in text])
    return text
