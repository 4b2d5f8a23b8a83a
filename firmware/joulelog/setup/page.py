"""The page of set-up, as web/ is built: HTML, script and style, packed; or the plain forms.

An image has it as the module setup_page (`make page`): bytes that stay in the flash. Without it,
as in a checkout without Node, "/" leads to the forms that need no script.
"""

_PIECE = 512
_FILES = (
    ("/", "HTML", "text/html; charset=utf-8"),
    ("/setup.js", "SCRIPT", "text/javascript"),
    ("/setup.css", "STYLE", "text/css"),
)


def routes(router) -> None:
    """Register them."""
    try:
        import setup_page  # type: ignore[import-not-found]
    except ImportError:
        router.get("/")(_to_forms)
        return
    for path, name, kind in _FILES:
        router.get(path)(_served(getattr(setup_page, name), kind))


async def _to_forms(_request):
    return "", 302, {"Location": "/plain"}


def _served(data: bytes, kind: str):
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}

    async def handler(_request):
        return _pieces(data), 200, dict(headers)

    return handler


def _pieces(data: bytes):
    for at in range(0, len(data), _PIECE):
        yield data[at : at + _PIECE]
