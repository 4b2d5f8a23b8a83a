"""The section `web`: the REST API on the board's server, for programs in the house.

    web = {}                            # http://<board>/api/latest, docs/api.md has all paths

Reading is open to whoever is in the network; nothing here writes. Without the section there is no
API; the page of updates has the server all the same (site.py).
"""

from .site import Site

SCHEMA = """\
port | int 1..65535 | null | where the board's pages and its API are; null: 80, on a computer 8080
"""
NEEDS = (
    "board",
    "network",
    "store",
    "device",
    "clock",
    "queue",
    "supervisor",
    "readers",
    "sinks",
    "services",
    "log",
    "config",
)


class Service(Site):
    """The server, and what the API tells of; api.py answers by it."""

    def __init__(
        self,
        section: dict,
        board,
        network,
        store,
        device: str,
        app_clock,
        queue,
        supervisor,
        readers: list,
        sinks: list,
        services: list,
        log,
        config,
    ) -> None:
        Site.__init__(self, board, network, store, device, section["port"])
        self.board = board
        self.device = device
        self.clock = app_clock
        self.queue = queue
        self.supervisor = supervisor
        self.network = network
        self.readers = readers  # lists that grow until the app runs
        self.sinks = sinks
        self.services = services
        self.log = log
        self.config = config
        self.parts.append(self._hang)

    def _hang(self, _site, router, _auth) -> None:
        from .api import Api

        Api(self).routes(router)
