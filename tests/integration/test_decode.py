"""tools/decode as a program: its JSON, with nothing but the standard library."""

import json
import os
import re
import subprocess
import sys
import time

import pytest

from tests.waiting import HANG_S
from tools import ROOT

DSMR = ROOT / "tests/fixtures/dsmr"
DLMS = ROOT / "tests/fixtures/dlms"
NL = DSMR / "nl_ene5-xs210-esmr-5-0.txt"
BE = DSMR / "be_flu5-253769484-a.txt"
OLD = DSMR / "nl_isk5-2mt382-1004.txt"
# -E -s -S: neither PYTHONPATH nor the folders of installed packages
COMMAND = [sys.executable, "-E", "-s", "-S", "-m", "tools.decode", "dsmr"]
KEYS = re.findall(
    r'KEY = bytes.fromhex\("(\w{32})"\)', (ROOT / "tests/unit/test_dsmr_dlms.py").read_text()
)
KEY, AUTH_KEY = KEYS[0], KEYS[1]
WRONG = "0" * 32


def decode(*arguments, data: bytes = b"") -> tuple[int, list[dict], str]:
    """Run the tool; (exit status, telegrams, what it said on standard error)."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], input=data, capture_output=True, timeout=HANG_S, cwd=ROOT
    )
    telegrams = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return done.returncode, telegrams, done.stderr.decode()


def test_the_contract() -> None:
    status, (telegram,), said = decode(NL)
    assert (status, said) == (0, "")
    assert set(telegram) == {"crc", "header", "time", "obis", "values"}
    assert telegram["crc"] == "ok"
    assert telegram["header"] == "Ene5\\XS210 ESMR 5.0"
    assert telegram["time"] == "2023-10-17T07:04:42Z"
    assert telegram["obis"]["1-0:1.8.1"] == {"value": "8243.448", "unit": "kWh"}
    assert telegram["values"]["energy_import_t1"] == "8243.448"


def test_every_value_is_the_text_of_the_wire() -> None:
    text = NL.read_text("latin-1")
    _, (telegram,), _ = decode(NL)
    wire = re.findall(r"^(\d-\d:[\d.]+)\(0*(\d[\d.]*)\*(\w+)\)\s*$", text, re.M)
    assert len(wire) == 10
    for code, value, unit in wire:
        assert telegram["obis"][code] == {"value": value, "unit": unit}


def test_trailing_zeros_and_units() -> None:
    line = b"1-0:1.8.1(001234.500*kWh)\r\n1-0:1.7.0(00.000*kW)\r\n0-0:96.14.0(0002)\r\n"
    _, (telegram,), _ = decode(data=b"/X\r\n\r\n" + line + b"!\r\n")
    assert telegram["obis"] == {
        "1-0:1.8.1": {"value": "1234.500", "unit": "kWh"},
        "1-0:1.7.0": {"value": "0.000", "unit": "kW"},
        "0-0:96.14.0": {"value": "2", "unit": None},
    }
    assert telegram["values"] == {
        "energy_import_t1": "1234.500",
        "power_import": "0",
        "tariff": "2",
    }
    assert (telegram["crc"], telegram["time"]) == ("absent", None)


def test_times_lists_and_codes_that_come_twice() -> None:
    _, (telegram,), _ = decode(BE)
    obis = telegram["obis"]
    peaks = obis["0-0:98.1.0"]
    assert peaks[1]["value"] == "1.862" and peaks[1]["unit"] == "kW"
    assert peaks[1]["time"] == "2023-08-31T22:00:00Z"
    assert obis["1-0:1.6.0"] == {"value": "3.064", "unit": "kW", "time": "2023-11-02T10:45:00Z"}
    assert obis["0-1:24.2.3"]["time"] == "2023-11-02T11:10:02Z"
    _, (twice,), _ = decode(data=b"/X\r\n\r\n1-0:1.8.1(1.5*kWh)\r\n1-0:1.8.1(2.5*kWh)\r\n!\r\n")
    assert [item["value"] for item in twice["obis"]["1-0:1.8.1"]] == ["1.5", "2.5"]


def test_a_gas_value_on_its_own_line() -> None:
    _, (telegram,), _ = decode(OLD)
    assert telegram["obis"]["0-1:24.3.0"] == {
        "value": "1.001",
        "unit": "m3",
        "time": "2016-11-07T18:00:00Z",
    }
    assert telegram["values"]["gas"] == "1.001"


def test_expected_values_of_every_fixture() -> None:
    expected = json.loads((DSMR / "expected.json").read_text())
    names = sorted(path for path in DSMR.glob("*.txt") if path.stem in expected)
    assert len(names) > 20
    for path in names:
        options = ("--utc-offset", expected[path.stem].get("base_hours", 1))
        _, telegrams, _ = decode(path, *options)
        wanted = expected[path.stem]
        assert telegrams, path.stem
        assert telegrams[0]["values"] == wanted["values"], path.stem
        assert telegrams[0]["crc"] == wanted["crc"]


def test_several_files_and_standard_input() -> None:
    status, telegrams, _ = decode(NL, OLD, BE)
    assert status == 0
    assert [t["header"][:4] for t in telegrams] == ["Ene5", "ISk5", "FLU5"]
    both = NL.read_bytes() + b"\xff\x00noise" + BE.read_bytes()
    status, telegrams, _ = decode(data=both)
    assert (status, [t["crc"] for t in telegrams]) == (0, ["ok", "ok"])
    status, telegrams, _ = decode(NL, "-", data=BE.read_bytes())
    assert [t["header"][:4] for t in telegrams] == ["Ene5", "FLU5"]


def test_a_live_line_is_decoded_as_it_comes() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin and child.stdout
        for _ in range(2):
            child.stdin.write(NL.read_bytes())
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["crc"] == "ok"  # before the input ends
            time.sleep(0.05)
        child.stdin.close()
        assert child.wait(10) == 0


def test_a_bad_crc_is_shown_without_values() -> None:
    status, (telegram,), _ = decode(data=NL.read_bytes().replace(b"8243.448", b"8243.449"))
    assert status == 0
    assert (telegram["crc"], telegram["values"]) == ("bad", {})
    assert telegram["obis"]["1-0:1.8.1"]["value"] == "8243.449"


@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"/cut\r\n1-0:1.8.1(1*kWh)\r\n", b"\xff" * 9000]
)
def test_nothing_to_decode(data) -> None:
    status, telegrams, said = decode(data=data)
    assert (status, telegrams) == (1, [])
    assert said.startswith("no telegram found") and "Traceback" not in said


class TestEncrypted:
    @pytest.mark.parametrize("name", ["luxembourg", "austria"])
    @pytest.mark.parametrize("keys", [("--key", KEY), ("--key", KEY, "--auth-key", AUTH_KEY)])
    def test_hexadecimal_text_and_bytes(self, name, keys) -> None:
        digits = (DLMS / f"{name}.hex").read_bytes()
        plain = (DLMS / f"{name}.txt").read_bytes()
        status, telegrams, said = decode(*keys, DLMS / f"{name}.hex")
        assert (status, len(telegrams), telegrams[0]["crc"], said) == (0, 1, "ok", "")
        assert decode(*keys, data=bytes.fromhex(digits.decode()))[1] == telegrams
        assert decode(data=plain)[1] == telegrams

    def test_several_frames_with_noise_between(self) -> None:
        frame = bytes.fromhex((DLMS / "luxembourg.hex").read_text())
        status, telegrams, _ = decode("--key", KEY, data=frame + b"\xdb\x08noise" + frame)
        assert (status, len(telegrams)) == (0, 2)

    def test_without_the_key_it_says_what_is_missing(self) -> None:
        status, telegrams, said = decode(DLMS / "luxembourg.hex")
        assert (status, telegrams) == (1, [])
        assert "--key" in said

    def test_wrong_keys(self) -> None:
        frame = DLMS / "luxembourg.hex"
        assert decode("--key", WRONG, frame)[:2] == (1, [])
        status, telegrams, said = decode("--key", KEY, "--auth-key", WRONG, frame)
        assert (status, telegrams) == (1, [])
        assert "authentication tag" in said

    @pytest.mark.parametrize("key", ["12", "secret" * 5 + "xx"])
    def test_keys_that_are_none_are_not_repeated(self, key) -> None:
        status, _, said = decode("--key", key, NL)
        assert status == 2
        assert key not in said and "Traceback" not in said

    def test_an_auth_key_alone(self) -> None:
        status, _, said = decode("--auth-key", AUTH_KEY, NL)
        assert status == 2 and "--key" in said


def test_a_file_that_is_not_there() -> None:
    status, _, said = decode("no-such-file.txt")
    assert status == 2
    assert "no-such-file.txt" in said and "Traceback" not in said


def test_from_any_folder(tmp_path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')\n")
    command = [sys.executable, "-P", "-s", "-S", "-m", "tools.decode", "dsmr", str(NL)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, timeout=60, check=True
    )
    assert done.stdout.count(b"\n") == 1


def test_a_reader_that_has_enough() -> None:
    many = NL.read_bytes() * 400
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout and child.stderr
        child.stdout.close()
        try:
            child.stdin.write(many)
            child.stdin.close()
        except BrokenPipeError:
            pass
        assert b"Traceback" not in child.stderr.read()
