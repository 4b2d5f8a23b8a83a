"""Heap of meters on the LAN, as images have it: for size.py, beside frozen_heaps.py.

    with LanHeaps(folder, program, "esp8266", broker_port) as heaps:
        for target in TARGETS["esp8266"]:
            heaps.measure(target, heap_bytes)

The devices are simulated ones that answer (tools/sim), by the login that each has; the FRITZ!Box
wants the rounds of a real one. The webhook's server is log.php's contract. An image for an ESP8266
has the features of docs/install.md.
"""

from pathlib import Path

from tests.servers.log_php import KEY, LogPhp
from tools.bench.frozen_heaps import Heaps, Target
from tools.sim import fritz, lan_devices, p1, tuya
from tools.sim.lan import Login

_SPEED = 10
_PASSWORD = "its password"
_TUYA = ("bf0123456789abcdef01", "0123456789abcdef", "3.4", "pj1103a")  # id, key, version, device
# What an ESP8266's image has for these: as docs/install.md tells its user.
FEATURES = {
    "esp8266": ("http_json", "fritz", "webhook", "spool", "health", "console", "led", "webrepl"),
    "esp32": None,  # all
}
TARGETS = {
    "esp8266": (
        Target("Shelly plug", ("webhook",)),
        Target("FRITZ!DECT", ("webhook",)),
    ),
    "esp32": (Target("P1, Pro 3EM, FRITZ!DECT, Tuya clamp", ("mqtt",)),),
}


class LanHeaps(Heaps):
    """Devices and servers; see the module's text."""

    def __init__(self, folder: Path, program: Path, chip: str, broker_port: int) -> None:
        super().__init__(folder, program, chip, broker_port)
        self._log_php = LogPhp(folder / "log")
        login = Login("digest", "admin", _PASSWORD)
        self._devices = {
            "Shelly plug": lan_devices.start("shelly-plug", login=login),
            "Pro 3EM": lan_devices.start("shelly-pro3em", login=login),
            "FRITZ!DECT": fritz.Box("logger", _PASSWORD),
            "Tuya clamp": tuya.Meter(*_TUYA),
        }

    def __enter__(self) -> "LanHeaps":
        super().__enter__()
        self._log_php.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._log_php.__exit__(*error)
        for device in self._devices.values():
            device.close()
        super().__exit__(*error)

    def _meter(self, target: Target) -> str:
        return p1.start("nl50", _SPEED) if "P1" in target.meter else ""

    def _readers(self, target: Target) -> list[dict]:
        return [self._entry(name) for name in target.meter.split(", ")]

    def _entry(self, name: str) -> dict:
        if name == "P1":
            return {"type": "dsmr", "uart": "sim"}
        if name == "Tuya clamp":
            about = dict(zip(("id", "key", "version", "device"), _TUYA, strict=True))
            about |= {"host": "127.0.0.1", "port": self._devices[name].port}
            return {"type": "tuya", "name": "clamp", "interval": 1} | about
        where = {"host": "127.0.0.1", "port": self._devices[name].port, "password": _PASSWORD}
        if name == "FRITZ!DECT":
            about = {"type": "fritz", "name": "meter", "user": "logger", "ain": fritz.PLUG}
        else:
            about = {"type": "http_json", "name": "meter", "device": "shelly"}
        if name == "Pro 3EM":
            about["name"] = "house"
        return about | where | {"interval": 1}

    def _sink(self, kind: str) -> dict:
        if kind != "webhook":
            return super()._sink(kind)
        values = ["meter.power", "meter.temperature", "meter.energy_import"]
        return {"type": kind, "url": self._log_php.address, "key": KEY, "values": values}
