"""The doctor on everything that the simulated meter and the line model can do."""

import random
import subprocess
import sys

import pytest

from tests.waiting import HANG_S
from tools import ROOT
from tools.doctor import __main__ as doctor
from tools.doctor import analysis
from tools.sim import line, telegrams
from tools.sim.p1 import MODELS, Faults, Meter, Ticks

NOON = 1782036000  # 2026-06-21T10:00:00Z
PLAIN = [model for model in MODELS if model != "lu"]
WORDS = {
    "nl50": ("DSMR 5.0", "Sagemcom", "Netherlands", "channel 1: gas"),
    "nl42": ("DSMR 4.2", "Kaifa", "Netherlands", "channel 2: gas"),
    "nl22": ("DSMR 2.2", "Iskraemeco", "no time", "channel 1: gas"),
    "be": ("50217", "Belgium", "channel 1: gas", "channel 2: water"),
    "at": ("DSMR 5.0", "Austria"),
    "se": ("Sweden",),
    "hu": ("Sanxing", "Hungary"),
}


def sent(model: str, count: int = 4, faults: Faults | None = None) -> bytes:
    """What a meter sends in a while."""
    ticks = Ticks(NOON)
    meter = Meter(model, 1, ticks)
    faults = faults or Faults()
    data = b""
    for number in range(1, count + 1):
        data += faults.spoil(meter.telegram(faults.crc_ok(number)), number)[0]
        ticks.time += meter.about.interval_s
    return data


def heard(model: str, data: bytes, baud: int, mode: str, upside_down: bool = False) -> bytes:
    """What a UART with some settings makes of it."""
    about = telegrams.MODELS[model]
    levels = line.levels(data, about.mode)
    if upside_down:
        levels = line.inverted(levels)
    return line.hear(levels, about.baud, baud, mode)


def words(report: analysis.Report) -> str:
    return "\n".join(report.lines)


@pytest.mark.parametrize("model", PLAIN)
def test_names_every_meter(model):
    about = telegrams.MODELS[model]
    setting = (about.baud, about.mode)
    data = heard(model, sent(model, 6), *setting)
    report = analysis.analyse({setting: data}, {setting: 6 * about.interval_s})
    assert report.verdict == analysis.OK
    assert "6 good, 0 with a wrong CRC" in words(report)
    assert "%d telegrams a minute" % (60 // about.interval_s) in words(report)
    for word in WORDS[model]:
        assert word in words(report)
    assert about.header in words(report)
    entry = eval(report.entry.rstrip(","))  # it has to be Python
    assert entry == {"type": "dsmr", "uart": 2, **({"baud": 9600} if model == "nl22" else {})}


def test_longest_telegram_is_that_of_the_line():
    data = sent("hu", 1)
    report = analysis.analyse({(115200, "8N1"): data})
    # From '/' to the end of the CRC, or without its digits and line end.
    size = int(words(report).split("longest telegram has ")[1].split(" ")[0])
    assert len(data) - 6 <= size <= len(data)


def test_starting_in_mid_telegram_is_no_fault():
    data = sent("nl50", 5)[400:-300]
    report = analysis.analyse({(115200, "8N1"): data})
    assert report.verdict == analysis.OK and "3 good, 0 with a wrong CRC" in words(report)


def test_silence_names_what_to_check():
    for samples in ({}, {(115200, "8N1"): b""}, {(115200, "8N1"): b"", (9600, "7E1"): b""}):
        report = analysis.analyse(samples)
        assert report.verdict == analysis.SILENT and report.entry == ""
        for word in ("data request", "activated", "ground", "pulled up"):
            assert word in words(report)


@pytest.mark.parametrize("model", PLAIN)
@pytest.mark.parametrize("mode", ["8N1", "7E1"])
def test_inverted_line(model, mode):
    about = telegrams.MODELS[model]
    data = heard(model, sent(model), about.baud, mode, upside_down=True)
    report = analysis.analyse({(about.baud, mode): data})
    assert report.verdict == analysis.INVERTED
    assert "upside down" in words(report) and '"invert": True' in report.entry


def test_the_inverted_pattern_is_the_documented_one():
    zeros = heard("nl50", b"\r\n1-0:1.8.1(" + b"0" * 40, 115200, "8N1", upside_down=True)
    assert b"\x9f" * 40 in zeros
    for byte in b"0123456789*().-:kWhVA\r\n":
        assert analysis.uninverted(bytes([(~byte & 0x7F) << 1 | 1])) == bytes([byte])
    data = heard("nl50", sent("nl50", 2), 115200, "8N1", upside_down=True)
    assert b"0-0:1.0.0(260621120001S)\r\n" in analysis.uninverted(data)
    assert sum(byte & 1 for byte in data) > 0.98 * len(data)


def test_an_inverted_meter_is_named_where_a_telegram_comes_whole():
    data = heard("se", sent("se", 6), 115200, "8N1", upside_down=True)
    assert b"1-0:1.8.0" in analysis.uninverted(data)
    assert b"1-0:1.8.0" not in data


def test_7e1_heard_as_8n1():
    data = heard("nl22", sent("nl22"), 9600, "8N1")
    assert b"1-0:1.8.1" not in data
    report = analysis.analyse({(9600, "8N1"): data})
    assert report.verdict == analysis.PARITY
    assert "9600 7E1" in words(report) and '"baud": 9600' in report.entry
    assert "Iskraemeco" in words(report)


def test_8n1_heard_as_7e1_still_reads():
    # Bit 7 of text is 0 and lands where the parity bit would be.
    data = heard("nl50", sent("nl50"), 115200, "7E1")
    assert analysis.analyse({(115200, "7E1"): data}).verdict == analysis.OK


def test_wrong_speeds():
    slow = {(115200, "8N1"): heard("nl22", sent("nl22"), 115200, "8N1")}
    report = analysis.analyse(slow)
    assert report.verdict == analysis.WRONG_SPEED and "slower" in words(report)
    fast = {(9600, "8N1"): heard("nl50", sent("nl50"), 9600, "8N1")}
    assert analysis.analyse(fast).verdict == analysis.NOISE


def test_the_best_of_several_samples_counts():
    samples = {
        setting: heard("nl22", sent("nl22"), *setting) for setting in reversed(doctor.SETTINGS)
    }
    report = analysis.analyse(samples)
    assert report.verdict == analysis.OK and "at 9600 7E1" in words(report)


def test_bad_crcs_with_their_rate():
    report = analysis.analyse({(115200, "8N1"): sent("be", 12, Faults(1, bad_crc_every=4))})
    assert report.verdict == analysis.BAD_CRC
    assert "3 of 12 CRCs are wrong (25 %)" in words(report) and "pull-up" in words(report)
    every = analysis.analyse({(115200, "8N1"): sent("nl50", 5, Faults(1, bad_crc_every=1))})
    assert every.verdict == analysis.BAD_CRC and "5 of 5" in words(every)


def test_a_constant_in_place_of_a_crc_is_named():
    good = sent("nl50", 4)
    parts = good.split(b"!")
    data = b"!0000".join([parts[0]] + [part[4:] for part in parts[1:]])
    report = analysis.analyse({(115200, "8N1"): data})
    assert report.verdict == analysis.BAD_CRC
    assert "always 0000" in words(report) and '"crc": "ignore"' in report.entry


def test_lost_bytes_show_as_bad_crcs():
    faults = Faults(5, drop_bytes=1000)
    report = analysis.analyse({(115200, "8N1"): sent("nl50", 30, faults)})
    assert report.verdict == analysis.BAD_CRC


def test_noise_between_good_telegrams_is_forgiven():
    report = analysis.analyse({(115200, "8N1"): sent("nl50", 6, Faults(5, noise=40))})
    assert report.verdict == analysis.OK


def test_cut_telegrams():
    report = analysis.analyse({(115200, "8N1"): sent("nl50", 4, Faults(5, cut=1))})
    assert report.verdict == analysis.PIECES
    assert "no complete telegram" in words(report) and "broken off" in words(report)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_never_taken_for_a_meter(seed):
    chance = random.Random(seed)
    data = chance.randbytes(chance.randrange(1, 12000))
    for setting in doctor.SETTINGS:
        report = analysis.analyse({setting: data})
        assert report.verdict in (analysis.NOISE, analysis.WRONG_SPEED)
    report = analysis.analyse({(115200, "8N1"): data})
    if len(data) > 100:
        assert report.verdict == analysis.NOISE and "round" in words(report)


@pytest.mark.parametrize("model", ["lu", "at"])
def test_encrypted_telegrams(model):
    ticks = Ticks(NOON)
    meter = Meter(model, 1, ticks, telegrams.DEMO_KEY, telegrams.DEMO_AUTH_KEY)
    data = chunk = b""
    for _ in range(4):
        chunk = meter.telegram()
        data += chunk
        ticks.time += 10
    report = analysis.analyse({(115200, "8N1"): data[100:]})
    assert report.verdict == analysis.ENCRYPTED
    assert "3 encrypted telegrams" in words(report) and "up to %d bytes" % len(chunk) in words(
        report
    )
    assert '"key"' in report.entry and telegrams.DEMO_KEY not in words(report) + report.entry


def run(*arguments: str, meter: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """The command line, on a simulated meter where one is given."""
    command = [sys.executable, "-m", "tools.doctor", *arguments]
    if not meter:
        return subprocess.run(command, capture_output=True, text=True, timeout=HANG_S)
    simulator = [sys.executable, "-m", "tools.sim.p1", *meter]
    with subprocess.Popen(simulator, stdout=subprocess.PIPE, text=True) as process:
        device = process.stdout.readline().strip()
        done = subprocess.run([*command, device], capture_output=True, text=True, timeout=HANG_S)
        process.terminate()
    return done


def test_command_line_on_a_good_meter():
    done = run("--seconds", "4", meter=("--model", "be"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Belgium" in done.stdout and '{"type": "dsmr", "uart": "/' in done.stdout
    assert "listening at 9600" not in done.stdout


def test_command_line_finds_the_speed():
    done = run("--seconds", "4", meter=("--model", "nl22", "--speed", "10", "--strict-line"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "listening at 9600 7E1" in done.stdout and '"baud": 9600' in done.stdout


def test_command_line_on_a_silent_meter():
    done = run("--seconds", "1", meter=("--model", "nl50", "--cut", "1", "--silent-after", "1"))
    assert done.returncode == 1 and "good" not in done.stdout


def test_command_line_without_a_port(tmp_path):
    done = run(str(tmp_path / "ttyUSB7"))
    assert done.returncode == 2 and "does not exist" in done.stderr
    done = subprocess.run(
        ["make", "doctor"], cwd=ROOT, capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert "doctor: which port is it? PORT=… is missing" in done.stderr
    assert "usage" not in done.stderr
    plain = tmp_path / "file"
    plain.write_text("no port")
    done = run(str(plain))
    assert done.returncode == 2 and "no serial port" in done.stderr
    assert run("--seconds", "0", "x").returncode == 2
