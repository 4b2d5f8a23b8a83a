"""The REPL over the network, for boards in cupboards: MicroPython's WebREPL, not encrypted."""

import logging

SCHEMA = """\
password | secret 4..9 | required | anybody who knows it can do anything with the board
"""
NEEDS = ("network",)


class Service:
    """Serves it on port 8266."""

    name = "webrepl"

    def __init__(self, section: dict, network) -> None:
        self._network = network
        self._password = section["password"]

    async def run(self) -> None:
        """Begin once there is a link."""
        await self._network.wait_up()
        log = logging.getLogger("webrepl")
        try:
            import webrepl as server  # type: ignore[import-not-found]
        except ImportError:
            log.error("this image has no webrepl; leave `webrepl` out of config.py, or install it")
            return
        server.start(password=self._password)
        log.warning("on port 8266: whoever knows the password can do anything with this board")
