"""Which device answers at an address: each kind has a page that tells it from others.

    entries = probe.ask("192.0.2.20", 80)     # config entries, without their names; [] for none
    entries = probe.ask("192.0.2.20", 80, ("shelly",))      # of these kinds only

Read without a password; where a device wants one the entry has a place for it. From the makers'
published descriptions, as lib/jsonmeter. Nothing is written to a device.
"""

import http.client
import json
from collections.abc import Callable

PASSWORD = "its password"
_TIMEOUT_S = 2
_MOST = 65536  # bytes of an answer


def ask(address: str, port: int, kinds: tuple[str, ...] = ()) -> list[dict]:
    """Entries for what answers there; several for a gateway with several inverters."""
    for kind, (target, entries) in _PAGES.items():
        if kinds and kind not in kinds:
            continue
        try:
            page = _page(address, port, target)
        except (OSError, http.client.HTTPException):
            return []  # nobody is there
        found = entries(page) if isinstance(page, dict) else []
        if found:
            where = {"host": address} | ({} if port == 80 else {"port": port})
            return [{"type": "http_json", "device": kind} | where | more for more in found]
    return []


def _page(address: str, port: int, target: str):
    """What JSON says there; None where it is none."""
    connection = http.client.HTTPConnection(address, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", target, headers={"Connection": "close"})
        answer = connection.getresponse()
        text = answer.read(_MOST)
        return json.loads(text) if answer.status == 200 else None
    except ValueError:
        return None
    finally:
        connection.close()


def _shelly(page: dict) -> list[dict]:
    if "mac" not in page or ("gen" not in page and "fw" not in page):
        return []
    wanted = page.get("auth_en") or page.get("auth")
    return [{"password": PASSWORD} if wanted else {}]


def _homewizard(page: dict) -> list[dict]:
    return [{}] if "product_type" in page and page.get("api_version") == "v1" else []


def _tasmota(page: dict) -> list[dict]:
    if "Need user" in str(page.get("WARNING", "")):
        return [{"password": PASSWORD}]
    return [{}] if "ENERGY" in _inside(page, "StatusSNS") else []


def _opendtu(page: dict) -> list[dict]:
    inverters = page.get("inverters")
    listed = inverters if isinstance(inverters, list) else []
    return [{"unit": str(one["serial"])} for one in listed if "serial" in one]


def _ahoydtu(page: dict) -> list[dict]:
    inverters = page.get("inverter")
    listed = inverters if isinstance(inverters, list) else []
    return [{"unit": str(one["id"])} for one in listed if "id" in one]


def _fronius(page: dict) -> list[dict]:
    return [{}] if str(page.get("BaseURL", "")).startswith("/solar_api/v1") else []


def _goe(page: dict) -> list[dict]:
    return [{}] if isinstance(page.get("nrg"), list) else []


def _mystrom(page: dict) -> list[dict]:
    return [{}] if "power" in page and "energy_since_boot" in page else []


def _youless(page: dict) -> list[dict]:
    return [{}] if str(page.get("model", "")).startswith("LS1") else []


def _inside(page: dict, key: str) -> dict:
    found = page.get(key)
    return found if isinstance(found, dict) else {}


_PAGES: dict[str, tuple[str, Callable[[dict], list[dict]]]] = {
    "shelly": ("/shelly", _shelly),
    "homewizard": ("/api", _homewizard),
    "tasmota": ("/cm?cmnd=Status%208", _tasmota),
    "opendtu": ("/api/livedata/status", _opendtu),
    "ahoydtu": ("/api/inverter/list", _ahoydtu),
    "fronius": ("/solar_api/GetAPIVersion.cgi", _fronius),
    "goe": ("/api/status?filter=nrg,eto", _goe),
    "mystrom": ("/report", _mystrom),
    "youless": ("/d", _youless),
}
