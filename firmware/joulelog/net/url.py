"""URLs taken apart, and the characters that may not stand in a request.

split("https://influx.example/write?db=energy")
    -> (True, "influx.example", 443, "/write?db=energy")
percent("a b") -> "a%20b"
"""

from ..errors import NetError

# Most names have nothing else; strip() finds that out at the speed of C.
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."


def split(url: str) -> tuple[bool, str, int, str]:
    """Return (TLS?, host, port, path with query) of a URL; NetError says what is wrong with it."""
    if unsendable(url):
        raise NetError("the URL has a blank or a special character: write it as %XX")
    mark = url.find("://")
    scheme = url[:mark].lower()
    if mark < 0 or scheme not in ("http", "https"):
        raise NetError("the URL must begin with http:// or https://")
    rest = url[mark + 3 :].split("#", 1)[0]
    place = rest.split("/", 1)[0].split("?", 1)[0]
    path = rest[len(place) :]
    if not path.startswith("/"):
        path = "/" + path
    if "@" in place:
        raise NetError("the URL holds a user or a password: they have keys of their own")
    if "[" in place:
        raise NetError("the URL has an IPv6 address: only names and IPv4 addresses can be used")
    host = place.split(":", 1)[0]
    port = place[len(host) + 1 :]
    if not host:
        raise NetError("the URL names no host")
    if len(host) == len(place):
        return scheme == "https", host, 443 if scheme == "https" else 80, path
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise NetError("the URL's port must be a number from 1 to 65535")
    return scheme == "https", host, int(port), path


def unsendable(text: str) -> bool:
    """Whether it has characters that may not stand in a request."""
    return any([not 32 < ord(char) < 127 for char in text])


def percent(value: str) -> str:
    """Percent-encoded for a query or a form."""
    if not value.strip(PLAIN):
        return value
    parts = []
    for byte in value.encode():
        char = chr(byte)
        parts.append(char if char in PLAIN else "%%%02X" % byte)
    return "".join(parts)


def check_headers(headers: dict) -> None:
    """Raise NetError for a header that would break out of its line; its value is not told."""
    for name, value in headers.items():
        for char in name + value:
            if not 32 <= ord(char) < 127:
                raise NetError("the header %s has a character that cannot be sent" % repr(name))
