"""Meters on the LAN: what each of them answers, with values that grow.

    device = lan_devices.start("shelly", port=8080, login=Login("digest", "admin", "secret"))
    device.url, device.mode = ...                    # see lan.py

    .venv/bin/python -m tools.sim.lan_devices shelly --port 8080    # prints its URL, until Ctrl-C

Built from the makers' published descriptions: Shelly Gen1 (3EM, plug) and Gen2 (Pro 3EM, Plug S),
Tasmota Status 8, HomeWizard v1, OpenDTU, AhoyDTU, Fronius Solar API v1, go-e API v2, myStrom,
YouLess. A meter's numbers are decimals, written as the device writes them.
"""

import argparse
import json
import time
from collections.abc import Callable
from decimal import Decimal

from tools.sim import child
from tools.sim.lan import Device, Login

Pages = Callable[[int], dict[str, str]]


def start(
    kind: str,
    port: int = 0,
    login: Login | None = None,
    now: Callable[[], int] | None = None,
    address: str = "127.0.0.1",
) -> Device:
    """A device of this kind; now: its time in seconds since it began, None: the computer's."""
    began = time.monotonic()

    def answer(method: str, target: str, body: bytes) -> tuple[int, str, bytes] | None:
        pages = KINDS[kind](now() if now else int(time.monotonic() - began))
        page = pages.get(target)
        if target == "/rpc":  # JSON-RPC 2.0, as later Shelly's speak it
            asked = json.loads(body)
            result = pages.get("/rpc/" + asked["method"])
            page = result and '{"id":%d,"src":"sim","result":%s}' % (asked["id"], result)
        if login and page and target == "/shelly":
            page = page.replace('"auth_en":false', '"auth_en":true')
        return None if page is None else (200, "application/json", page.encode())

    return Device(answer, login, port, ("/shelly",), address)


def decimal(thousandths: int, digits: int = 3) -> Decimal:
    return Decimal(thousandths).scaleb(-digits)


def as_json(value) -> str:
    """JSON with decimals as they are."""
    if isinstance(value, dict):
        inside = [f"{json.dumps(key)}:{as_json(one)}" for key, one in value.items()]
        return "{" + ",".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)


def shelly_pro3em(second: int) -> dict[str, str]:
    """A Pro 3EM: three phases, the third exports."""
    em: dict = {"id": 0}
    data: dict = {"id": 0}
    for number, phase in enumerate("abc"):
        power = decimal(3755 - 2000 * number + second % 10, 1)
        em |= {f"{phase}_current": decimal(2392 - 100 * number), f"{phase}_pf": decimal(76, 2)}
        em |= {f"{phase}_voltage": decimal(2290 + number, 1), f"{phase}_act_power": power}
        em |= {f"{phase}_aprt_power": decimal(5474, 1), f"{phase}_freq": decimal(500, 1)}
        imported = 203461671 + 1000 * number + 10 * second
        data[f"{phase}_total_act_energy"] = decimal(imported, 2)
        data[f"{phase}_total_act_ret_energy"] = decimal(4070 + number + second, 2)
    total = sum(em[f"{phase}_act_power"] for phase in "abc")
    em |= {"n_current": None, "total_current": decimal(6876), "total_act_power": total}
    data["total_act"] = sum(data[f"{phase}_total_act_energy"] for phase in "abc")
    data["total_act_ret"] = sum(data[f"{phase}_total_act_ret_energy"] for phase in "abc")
    about = {"name": "Bühne", "id": "shellypro3em-0", "mac": "AABBCCDDEE01", "gen": 2}
    about |= {"model": "SPEM-003CEBEU", "ver": "1.4.4", "app": "Pro3EM", "auth_en": False}
    status = {"ble": {}, "em:0": em, "emdata:0": data, "sys": {"mac": "AABBCCDDEE01"}}
    return {"/shelly": as_json(about), "/rpc/Shelly.GetStatus": as_json(status)}


def shelly_plug(second: int) -> dict[str, str]:
    """A plug behind which a small inverter feeds in: aenergy counts both directions."""
    returned = 5817 + 3 * second
    switch = {"id": 0, "output": True, "apower": decimal(-1250, 2), "voltage": decimal(2279, 1)}
    switch |= {"current": decimal(54), "pf": decimal(-99, 2), "freq": decimal(500, 1)}
    switch["aenergy"] = {"total": decimal(11679 + 5 * second), "by_minute": [decimal(0, 1)]}
    switch["ret_aenergy"] = {"total": decimal(returned), "by_minute": [decimal(0, 1)]}
    switch["temperature"] = {"tC": decimal(321, 1), "tF": decimal(898, 1)}
    about = {"id": "shellyplugsg3-0", "mac": "AABBCCDDEE02", "gen": 3, "model": "S3PL-00112EU"}
    status = {"switch:0": switch, "sys": {"mac": "AABBCCDDEE02"}}
    return {"/shelly": as_json(about), "/rpc/Shelly.GetStatus": as_json(status)}


def shelly_3em(second: int) -> dict[str, str]:
    """The first generation's meter of three phases."""
    meters = [
        {
            "power": decimal(5108 - 3000 * number, 2),
            "pf": decimal(27, 2),
            "current": decimal(78 + number, 2),
            "voltage": decimal(23490 + number, 2),
            "is_valid": True,
            "total": decimal(16862972 + 10 * second + number, 1),
            "total_returned": decimal(4289584 + number, 1),
        }
        for number in range(3)
    ]
    about = {"type": "SHEM-3", "mac": "AABBCCDDEE03", "auth": True, "fw": "v1.14.0"}
    status = {"relays": [{"ison": False, "is_valid": True}], "emeters": meters}
    status["total_power"] = sum(one["power"] for one in meters)  # type: ignore[assignment,misc]
    return {"/shelly": as_json(about), "/status": as_json(status)}


def shelly_plug1(second: int) -> dict[str, str]:
    """The first generation's plug: its counter has watt-minutes."""
    meter = {"power": decimal(4711, 2), "is_valid": True, "total": 2632 + second}
    about = {"type": "SHPLG-S", "mac": "AABBCCDDEE04", "auth": True, "fw": "v1.14.0"}
    return {"/shelly": as_json(about), "/status": as_json({"meters": [meter]})}


def tasmota(second: int) -> dict[str, str]:
    """A plug; with two channels each value is a list."""
    energy = {"TotalStartTime": "2023-02-05T11:04:13", "Total": decimal(1290396 + second)}
    energy |= {"Yesterday": decimal(854), "Today": decimal(173), "Power": decimal(4711, 2)}
    energy |= {"ApparentPower": decimal(51), "Factor": decimal(92, 2), "Voltage": 231}
    energy["Current"] = decimal(205)
    status = {"StatusSNS": {"Time": "2026-11-30T03:00:00", "ENERGY": energy}}
    return {"/cm?cmnd=Status%208": as_json(status)}


def homewizard(second: int) -> dict[str, str]:
    """A P1 meter's dongle, with gas and water."""
    about = {"product_type": "HWE-P1", "product_name": "P1 Meter", "serial": "3c39e7000001"}
    about |= {"firmware_version": "5.18", "api_version": "v1"}
    data = {"wifi_ssid": "home", "wifi_strength": 78, "smr_version": 50, "active_tariff": 2}
    data |= {"total_power_import_kwh": decimal(18664997 + second), "active_power_w": 203}
    data |= {"total_power_import_t1_kwh": decimal(10909724 + second)}
    data |= {"total_power_import_t2_kwh": decimal(7755273)}
    data |= {"total_power_export_kwh": decimal(13823608), "active_power_l1_w": -21}
    data |= {"active_voltage_l1_v": decimal(2281, 1), "active_current_l1_a": decimal(-92)}
    data |= {"montly_power_peak_w": 4321, "total_gas_m3": decimal(5175363)}
    read = {"timestamp": 241106093006, "unit": "m3"}  # of no value without it
    gas = {"unique_id": "4730303031", "type": "gas_meter", "value": decimal(5175363)}
    water = {"unique_id": "5730303032", "type": "water_meter", "value": decimal(123456)}
    data["external"] = [gas | read, water | read]
    return {"/api": as_json(about), "/api/v1/data": as_json(data)}


def opendtu(second: int) -> dict[str, str]:
    """A gateway: numbers are floats, printed long, with their real decimals beside them."""

    def value(text: str, unit: str, digits: int) -> dict:
        return {"v": Decimal(text), "u": unit, "d": digits}

    ac = {"Power": value("229.8999939", "W", 1), "Voltage": value("230.1000061", "V", 1)}
    ac |= {"Current": value("0.99000001", "A", 2), "Frequency": value("49.99000168", "Hz", 2)}
    total = format(Decimal("523.71899414") + decimal(second), "f")
    inverter = {"YieldTotal": value(total, "kWh", 3), "Power DC": value("241.5", "W", 1)}
    inverter["Temperature"] = value("31.29999924", "°C", 1)
    about = {"serial": "116180000001", "name": "Dach", "reachable": True, "producing": True}
    about |= {"data_age": 2, "AC": {"0": ac}, "DC": {}, "INV": {"0": inverter}}
    page = as_json({"inverters": [about], "total": {}})
    listed = [{"serial": serial, "name": "Dach"} for serial in ("116180000001", "116180000002")]
    return {
        "/api/livedata/status?inv=116180000001": page,
        "/api/livedata/status": as_json({"inverters": listed, "total": {}}),
    }


def ahoydtu(second: int) -> dict[str, str]:
    """The other gateway: a list without names."""
    ch0 = ["230.1", "0.99", "229.9", "49.99", "1", "31.3"]
    ac = [Decimal(text) for text in ch0] + [decimal(523719 + second), Decimal("812")]
    page = {"id": 0, "name": "Dach", "ch": [ac], "ts_last_success": int(time.time())}
    listed = {"inverter": [{"enabled": True, "id": 0, "name": "Dach"}]}
    return {"/api/inverter/id/0": as_json(page), "/api/inverter/list": as_json(listed)}


def fronius(second: int) -> dict[str, str]:
    """An inverter with a meter at the grid; at night it has no PV power."""
    site = {"E_Total": decimal(40123456 + second, 1), "P_Grid": Decimal("-1234.56")}
    site |= {"P_PV": Decimal("2000.5"), "P_Load": Decimal("-765.94"), "P_Akku": None}
    page = {"Body": {"Data": {"Site": site}}, "Head": {"Status": {"Code": 0}}}
    api = {"APIVersion": 1, "BaseURL": "/solar_api/v1/", "CompatibilityRange": "1.8-1"}
    return {
        "/solar_api/v1/GetPowerFlowRealtimeData.fcgi": as_json(page),
        "/solar_api/GetAPIVersion.cgi": as_json(api),
    }


def goe(second: int) -> dict[str, str]:
    """A charger."""
    nrg = [230, 231, 232, 0, Decimal("15.97"), 16, Decimal("15.9"), 3680, 3690, 3700, 0, 11070]
    return {"/api/status?filter=nrg,eto": as_json({"nrg": nrg + [99, 98, 97, 0], "eto": 987654})}


def mystrom(second: int) -> dict[str, str]:
    """A switch: its counter has watt-seconds, and begins with each start."""
    page = {"power": Decimal("47.11"), "Ws": Decimal("46.9"), "relay": True}
    page |= {"temperature": Decimal("21.5"), "boot_id": "A1", "energy_since_boot": 7200000}
    about = {"version": "4.5", "mac": "AABBCCDDEE05", "type": 107, "connected": True}
    return {"/report": as_json(page), "/api/v1/info": as_json(about), "/info.json": as_json(about)}


def youless(second: int) -> dict[str, str]:
    """The LS120's enhanced page."""
    page = {"tm": 1764470000, "net": Decimal("9194.164"), "pwr": 2382, "ts0": 1764470000}
    page |= {"p1": Decimal("4703.562"), "p2": Decimal("4490.631"), "n1": Decimal("0.029")}
    page |= {"n2": Decimal("0.000"), "gas": Decimal("1624.264")}
    return {"/e": as_json([page]), "/d": as_json({"model": "LS120", "mac": "72:b8:ad:14:16:2d"})}


KINDS: dict[str, Pages] = {
    "shelly-pro3em": shelly_pro3em,
    "shelly-plug": shelly_plug,
    "shelly-3em": shelly_3em,
    "shelly-plug1": shelly_plug1,
    "tasmota": tasmota,
    "homewizard": homewizard,
    "opendtu": opendtu,
    "ahoydtu": ahoydtu,
    "fronius": fronius,
    "goe": goe,
    "mystrom": mystrom,
    "youless": youless,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools.sim.lan_devices", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--login", choices=("basic", "digest", "digest-md5"))
    parser.add_argument("--password", default="secret", help="of the user admin")
    options = parser.parse_args()
    login = Login(options.login, "admin", options.password) if options.login else None
    device = start(options.kind, options.port, login)
    print(device.url, flush=True)
    child.until_the_end(False)
    device.close()


if __name__ == "__main__":
    main()
