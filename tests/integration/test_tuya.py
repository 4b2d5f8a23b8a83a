"""Tuya devices: simulated ones that another's client understands, and the reader by run.py."""

import re
import uuid
from decimal import Decimal

import pytest
import tinytuya

from tests import waiting
from tests.integration.run_rig import ON_THE_VM, config
from tools.sim.tuya import Meter

HOW = pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
VERSIONS = pytest.mark.parametrize("version", ["3.1", "3.3", "3.4", "3.5"])
KEY = "0123s3cr3t'<key>"
KEY_IS_WRONG = "its answers cannot be read|in the exchange of keys"
# What the simulated one holds at its second 0, in our units.
WANTED = {
    "power": "25.7",
    "power_1": "25.7",
    "power_2": "-25.7",
    "energy_import": "20.00",
    "energy_export_2": "10.00",
    "voltage": "230.1",
    "frequency": "49.98",
    "power_factor_1": "0.95",
    "current_1": "1.000",
}


@pytest.fixture
def meter():
    """Start simulated devices; all are closed after the test."""
    made: list[Meter] = []

    def begin(version: str = "3.4", device: str = "pj1103a", grows: bool = False, **more) -> Meter:
        identity = "bf" + uuid.uuid4().hex[:18]
        now = None if grows else lambda: 0
        more = {"device_id": identity, **more}
        made.append(Meter(key=KEY, version=version, device=device, now=now, **more))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def entry(one: Meter, name: str = "clamp", **more) -> dict:
    about = {"type": "tuya", "name": name, "device": "pj1103a", "id": one.device_id, "key": KEY}
    about |= {"host": one.address, "port": one.port, "version": one.version, "interval": 1}
    about |= {"misses": 2, "timeout": 2}
    return about | more


def begin_run(start, tmp_path, how, *entries: dict, **variables):
    text = f"readers = {list(entries)!r}\nsinks = [{{'type': 'console'}}]"
    return start("--config", config(tmp_path, text), *how, **variables)


def shown(run, name: str = "clamp") -> list[dict[str, str]]:
    """The readings of a meter that the console has printed: key -> text."""
    lines = re.findall(rf"^\S+Z {name} (.*)\n", run.output, re.MULTILINE)  # whole ones
    return [dict(re.findall(r"(\S+)=(\S+)", line)) for line in lines]


def silent(run) -> None:
    """No secret was printed, and nothing failed."""
    assert "s3cr3t" not in run.output and "wr0ng" not in run.output
    assert "Traceback" not in run.output and "failed" not in run.output


def client_of(one: Meter, key: str = KEY) -> tinytuya.OutletDevice:
    about = {"version": float(one.version), "port": one.port, "connection_timeout": 2}
    client = tinytuya.OutletDevice(one.device_id, "127.0.0.1", key, persist=True, **about)
    client.set_socketRetryLimit(1)
    return client


@VERSIONS
def test_another_client_reads_the_simulated_one(meter, version):
    one = meter(version)
    client = client_of(one)
    assert client.status()["dps"] == one.dps()
    one.push({"101": 300})
    pushed = client.receive()
    assert (pushed.get("data") or pushed)["dps"] == {"101": 300}
    client.heartbeat()
    client.updatedps([18, 19])
    assert client.status()["dps"]["102"] == "FORWARD"
    assert (one.heartbeats, one.updates, one.queries) == (1, 1, 2)
    assert one.agreed == (1 if version >= "3.4" else 0)
    client.close()
    if version > "3.1":
        wrong = client_of(one, "fedcba9876543210").status()
        assert wrong and "Err" in wrong
        assert one.refused


@pytest.mark.parametrize("version", ["3.3", "3.4"])
def test_another_client_finds_a_device22(meter, version):
    one = meter(version)
    one.device22 = True
    client = client_of(one)
    client.set_dpsUsed({"101": None, "102": None})
    client.status()  # it finds out, and asks for data point 1
    client.set_dpsUsed({"101": None, "102": None})
    found = [client.status() or {} for _ in range(3)]
    assert {"101": 257, "102": "FORWARD"} in [(one.get("data") or one).get("dps") for one in found]


@HOW
def test_values_digit_for_digit(start, tmp_path, how, meter):
    """All versions at once."""
    made = {f"v{n}": meter(f"3.{n}") for n in (1, 3, 4, 5)}
    heap = ["--heap", "400k"] if how else []
    run = begin_run(
        start, tmp_path, [*how, *heap], *[entry(one, name) for name, one in made.items()]
    )
    for name, one in made.items():
        run.wait_for(rf"Z {name} ", count=3)
        found = shown(run, name)[0]
        told = {key: Decimal(found[key]) for key in WANTED}
        assert told == {key: Decimal(text) for key, text in WANTED.items()}, name
        assert "None" not in found.values()
        assert one.agreed == (1 if one.version >= "3.4" else 0), "one connection for all"
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_what_it_sends_by_itself_is_merged(start, tmp_path, how, meter):
    one = meter("3.4")
    run = begin_run(start, tmp_path, how, entry(one))
    run.wait_for("Z clamp ", count=2)
    one.mode = "hang"  # no more answers: but what it pushes is heard
    run.wait_for("no answer from pj1103a 127.0.0.1, 2 times: no answer within 2 s")
    one.mode = "ok"
    run.wait_for("pj1103a 127.0.0.1 answers again")
    table = one._table
    one._table = type(table)(["power | dps/115 | 0.1W | 1 | W | measurement | power"])
    one.push({"101": 300, "102": "REVERSE", "112": 2222})
    run.wait_for("power_1=-30.0")  # the answers have the total only
    run.wait_for("voltage=222.2")
    assert "energy_import=20.00" in run.output.splitlines()[-2]
    silent(run)
    assert run.interrupt() == 0


@HOW
@pytest.mark.parametrize("version", ["3.3", "3.4"])
def test_device22(start, tmp_path, how, meter, version):
    one = meter(version)
    one.device22 = True
    run = begin_run(start, tmp_path, how, entry(one))
    run.wait_for("Z clamp power=25.7 .*voltage=230.1", count=3)
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_values_that_freeze(start, tmp_path, how, meter):
    """A plug shows old values until it is told to measure; a clamp where `renew` says so."""
    plug, clamp = meter("3.3", "plug", grows=True), meter("3.5", grows=True)
    plug.frozen = clamp.frozen = True
    entries = [entry(plug, "plug", device="plug"), entry(clamp, renew=["101"])]
    run = begin_run(start, tmp_path, how, *entries)
    for name in ("plug", "clamp"):
        run.wait_for(rf"Z {name} ", count=5)
        values = [found.get("power") or found.get("power_1") for found in shown(run, name)]
        assert len(set(values)) > 2, values
    assert plug.updates >= 5 and clamp.updates >= 5
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_own_rows(start, tmp_path, how, meter):
    one = meter("3.3", "zemismart")
    rows = ["x | dps/105 | W | 0 | W | measurement | power", "# no more", ""]
    run = begin_run(start, tmp_path, how, entry(one, device=None, rows=rows))
    run.wait_for("Z clamp x=257", count=2)
    silent(run)
    assert run.interrupt() == 0


@HOW
@VERSIONS
def test_a_wrong_key(start, tmp_path, how, meter, version):
    """It is said, once, and put right over there it is read."""
    one = meter(version)
    run = begin_run(start, tmp_path, how, entry(one, key="wr0ng_key_123456"))
    if version == "3.1":  # which needs none for its answers
        run.wait_for("Z clamp ", count=2)
        return
    run.wait_for(f"pj1103a 127.0.0.1.*({KEY_IS_WRONG})")
    assert one.refused and "Z clamp power=" not in run.output
    one.key = b"wr0ng_key_123456"
    run.wait_for("Z clamp power=25.7", count=2)
    assert len(re.findall(KEY_IS_WRONG, run.output)) == 1
    silent(run)
    assert run.interrupt() == 0


@HOW
@pytest.mark.parametrize("mode", ["hang", "reset", "half", "garbage", "huge", "refused"])
def test_a_bad_day(start, tmp_path, how, mode, meter):
    """The state says what is wrong, the others go on, and it comes back by itself."""
    one, beside = meter("3.4", grows=True), meter("3.3", grows=True)
    run = begin_run(start, tmp_path, how, entry(one), entry(beside, "beside"))
    run.wait_for("Z clamp power=[0-9]", count=2)
    port = one.port
    if mode == "refused":
        one.close()
        run.wait_for("no answer from pj1103a 127.0.0.1, 2 times: connection refused")
        one = meter("3.4", grows=True, port=port, device_id=one.device_id)
    else:
        one.mode = mode
        words = {
            "hang": "no answer within 2 s",
            "reset": "cut|reset|closed",
            "half": "no answer within 2 s",
            "garbage": "no answer within 2 s|not Tuya's protocol",
            "huge": "what it sends is not Tuya's protocol",
        }
        run.wait_for(f"pj1103a 127.0.0.1.*({words[mode]})")
    before = len(shown(run, "beside"))
    run.wait_for("Z beside ", count=before + 3)
    one.mode = "ok"
    seen = len(re.findall("Z clamp power=[0-9]", run.output))
    run.wait_for("Z clamp power=[0-9]", count=seen + 2)
    energies = [
        Decimal(found["energy_import"])
        for found in shown(run)
        if found.get("energy_import", "None") != "None"
    ]
    assert energies == sorted(energies)
    silent(run)
    assert run.interrupt() == 0


@HOW
@VERSIONS
def test_a_restart_costs_no_reading(start, tmp_path, how, meter, version):
    """Each connection has a new key of its own."""
    one = meter(version, grows=True)
    run = begin_run(start, tmp_path, how, entry(one))
    for connections in (2, 3):
        run.wait_for("Z clamp power=[0-9]", count=len(shown(run)) + 2)
        one.drop()
        if version >= "3.4":
            waiting.until(lambda wanted=connections: one.agreed == wanted)
    run.wait_for("Z clamp power=[0-9]", count=len(shown(run)) + 2)
    assert "no answer" not in run.output and "power=None" not in run.output
    silent(run)
    assert run.interrupt() == 0


@HOW
@VERSIONS
def test_it_is_found_and_found_again(start, tmp_path, how, meter, version):
    """By its announcements: host and version, and where it is behind a restart."""
    one = meter(version)
    one.announce(0.2)
    about = entry(one, host=None, version=None)
    run = begin_run(start, tmp_path, how, about)
    run.wait_for("Z clamp power=25.7", count=2)
    port = one.port
    one.close()
    again = meter(version, port=port, address="127.0.0.2", device_id=one.device_id)
    again.announce(0.2)
    run.wait_for("Z clamp power=25.7", count=len(shown(run)) + 3)
    assert again.queries
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_a_version_that_nobody_told(start, tmp_path, how, meter):
    """With a host that does not announce itself they are tried one after the other."""
    one = meter("3.5")
    run = begin_run(start, tmp_path, how, entry(one, version=None), SPEED="4")
    run.wait_for("Z clamp power=25.7", count=2)
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_heartbeats_between_polls(start, tmp_path, how, meter):
    one = meter("3.5")
    run = begin_run(start, tmp_path, how, entry(one, interval=120), SPEED="10")
    run.wait_for("Z clamp power=25.7", count=2)
    assert one.heartbeats >= 8
    assert one.agreed == 1
    silent(run)
    assert run.interrupt() == 0


def test_host_sim(start, tmp_path):
    one = {"type": "tuya", "name": "clamp", "host": "sim", "device": "pj1103a", "interval": 1}
    one |= {"id": "bf01", "key": KEY, "version": "3.5"}
    rows = {"rows": ["x | dps/1 + dps/7 | W | 0 | W | measurement | power"], "device": None}
    run = begin_run(start, tmp_path, [], one, {**one, "name": "own", **rows})
    run.wait_for("Z clamp power=", count=2)
    run.wait_for("Z own x=", count=2)
    silent(run)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"device": None}, "one of `device` and `rows` is needed"),
        ({"rows": ["x"]}, "one of `device` and `rows` is needed"),
        ({"device": None, "rows": ["x"]}, "columns; allowed: key | where"),
        (
            {"device": None, "rows": ["a | em/b | W | 0 | W | measurement | "]},
            "a data point is written as dps/101",
        ),
        ({"device": "pj1103b"}, "`device`"),
        ({"key": KEY[1:]}, "`key` is too short"),
        ({"key": None}, "`key`"),
        ({"id": 'bf"01'}, "`id` has letters and digits only"),
        ({"renew": ["a"]}, "`renew` is a list of numbers"),
        ({"version": "3.6"}, "`version`"),
        ({"host": "http://127.0.0.1"}, "`host`"),
    ],
)
def test_what_the_check_finds(start, tmp_path, change, said):
    about = {"type": "tuya", "device": "pj1103a", "id": "bf01", "key": KEY, **change}
    run = begin_run(start, tmp_path, [], about)
    assert run.status() != 0
    assert said in run.output, run.output
    silent(run)
