"""Meters on the LAN: simulated ones that others' clients understand, and the reader by run.py.

What no client reads (Tasmota, OpenDTU, AhoyDTU, Fronius, go-e, YouLess) is built from the makers'
published descriptions. HomeWizard's was read by python-homewizard-energy 6.3.0 in an environment
of its own: it wants other versions of what aiohttp needs.
"""

import asyncio
import re
from decimal import Decimal

import pymystrom.switch
import pytest
import ShellyPy
from yarl import URL

from tests.integration.run_rig import ON_THE_VM, config
from tools.sim import lan_devices
from tools.sim.lan import Device, Login

HOW = pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
DIGEST = Login("digest", "admin", "s3cr3t pa$$")
BASIC = Login("basic", "admin", "s3cr3t pa$$")
OPTIONS = {"opendtu": {"unit": "116180000001"}, "ahoydtu": {"unit": "0"}}
# What the simulated ones hold at their second 0, in our units.
WANTED = {
    "shelly-pro3em": {
        "power": "526.5",
        "power_l1": "375.5",
        "power_l3": "-24.5",
        "voltage_l2": "229.1",
        "current_l3": "2.192",
        "power_apparent_l1": "547.4",
        "frequency": "50.0",
        "energy_import_l1": "2034.61671",
        "energy_import": "6103.88013",
        "energy_export": "0.12213",
    },
    "shelly-plug": {
        "power": "-12.50",
        "energy_import": "0.005862",
        "energy_export": "0.005817",
        "temperature": "32.1",
        "power_factor": "-0.99",
    },
    "shelly-3em": {
        "power": "63.24",
        "power_l3": "-8.92",
        "voltage_l2": "234.91",
        "energy_import_l1": "1686.2972",
        "energy_import": "5058.8919",
        "energy_export": "1286.8755",
    },
    "shelly-plug1": {"power": "47.11", "energy_import": "0.043866"},
    "tasmota": {"power": "47.11", "energy_import": "1290.396", "voltage": "231"},
    "homewizard": {
        "power": "203",
        "energy_import": "18664.997",
        "energy_export": "13823.608",
        "current_l1": "-0.092",
        "demand_import_peak": "4321",
        "gas": "5175.363",
        "water": "123.456",
        "tariff": "2",
    },
    "opendtu": {
        "power_export": "229.9",
        "voltage": "230.1",
        "current": "0.99",
        "frequency": "49.99",
        "energy_export": "523.719",
        "power_dc": "241.5",
        "temperature": "31.3",
    },
    "ahoydtu": {"power_export": "229.9", "voltage": "230.1", "energy_export": "523.719"},
    "fronius": {
        "power": "-1234.56",
        "power_export": "2000.5",
        "power_load": "-765.94",
        "energy_export": "4012.3456",
    },
    "goe": {"power": "11070", "current_l1": "15.97", "voltage_l3": "232"},
    "mystrom": {"power": "47.11", "energy_import": "2.000000", "temperature": "21.50"},
    "youless": {"power": "2382", "energy_import_t1": "4703.562", "gas": "1624.264"},
}


@pytest.fixture
def device():
    """Start simulated devices; all are closed after the test."""
    made: list[Device] = []

    def begin(kind: str, login: Login | None = None, grows: bool = False, port: int = 0) -> Device:
        now = None if grows else lambda: 0
        made.append(lan_devices.start(kind, port, login, now))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def entry(kind: str, device: Device, **more) -> dict:
    about = {"type": "http_json", "name": kind.replace("-", "_"), "interval": 1}
    about |= {"device": kind.partition("-")[0], "host": "127.0.0.1", "port": device.port}
    if device.login:
        about["password"] = device.login.password
    return about | OPTIONS.get(kind, {}) | more


def begin_run(start, tmp_path, how, entries: list[dict]):
    text = f"readers = {entries!r}\nsinks = [{{'type': 'console'}}]"
    return start("--config", config(tmp_path, text), *how)


def shown(run, name: str) -> list[dict[str, str]]:
    """The readings of a meter that the console has printed: key -> text."""
    lines = re.findall(rf"^\S+Z {name} (.*)$", run.output, re.MULTILINE)
    return [dict(re.findall(r"(\S+)=(\S+)", line)) for line in lines]


def test_shellys_client_reads_the_simulated_ones(device):
    about = {"username": "admin", "password": DIGEST.password}
    pro = device("shelly-pro3em", DIGEST)
    client = ShellyPy.Shelly("127.0.0.1", str(pro.port), login=about, init=False)
    status = client.post("Shelly.GetStatus")
    assert status["em:0"]["total_act_power"] == 526.5
    assert status["emdata:0"]["a_total_act_energy"] == 2034616.71
    with pytest.raises(ShellyPy.error.BadLogin):
        wrong = {"username": "admin", "password": "other"}
        ShellyPy.Shelly("127.0.0.1", str(pro.port), login=wrong, init=False).post("x")
    old = device("shelly-3em", BASIC)
    client = ShellyPy.Shelly("127.0.0.1", str(old.port), login=about, init=False)
    assert client.status()["emeters"][2]["power"] == -8.92


def test_mystroms_client_reads_the_simulated_one(device):
    async def ask() -> tuple:
        switch = pymystrom.switch.MyStromSwitch("127.0.0.1")
        switch.uri = URL(device("mystrom").url)
        async with switch:
            await switch.get_state()
            return switch.consumption, switch.energy_since_boot, switch.boot_id

    assert asyncio.run(ask()) == (47.1, 7200000, "A1")  # it rounds


@HOW
def test_all_devices_at_once(start, tmp_path, how, device):
    """Each gives its values digit for digit, beside the others."""
    logins = {"shelly-pro3em": DIGEST, "shelly-plug": DIGEST, "shelly-3em": BASIC}
    made = {kind: device(kind, logins.get(kind)) for kind in WANTED}
    entries = [entry(kind, one) for kind, one in made.items()]
    heap = ["--heap", "400k"] if how else []
    run = begin_run(start, tmp_path, [*how, *heap], entries)
    for one in entries:
        run.wait_for(rf"Z {one['name']} ", count=2)
    for kind, wanted in WANTED.items():
        found = shown(run, kind.replace("-", "_"))[0]
        told = {key: Decimal(found[key]) for key in wanted}
        assert told == {key: Decimal(text) for key, text in wanted.items()}, kind
        assert "None" not in found.values()
    assert made["shelly-pro3em"].refused == 1, "one question for all requests"
    assert DIGEST.password not in run.output
    assert run.interrupt() == 0


@HOW
def test_own_rows(start, tmp_path, how, device):
    own = entry("mystrom", device("mystrom"), path="/report")
    own["device"] = None
    own["rows"] = ["heat | temperature | °C | 1 | °C | measurement | temperature"]
    run = begin_run(start, tmp_path, how, [own])
    run.wait_for("Z mystrom heat=21.5")


@HOW
def test_wrong_password_and_a_restart(start, tmp_path, how, device):
    plug = device("shelly-plug", DIGEST)
    run = begin_run(start, tmp_path, how, [entry("shelly-plug", plug, password="wr0ng-one")])
    run.wait_for("shelly at 127.0.0.1: it wants another `user` or `password`")
    plug.login = DIGEST._replace(password="wr0ng-one")  # somebody puts it right over there
    run.wait_for("Z shelly_plug ", count=2)
    plug.new_nonce()
    run.wait_for("Z shelly_plug ", count=4)
    assert run.output.count("it wants another") == 1
    assert "wr0ng" not in run.output
    assert run.interrupt() == 0


@pytest.mark.parametrize(
    "change, said",
    [
        ({"device": None}, "one of `device` and `rows` is needed"),
        ({"rows": ["x"]}, "one of `device` and `rows` is needed"),
        ({"path": "/x"}, "`path` is what is asked for with `rows`"),
        ({"device": "opendtu"}, "`unit` says which inverter is meant"),
        ({"unit": "1"}, "`unit` says which inverter is meant"),
        ({"device": None, "path": "x", "rows": ["x"]}, '`path` begins with "/"'),
        ({"device": None, "path": "/x", "rows": ["x"]}, "columns; allowed: key | where"),
        (
            {"device": None, "path": "/x", "rows": ["a | a//b | W | 0 | W | measurement | "]},
            "has a step without a key",
        ),
        ({"host": "http://127.0.0.1"}, "`host`"),
        ({"device": "shely"}, "`device`"),
    ],
)
def test_what_the_check_finds(start, tmp_path, change, said):
    about = {"type": "http_json", "device": "tasmota", "host": "127.0.0.1", **change}
    run = begin_run(start, tmp_path, [], [about])
    assert run.status() != 0
    assert said in run.output, run.output
