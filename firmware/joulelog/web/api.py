"""The REST API: one route, whose table of paths says which module answers, and to what parameters.

    Api(service).routes(router)         # service: what there is to tell of (service.py)

A module's function gets the service and the parameters, and returns a generator of texts of JSON,
which goes out as it comes: no answer is ever whole in memory. For something else it returns the
content type and a generator of pieces. A parameter that is none here, or comes twice, or has a
wrong value, is 400 with its name and what is allowed (Refused). The contract is openapi.py.
"""

from httphead import Refused

from .auth import refusal

_PIECE = 512  # characters that are sent at once
# A line each: the path, its module, the module's function, its parameters.
_PATHS = b"""
/api/latest values latest
/api/live values live source
/api/health health health
/api/log records log lines
/api/config records config
/api/quarters past quarters source from to format
/api/days past days source from to format
/api/months past months source format
/api/openapi.json openapi text
/metrics metrics metrics
"""
_JSON = "application/json"


class Api:
    """See the module's text."""

    def __init__(self, service) -> None:
        self._service = service

    def routes(self, router) -> None:
        """Register the route; its pattern is this object, by match()."""
        router.url_map.append((("GET",), self, self.answer, "", None))

    def match(self, path: str) -> dict | None:
        """What microdot asks its patterns: {} for a path of the table."""
        return {} if _row(path) else None

    async def answer(self, request):
        """What is answered to any of them."""
        row = _row(request.path)
        try:
            arguments = _checked(request.args, row[3:])
            found = getattr(_module(row[1]), row[2])(self._service, arguments)
        except Refused as reason:
            return refusal(reason)
        kind, pieces = found if isinstance(found, tuple) else (_JSON, found)
        return gathered(pieces), 200, {"Content-Type": kind}


def gathered(pieces):
    """The same in pieces of half a kilobyte, at least one; an empty one is a pause."""
    made: list = []
    size = 0
    for piece in pieces:
        if not piece or size + len(piece) > _PIECE:
            yield _joined(made)
            made.clear()
            size = 0
        if piece:
            made.append(piece)
            size += len(piece)
    yield _joined(made)


def _joined(made: list):
    """Texts or bytes in one."""
    return made[0][:0].join(made) if made else ""


def _row(path: str) -> list:
    """The words of a path's line; [] where it has none."""
    start = _PATHS.find(b"\n%s " % path.encode()) + 1
    if not start or " " in path:
        return []
    return _PATHS[start : _PATHS.find(b"\n", start)].decode().split(" ")


def _module(name: str):
    if name == "values":
        from . import values as found
    elif name == "health":
        from . import health as found
    elif name == "records":
        from . import records as found
    elif name == "past":
        from . import past as found
    elif name == "metrics":
        from . import metrics as found
    else:
        from . import openapi as found
    return found


def _checked(given, names: list) -> dict:
    """The parameters of a request, each once and by a known name. Raises Refused."""
    found = {}
    for name in given:
        if name not in names:
            text = "`%s` is no parameter here; allowed: %s"
            raise Refused(400, text % (name[:40], ", ".join(names) or "none"))
        if len(given.getlist(name)) > 1:
            raise Refused(400, "`%s` comes twice; allowed: once" % name)
        found[name] = given[name]
    return found
