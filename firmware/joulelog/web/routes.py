"""Routes without arguments: a path is compared as it is, without a regular expression.

    routes.simplify(pages.url_map)        # of a microdot.Microdot that has all its routes

microdot compiles an expression for each route when it looks for one. A path that is compared takes
200 bytes of heap less; set-up has 27 of them.
"""

# Those of update/page.py, whose module an image need not have; the first takes a POST as well.
UPDATES = ("/update", "/update.js", "/api/update")
_METHODS = (("GET",), ("POST",))


class Exact:
    """A path, as microdot asks its patterns."""

    def __init__(self, path: str) -> None:
        self._path = path

    def match(self, path: str) -> dict | None:
        """The arguments that are in a path; None where it is another."""
        return {} if path == self._path else None


def simplify(routes: list) -> None:
    """Put a plain path in the place of each pattern that needs no more."""
    for number in range(len(routes)):
        methods, pattern, handler, prefix, below = routes[number]
        path = getattr(pattern, "url_pattern", "<")
        if "<" in path or path[:1] != "/":
            continue
        for known in _METHODS:
            if list(known) == methods:
                methods = known  # lies in the flash
        routes[number] = methods, Exact(path), handler, prefix, below


def methods(patterns: list, path: str) -> str:
    """What an address takes, as the header Allow says it (RFC 9110, 15.5.6); patterns: url_map."""
    found: list = []
    for known, pattern, _, _, _ in patterns:
        if pattern.match(path) is not None:
            found.extend(known)
    return ", ".join(found + ["HEAD"] if "GET" in found else found)


def of_updates(router, answer) -> None:
    """The routes of updates, each to answer(request)."""
    for path in UPDATES:
        router.get(path)(answer)
    router.post(UPDATES[0])(answer)
