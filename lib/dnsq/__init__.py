"""DNS questions and answers as bytes: the IPv4 address of a name, by DNS or by mDNS.

Follows RFC 1035 section 4 (messages) and RFC 6762 (`.local` names, asked by multicast).
It opens no socket and asks no clock: the caller sends the bytes and passes in what comes back.

    ident = int.from_bytes(os.urandom(2), "big")
    datagram = dnsq.query("broker.example", ident)
    ...
    found = dnsq.answer(received, "broker.example", ident)
    if found:                       # None: somebody else's datagram, keep listening
        address, ttl_s = found      # ("192.0.2.7", 300)

A server that answers without an address raises DnsError; its `final` says whether another
server could do better.
"""

from micropython import const

PORT = const(53)
MDNS_PORT = const(5353)
MDNS_ADDRESS = "224.0.0.251"

_TYPE_A = const(1)
_TYPE_CNAME = const(5)
_CLASS_IN = const(1)
_UNICAST_BIT = const(0x8000)  # of a question's class (RFC 6762 5.4); of an answer's: cache flush
_MAX_RECORDS = const(64)
_MAX_ALIASES = const(8)
_MAX_LABELS = const(128)  # a name has at most 127 labels and the root
_MAX_TTL_S = const(86400)

_RCODES = (
    "",
    "the server did not understand the question",
    "the server failed",
    "no such name",
    "the server does not answer such questions",
    "the server refused",
)


class DnsError(Exception):
    """No address. `final`: the name itself is at fault, another server would say the same."""

    final = False


def _final(text: str) -> DnsError:
    error = DnsError(text)
    error.final = True
    return error


def encode(name: str) -> bytes:
    """Return a name as length-prefixed labels; DnsError for a name that cannot exist."""
    if name.endswith("."):
        name = name[:-1]
    wire = b""
    for label in name.split("."):
        raw = label.encode()
        if not raw or len(raw) > 63:
            raise _final("a part between two dots must have 1 to 63 characters")
        for byte in raw:
            if byte <= 32 or byte >= 127:
                raise _final("only plain letters, digits, - and _ can stand in a name")
        wire += bytes((len(raw),)) + raw
    if len(wire) > 254:
        raise _final("a name has at most 253 characters")
    return wire + b"\0"


def query(name: str, ident: int, unicast: bool = False) -> bytes:
    """Return the datagram that asks for a name's IPv4 address.

    ident is a random 16-bit number. unicast sets mDNS's "answer me directly" bit.
    """
    recursion = 0 if unicast else 1  # a multicast question has no recursion to wish for
    head = bytes((ident >> 8 & 255, ident & 255, recursion, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    class_high = 0x80 if unicast else 0
    return head + encode(name) + bytes((0, _TYPE_A, class_high, _CLASS_IN))


def answer(data: bytes, name: str, ident: int | None) -> tuple[str, int] | None:
    """Return (address, seconds it may be kept), or None when this is no answer to our question.

    ident None takes any id, as mDNS responders may send 0. Raises DnsError for an answer that
    is ours but holds no address.
    """
    if len(data) < 12 or not data[2] & 0x80:
        return None
    if ident is not None and _word(data, 0) != ident:
        return None
    if data[2] & 0x78:  # not the answer to a standard query
        return None
    wanted = _plain(name)
    try:
        at = _skip_question(data, wanted, ident is not None)
        if at < 0:
            return None
        code = data[3] & 15
        if code:
            text = _RCODES[code] if code < len(_RCODES) else "error %d" % code
            raise _final(text) if code == 3 else DnsError(text)
        if data[2] & 2:
            raise DnsError("the answer does not fit into one datagram")
        return _find(data, at, wanted, ident is None)
    except IndexError:
        raise DnsError("the answer is cut off")


def _plain(name: str) -> bytes:
    """A name as it is compared: lower case, no dot at the end."""
    raw = name.lower().encode()
    return raw[:-1] if raw.endswith(b".") else raw


def _word(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _skip_question(data: bytes, wanted: bytes, must_echo: bool) -> int:
    """Return where the answers begin, or -1 when the echoed question is not ours."""
    count = _word(data, 4)
    if count != 1:
        return -1 if count or must_echo else 12
    asked, at = _name(data, 12)
    if asked != wanted or _word(data, at) != _TYPE_A:
        return -1
    _word(data, at + 2)  # the class must be there
    return at + 4


def _find(data: bytes, start: int, wanted: bytes, multicast: bool) -> tuple[str, int] | None:
    """Follow aliases through the answer records to an address."""
    count = min(_word(data, 6), _MAX_RECORDS)
    ttl_s = _MAX_TTL_S
    for _ in range(_MAX_ALIASES):
        at = start
        alias = None
        for _ in range(count):
            owner, at = _name(data, at)
            kind = _word(data, at)
            family = _word(data, at + 2)
            size = _word(data, at + 8)
            at += 10
            if at + size > len(data):
                raise IndexError
            if multicast:
                family &= ~_UNICAST_BIT
            if owner == wanted and family == _CLASS_IN:
                if kind == _TYPE_A and size == 4:
                    ttl_s = min(ttl_s, _ttl(data, at - 6))
                    return "%d.%d.%d.%d" % tuple(data[at : at + 4]), ttl_s
                if kind == _TYPE_CNAME and alias is None:
                    alias = _name(data, at)[0]
                    ttl_s = min(ttl_s, _ttl(data, at - 6))
            at += size
        if alias is None:
            break
        wanted = alias
    if multicast:
        return None  # one of many responders; another may know
    raise DnsError("the name exists but has no IPv4 address")


def _ttl(data: bytes, at: int) -> int:
    """Seconds, at most a day; a value with the top bit set means 0 (RFC 2181 8)."""
    if data[at] & 0x80:
        return 0
    if data[at] or data[at + 1] > 1:  # 131072 s and more: no need for big numbers
        return _MAX_TTL_S
    return min(_MAX_TTL_S, data[at + 1] << 16 | _word(data, at + 2))


def _name(data: bytes, at: int) -> tuple[bytes, int]:
    """Return (dotted lower-case name, where the record goes on); IndexError when it is cut off.

    A compression pointer must point backwards, so that no chain of them is endless.
    """
    labels = []
    after = -1
    limit = at
    for _ in range(_MAX_LABELS):
        size = data[at]
        if size == 0:
            return b".".join(labels).lower(), at + 1 if after < 0 else after
        if size >= 0xC0:
            target = (size & 0x3F) << 8 | data[at + 1]
            if after < 0:
                after = at + 2
            if target >= limit:
                raise DnsError("the answer has a name that points to itself")
            limit = at = target
            continue
        if size > 63 or at + 1 + size > len(data):
            raise IndexError
        labels.append(bytes(data[at + 1 : at + 1 + size]))
        at += 1 + size
    raise DnsError("the answer has a name with too many parts")
