"""Dead, slow and lying servers, and a dead DNS: the reader and the other sinks do not notice.

One sink each for a server that accepts and never answers, one that answers nonsense, one that
refuses, a broker that is mute, and a name whose DNS server is mute; beside them a console, which
has to show every telegram. The meter runs 5 times as fast as a real one; the servers and the
firmware's time-outs are in real time.
"""

import re
import socket
import threading
from pathlib import Path

import pytest

from tests import tiers
from tests.integration.test_pipeline import Firmware
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.waiting import HANG_S, until

COUNT = 150
SPEED = 5  # a stall of 200 ms loses a telegram, as on a chip


class Mute:
    """Accepts connections, and never says a word."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.guests: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self.guests.append(self._socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()
        for guest in self.guests:
            guest.close()


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_nothing_stops_the_reader(runtime: str, tmp_path: Path) -> None:
    from tools.host import deps

    if runtime == "vm" and deps.path() is None:
        tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    mute = Mute()
    lying = EmonCms(mode="php_fatal").start()
    influxdb = {"type": "influxdb", "database": "x"}
    emoncms = {"type": "emoncms", "key": WRITE_KEY}
    sinks = [
        {"type": "console", "style": "lines"},
        {"name": "hangs", "url": f"http://127.0.0.1:{mute.port}"} | influxdb,
        {"name": "refuses", "url": "http://127.0.0.1:9"} | influxdb,
        {"name": "lies", "url": lying.url} | emoncms,
        {"name": "nameless", "url": "http://no.such.host.invalid"} | emoncms,
        {"type": "mqtt", "host": "127.0.0.1", "port": mute.port},
    ]
    firmware = Firmware(runtime, tmp_path, sinks)
    try:
        thread = firmware.play(COUNT, SPEED)
        thread.join(HANG_S)

        def shown() -> int:
            found = r"^\S+Z p1 .*energy_import_t1="
            return len(re.findall(found, firmware.log.read_text(), re.M))

        until(lambda: shown() >= COUNT, firmware.said)
        firmware.stop()
        assert firmware.pty.lost == 0, "the reader did not keep up with the line"
        assert shown() == COUNT
        said = firmware.log.read_text()
        for name in ("hangs", "refuses", "lies", "nameless", "mqtt"):
            assert re.search(rf"(WARNING|ERROR) {name}: ", said), name
        assert mute.guests, "nobody called the mute server"
        assert WRITE_KEY not in said
    finally:
        mute.close()
        lying.stop()
