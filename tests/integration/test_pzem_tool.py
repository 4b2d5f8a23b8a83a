"""tools/pzem and tools/decode for Modbus, as a person uses them, on simulated meters."""

import json
import subprocess
import sys

import pytest
from modbus import rtu

from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.pzem import board
from tools.sim import slaves
from tools.sim.pzem import Faults, Server

VECTORS = json.loads((ROOT / "tests/fixtures/modbus/pzem.json").read_text())
REQUEST = "01040000000a700d"


@pytest.fixture
def serve():
    servers = []

    def begin(meters, faults=None) -> Server:
        servers.append(Server(meters, faults).start())
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


def pzem(server, *arguments: str, said: str = "") -> tuple[int, str]:
    """Run the tool; (exit status, all that it printed)."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.pzem", server.device, *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        cwd=ROOT,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_find_a_meter_that_is_alone(serve) -> None:
    for model in ("ac", "dc"):
        server = serve({93: slaves.Pzem(model)})
        assert pzem(server, "find") == (0, f"address 93: {model}\n")
        assert server.requests == 2  # not one for each address


def test_find_several(serve) -> None:
    """The loop over all addresses, without their time-outs."""
    line = slaves.Line({3: slaves.Pzem("ac"), 247: slaves.Pzem("dc")}, lambda: 0.0)

    class Port:
        def ask(self, request):
            data = line.answer(request)
            answer = rtu.Answer()
            answer.begin(request)
            return answer if data and answer.take(data, 0, len(data)) else None

    assert list(board.find(Port())) == [(3, "ac"), (247, "dc")]


def test_read(serve) -> None:
    meter = slaves.Pzem("ac")
    meter.fixed = [2413, 29037, 0, 3387, 1, 7926, 0, 500, 98, 0]
    server = serve({5: meter})
    for address in ("5", "248"):
        status, said = pzem(server, "read", address)
        assert status == 0
        assert "power        6892.3 W\n" in said and "energy       7.926 kWh\n" in said
    status, said = pzem(server, "read", "6")
    assert status == 1 and "nobody answers at address 6" in said


def test_read_garbage(serve) -> None:
    server = serve({1: slaves.Pzem("ac")}, Faults(bad_crc_every=1))
    status, said = pzem(server, "read", "1")
    assert status == 1 and "only garbage comes from address 1" in said


def test_set_an_address(serve) -> None:
    server = serve({1: slaves.Pzem("ac"), 2: slaves.Pzem("ac")})
    status, said = pzem(server, "set", "1", "2")
    assert status == 1 and "taken by another meter; nothing was changed" in said
    assert set(server.meters) == {1, 2}
    status, said = pzem(server, "set", "1", "248")
    assert status == 1 and "allowed: 1 to 247" in said
    assert pzem(server, "set", "1", "17") == (0, "the meter has address 17 now\n")
    assert set(server.meters) == {2, 17}


def test_reset_asks_first(serve) -> None:
    meter = slaves.Pzem("ac")
    server = serve({1: meter})
    for said in ("", "no\n", "y\n"):
        status, told = pzem(server, "reset", "1", said=said)
        assert status == 1 and "nothing was changed" in told
        assert "energy       1.23" in told  # what would be lost
        assert meter.energy_wh >= 1234
    status, told = pzem(server, "reset", "1", said="yes\n")
    assert status == 0 and "the energy counter is 0.000 kWh now" in told
    assert meter.energy_wh < 2
    meter.energy_wh = 5000
    assert pzem(server, "reset", "1", "--yes")[0] == 0
    assert meter.energy_wh < 2


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["read"], "read takes 1 numbers: address"),
        (["set", "1"], "set takes 2 numbers"),
        (["read", "249"], "address 249; allowed"),
        (["--board", "find"], "--board needs --uart"),
        (["erase"], "invalid choice"),
    ],
)
def test_a_wrong_command_line(serve, arguments, told) -> None:
    status, said = pzem(serve({}), *arguments)
    assert status == 2 and told in said


def test_no_such_port() -> None:
    class Nothing:
        device = "/dev/ttyNOTHING7"

    status, said = pzem(Nothing, "find")
    assert status == 3 and "/dev/ttyNOTHING7" in said


def test_on_micropython(serve, tmp_path) -> None:
    """What --board runs on the board."""
    from tools.rig import vm

    try:
        vm.ensure()
    except vm.Unavailable as reason:
        tiers.missing("the MicroPython VM", "vm", str(reason))
    server = serve({9: slaves.Pzem("ac")})
    script = tmp_path / "script.py"
    tool = ROOT / "tools/pzem/board.py"
    script.write_text(
        f"given = {{'command': 'find', 'uart': {server.device!r}, '__name__': 'board'}}\n"
        f"exec(open({str(tool)!r}).read(), given)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tools.rig.run_vm", "--heap", "1M", str(script)],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        cwd=ROOT,
    )
    assert done.stdout == "address 9: ac\n", done.stdout + done.stderr


def test_it_does_not_hide_the_package_of_its_name() -> None:
    script = "from tools.pzem import board; import pzem; print(sorted(pzem.TABLES))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "['ac', 'dc']\n", done.stderr


def decode(*arguments: str, data: bytes) -> tuple[int, list[dict], str]:
    # -E -s -S: neither PYTHONPATH nor the folders of installed packages
    command = [sys.executable, "-E", "-s", "-S", "-m", "tools.decode", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, timeout=HANG_S, cwd=ROOT)
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return done.returncode, rows, done.stderr.decode()


def test_decode_real_answers() -> None:
    vectors = [v for v in VECTORS if "values" in v]
    data = b"\x00\xff".join(bytes.fromhex(v["frame"]) for v in vectors)
    status, rows, said = decode("pzem", data=data)
    assert (status, said) == (0, "")
    assert [row["values"] for row in rows] == [v["values"] for v in vectors]
    assert [row["address"] for row in rows] == [int(v["frame"][:2], 16) for v in vectors]


def test_decode_both_directions_and_text() -> None:
    text = f"{REQUEST} {VECTORS[0]['frame']}\n0104 0000 000a 700d 018402c2c1 01428011 01428011"
    status, rows, _ = decode("pzem", data=text.encode())
    assert status == 0
    kinds = [(row["kind"], row["function"]) for row in rows]
    assert kinds == [
        ("request", 4),
        ("answer", 4),
        ("request", 4),
        ("refusal", 4),
        ("request", 66),
        ("answer", 66),
    ]
    assert rows[3]["refused"] == "illegal address"


def test_decode_an_eastron() -> None:
    meter = slaves.Sdm("sdm630")
    line = slaves.Line({4: meter}, lambda: 0.0)
    data = b""
    for first, count in ((0x34, 6), (0x46, 6), (0, 18)):
        request = rtu.read(4, 4, first, count)
        data += request + (line.answer(request) or b"")
    status, rows, _ = decode("modbus", "--model", "sdm630", data=data)
    assert status == 0 and len(rows) == 6
    assert rows[3]["registers"][:2] == [0x4248, 0x147B]
    assert rows[3]["values"] == {
        "frequency": "50.02",
        "energy_import": "1.234",
        "energy_export": "1.500",
    }
    assert rows[5]["values"]["voltage_l3"] == "232.3" and len(rows[5]["values"]) == 9
    status, _, said = decode("modbus", "--model", "sdm999", data=data)
    assert status == 2 and "sdm120, sdm230, sdm630" in said


def test_decode_nothing() -> None:
    status, rows, said = decode("pzem", data=bytes(100))
    assert (status, rows) == (1, []) and "no telegram found" in said
