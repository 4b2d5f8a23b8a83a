"""log.php as tools/logserver keeps it, which fails on request as contract.py tells.

with LogPhp(folder) as server:
    ... POST server.url with the key KEY ...
    server.store.lines(), server.store.rejected
"""

from pathlib import Path
from urllib.parse import parse_qsl

from tests.servers.contract import Answer, ContractServer, Request
from tools.logserver import Store

KEY = "Geheim&+ 42%/log"


class LogPhp(ContractServer):
    """The contract over a store."""

    def __init__(self, folder: Path, port: int = 0, tls_context=None, mode: str = "ok") -> None:
        super().__init__(port, tls_context, mode)
        folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(folder, KEY)

    @property
    def address(self) -> str:
        """What the config calls `url`."""
        return self.url + "/log.php"

    def handle(self, request: Request) -> Answer:
        """200 with nothing, whatever it is."""
        if request.path != "/log.php":
            return Answer(404, "<h1>Not Found</h1>")
        body = request.body.decode() if request.method == "POST" else ""
        self.store.take(dict(parse_qsl(body, keep_blank_values=True)) or request.query)
        return Answer(200)

    def answer_in_mode(self, mode: str, request: Request) -> Answer:
        """php: an error of PHP in the page; echo: something that says what it got."""
        if mode == "php":
            return Answer(200, "<b>Warning</b>: fopen(2026-11-20.csv): Permission denied")
        if mode == "echo":
            return Answer(200, b"got " + request.body)
        return super().answer_in_mode(mode, request)


class Hook(ContractServer):
    """Anybody's endpoint: keeps the bodies that it takes with 201."""

    def __init__(self, port: int = 0, tls_context=None, mode: str = "ok") -> None:
        super().__init__(port, tls_context, mode)
        self.bodies: list[str] = []

    def handle(self, request: Request) -> Answer:
        """Any path will do."""
        self.bodies.append(request.body.decode())
        return Answer(201, '{"id": 1}')
