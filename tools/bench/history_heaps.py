"""Heap of an ESP32's image with all that remembers: for size.py, beside frozen_heaps.py.

    with HistoryHeaps(folder, program, "esp32", broker_port) as heaps:
        for target in TARGETS["esp32"]:
            heaps.measure(target, heap_bytes)

P1 to MQTT with its spool, quarter hours and their history, demand peaks, and the API, of which a
client asks for something all the time.
"""

import contextlib
import socket
import threading
import urllib.request
from pathlib import Path

from tools.bench.frozen_heaps import Heaps, Run, Target

_PATHS = ("/api/latest", "/api/days", "/api/health", "/metrics", "/api/quarters?format=csv")
_PATIENCE_S = 20
_PAUSE_S = 0.3
TARGETS = {"esp32": (Target("P1, quarter, peak, API", ("mqtt", "history")),)}


class HistoryHeaps(Heaps):
    """The meter, the broker and the client; see the module's text."""

    def __init__(self, folder: Path, program: Path, chip: str, broker_port: int) -> None:
        super().__init__(folder, program, chip, broker_port)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._web = probe.getsockname()[1]
        self.answers = 0

    def measure(self, target: Target, heap_bytes: int, script: str = "size_run.py") -> Run:
        """As the others', while somebody asks."""
        ends = threading.Event()
        asking = threading.Thread(target=self._ask, args=(ends,))
        before = self.answers
        asking.start()
        try:
            run = super().measure(target, heap_bytes, script)
        finally:
            ends.set()
            asking.join()
        return run if self.answers > before + len(_PATHS) else run._replace(delivered=False)

    def _ask(self, ends: threading.Event) -> None:
        number = 0
        while not ends.wait(_PAUSE_S):
            url = f"http://127.0.0.1:{self._web}{_PATHS[number % len(_PATHS)]}"
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer,
            ):
                answer.read()
                self.answers += 1
                number += 1

    def _meter(self, target: Target) -> str:
        return super()._meter(Target("P1", target.sinks))

    def _readers(self, target: Target) -> list[dict]:
        peak = {"type": "peak", "source": "dsmr", "target": "4", "rate": "40.40"}
        return [{"type": "dsmr", "uart": "sim"}, {"type": "quarter", "source": "dsmr"}, peak]

    def _sink(self, kind: str) -> dict:
        if kind == "history":
            return {"type": kind, "sources": ["quarter"]}
        return super()._sink(kind)

    def _config(self, target: Target) -> Path:
        path = super()._config(target)
        path.write_text(path.read_text() + f"web = {{'port': {self._web}}}\n")
        return path
