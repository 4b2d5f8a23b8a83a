"""The smallest heap in which each config of examples/configs runs: for tools/bench/size.py.

    with Stage(folder) as stage:
        for name, profile in stage.runs():            # ("esp32_mqtt", "esp32"), …
            stage.smallest(name, profile)             # 108 (kB)

An example names a board, pins and servers that are not here. It runs with what stands for them:
simulated meters, a real mosquitto, contract servers with and without TLS, the computer's network.
Everything else is as in the file. The esp8266 profile gets those that such a chip takes: one
meter, not encrypted, and no TLS.
"""

import re
import ssl
import subprocess
import sys
from pathlib import Path

from tests.servers import certs
from tests.servers.contract import Answer, ContractServer, Request
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.influxdb_v2 import BUCKET, ORG, TOKEN, InfluxDb2
from tests.servers.log_php import KEY, LogPhp
from tests.servers.real_mosquitto import Mosquitto
from tools import ROOT, run, user_config
from tools.bench.least import least
from tools.rig import run_vm
from tools.sim import telegrams

EXAMPLES = ROOT / "examples/configs"
_SCRIPT = ROOT / "tools/bench/vm/size_example.py"
_RECORDING = ROOT / "tests/fixtures/dsmr/nl_ene5-xs210-esmr-5-0.txt"
_SPEED = 20
_TIMEOUT_S = 60
_LARGEST = 240  # kB
_OF_THE_BOARD = ("invert", "request_pin", "request", "de", "tx", "rx", "pull")


class InfluxDb1(ContractServer):
    """Takes every line."""

    def handle(self, request: Request) -> Answer:
        """As InfluxDB 1 and VictoriaMetrics answer a write."""
        return Answer(204 if request.path == "/write" else 404)


class Stage:
    """All servers, and the configs as they run here: the examples, or other settings by name."""

    def __init__(self, folder: Path, settings: dict[str, dict] | None = None) -> None:
        self._folder = folder
        self._settings = settings or {
            path.stem: _load(path) for path in sorted(EXAMPLES.glob("*.py"))
        }
        made = certs.make(folder)
        self._ca = made.ca
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*made.good)
        self._web = {
            (kind, tls): server(tls_context=context if tls else None)
            for kind, server in (("emoncms", EmonCms), ("v1", InfluxDb1), ("v2", InfluxDb2))
            for tls in (False, True)
        }
        for tls in (False, True):
            there = context if tls else None
            self._web["webhook", tls] = LogPhp(folder / f"log{int(tls)}", tls_context=there)
        self._brokers = {
            False: Mosquitto(folder / "plain"),
            True: Mosquitto(folder / "tls", certificate=made.good),
        }

    def __enter__(self) -> "Stage":
        for server in self._web.values():
            server.__enter__()
        for broker in self._brokers.values():
            broker.start()
        return self

    def __exit__(self, *error) -> None:
        for server in self._web.values():
            server.__exit__(*error)
        for broker in self._brokers.values():
            broker.stop()

    def runs(self) -> list[tuple[str, str]]:
        """(example, profile) of all."""
        found = []
        for name, settings in self._settings.items():
            found.append((name, "esp32"))
            if _for_esp8266(settings):
                found.append((name, "esp8266"))
        return found

    def smallest(self, name: str, profile: str, budget_kb: int = 0) -> int:
        """The smallest heap in kB; with a budget that, or one more where it does not do."""
        if not budget_kb and not self.fits(name, profile, _LARGEST):
            raise SystemExit(f"{name}.py delivers in no heap of the profile {profile}")
        about = 40, _LARGEST, budget_kb
        return least(lambda heap: self.fits(name, profile, heap), *about, step=2)

    def fits(self, name: str, profile: str, heap_kb: int, more_bytes: int = 0) -> bool:
        """Whether an example delivers in this heap, and no task has to be started again."""
        folder = self._folder / (re.sub(r"\W+", "_", name) + f"-{profile}")
        config = folder / "example.py"
        if not config.exists():
            folder.mkdir()
            settings = self._here(self._settings[name])
            settings["device"] = folder.name  # each its own: brokers know clients by it
            settings["log"] = {**settings.get("log", {}), "directory": str(folder)}
            config.write_text("".join(f"{key} = {value!r}\n" for key, value in settings.items()))
        done = subprocess.run(  # a process of its own: its meters end with it
            [
                *(sys.executable, "-m", "tools.bench.example_heaps"),
                *(str(config), profile, str(heap_kb * 1024 + more_bytes)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            cwd=ROOT,
            check=False,
        )
        return re.search(r"^DONE 1 [1-9]\d* 0$", done.stdout, re.M) is not None

    def _here(self, settings: dict) -> dict:
        """An example's settings with what is here in the places of what is not."""
        changed = {key: value for key, value in settings.items() if key not in ("board", "wifi")}
        changed["SPEED"] = _SPEED
        changed["readers"] = [_meter(entry) for entry in settings["readers"]]
        changed["sinks"] = [self._server(entry) for entry in settings["sinks"]]
        return changed

    def _server(self, entry: dict) -> dict:
        kind = entry["type"]
        if kind == "console":
            return {**entry, "style": "lines"}
        if kind == "history":
            return entry
        if kind == "mqtt":
            tls = bool(entry.get("tls"))
            here = {**entry, "host": "localhost", "port": self._brokers[tls].port}
        else:
            tls = entry["url"].startswith("https")
            server = kind
            if kind == "influxdb":
                server = "v2" if "org" in entry else "v1"
            here = {**entry, "url": self._web[server, tls].url}
            if server == "v2":
                here.update(org=ORG, bucket=BUCKET, token=TOKEN)
            if server == "emoncms":
                here.update(key=WRITE_KEY)
            if server == "webhook":
                here.update(key=KEY)
                here["url"] += "/log.php"
        if tls:
            here["ca"] = self._ca
        return here


def _load(path: Path) -> dict:
    settings: dict = {}
    exec(compile(path.read_text(), str(path), "exec"), settings)
    return {key: value for key, value in settings.items() if key[:1] != "_"}


def _meter(entry: dict) -> dict:
    here = {key: value for key, value in entry.items() if key not in _OF_THE_BOARD}
    if "uart" in entry:
        here["uart"] = "sim"
    if "host" in entry or entry["type"] == "tuya":  # which is found by its announcements, too
        here["host"] = "sim"
    if _is_encrypted(entry):
        here["key"] = telegrams.DEMO_KEY
    if "file" in entry:
        here["file"] = str(_RECORDING)
    return here


def _is_encrypted(entry: dict) -> bool:
    """Whether it is a P1 meter with a key."""
    return entry["type"] == "dsmr" and bool(entry.get("key"))


def _for_esp8266(settings: dict) -> bool:
    if len(settings["readers"]) > 1 or settings["readers"][0].get("key"):
        return False
    tls = [
        sink.get("tls") or sink.get("url", "").startswith("https") for sink in settings["sinks"]
    ]
    return not any(tls)


def main(config: str, profile: str, heap: str) -> int:
    """Run a config on the VM with its simulated meters."""
    entries = run.simulated(user_config.read(Path(config)))
    devices = [
        run.start_simulated(entry, "lu" if _is_encrypted(entry) else "nl50", _SPEED)
        for entry in entries
    ]
    command = run_vm.command(_SCRIPT, [config, *devices], profile, heap)
    try:
        return subprocess.run(command, check=False, timeout=_TIMEOUT_S).returncode
    except subprocess.TimeoutExpired:  # a heap that is nearly full collects all the time
        print("stopped")
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
