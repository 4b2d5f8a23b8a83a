"""The simulated P1 meter against an oracle of other authors: PyPI's dsmr-parser."""

import copy
import json
import os
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from decimal import Decimal

import pytest
from dsmr_parser import telegram_specifications as specifications
from dsmr_parser.parsers import TelegramParser

from tests.waiting import HANG_S, until
from tools.sim import house, line, telegrams
from tools.sim.p1 import MODELS, Faults, Meter, Pty, Ticks, serve, start

SIMULATOR = (sys.executable, "-m", "tools.sim.p1")
SUMMER_NOON = 1782036000  # 2026-06-21T10:00:00Z
WINTER_EVENING = 1797181200  # 2026-12-13T17:00:00Z

_T210_PLAIN = copy.deepcopy(specifications.SAGEMCOM_T210_D_R)
_T210_PLAIN["general_global_cipher"] = False
ORACLES = {
    "nl50": specifications.V5,
    "nl42": specifications.V4,
    "nl22": specifications.V2_2,
    "be": specifications.BELGIUM_FLUVIUS,
    "lu": specifications.LUXEMBOURG_SMARTY,
    "at": _T210_PLAIN,
    "se": specifications.SWEDEN,
    "hu": specifications.EON_HUNGARY,
}


def oracle_values(model: str, telegram: bytes) -> dict[str, Decimal]:
    """{OBIS: number} that dsmr-parser finds; it raises where the CRC is wrong."""
    text = telegram.decode("latin-1")
    parsed = TelegramParser(ORACLES[model]).parse(text)
    found = {}
    for reference, item in dict.items(parsed):
        value = getattr(item, "value", None)
        if isinstance(value, (Decimal, int)):
            line_text = re.search(reference, text, re.DOTALL | re.MULTILINE).group()
            found[line_text.split("(")[0]] = Decimal(value)
    return found


def brackets(telegram: bytes, code: str) -> list[str]:
    """The contents of all brackets behind a code."""
    text = telegram.decode("latin-1")
    at = text.index("\r\n" + code + "(") + 2
    return re.findall(r"\(([^)]*)\)", text[at : text.index("\r\n", at)])


def read(pty: Pty, end: float, enough: int = 1 << 30) -> bytes:
    """What a listener on the pty gets before a moment of the monotonic clock."""
    listener = os.open(pty.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    heard = bytearray()
    try:
        while time.monotonic() < end and len(heard) < enough:
            try:
                heard += os.read(listener, 4096)
            except BlockingIOError:
                time.sleep(0.002)
    finally:
        os.close(listener)
    return bytes(heard)


def record(meter: Meter, ticks: Ticks, seconds: float = 30, **options) -> tuple[bytes, list[dict]]:
    """Serve a meter and listen until it stops; what was heard, and the log of what was sent."""
    pty = Pty()
    sent: list[dict] = []
    stop = threading.Event()
    done = threading.Event()

    def run() -> None:
        # Patient, or a listener that gets no CPU has lost some.
        serve(pty, meter, ticks, log=sent.append, stop=stop, patient=True, **options)
        done.set()

    threading.Thread(target=run, daemon=True).start()
    heard = bytearray()
    deadline = time.monotonic() + seconds
    while not done.is_set() and time.monotonic() < deadline:
        heard += read(pty, min(deadline, time.monotonic() + 0.1))
    stop.set()
    done.wait(5)
    heard += read(pty, time.monotonic() + 0.1)
    lost = pty.lost
    pty.close()
    assert lost == 0
    return bytes(heard), sent


def whole_telegrams(heard: bytes) -> list[bytes]:
    """The telegrams whose CRC is right."""
    found = []
    for match in re.finditer(rb"(/[^/!]*!)([0-9A-F]{4})\r\n", heard):
        if telegrams.crc16(match.group(1)) == int(match.group(2), 16):
            found.append(match.group())
    return found


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("moment", [SUMMER_NOON, WINTER_EVENING])
def test_the_oracle_reads_the_same_values(model, moment):
    ticks = Ticks(moment)
    meter = Meter(model, 3, ticks)
    compared = 0
    for _ in range(20):
        telegram = meter.plain()
        for code, value in oracle_values(model, telegram).items():
            if code in meter.values:
                assert value == Decimal(meter.values[code]), code
                compared += 1
        ticks.time += 60
    assert compared >= 20 * (5 if model in ("nl22", "lu") else 10)


@pytest.mark.parametrize("model", MODELS)
def test_logged_values_are_on_the_wire_digit_for_digit(model):
    meter = Meter(model, 2, Ticks(SUMMER_NOON))
    telegram = meter.plain()
    assert len(meter.values) >= 8
    for code, text in meter.values.items():
        if code == "0-1:24.3.0":
            assert b"\r\n(%s)\r\n" % text.rjust(9, "0").encode() in telegram
            continue
        wire = brackets(telegram, code)[-1].split("*")[0]
        assert wire.lstrip("0") == text.lstrip("0"), code
        assert text == "0" or not text.startswith("00"), code


@pytest.mark.parametrize("model", MODELS)
def test_our_decoder_reads_every_digit(model):
    ticks = Ticks(SUMMER_NOON)
    meter = Meter(model, 6, ticks)
    frame = meter.telegram()
    command = [sys.executable, "-m", "tools.decode", "dsmr"]
    if model == "lu":
        command += ["--key", telegrams.DEMO_KEY, "--auth-key", telegrams.DEMO_AUTH_KEY]
    done = subprocess.run(command, input=frame, capture_output=True, check=True)
    decoded = json.loads(done.stdout)
    assert decoded["crc"] == ("absent" if model == "nl22" else "ok")
    assert decoded["header"] == meter.about.header
    for code, text in meter.values.items():
        if code != "0-1:24.3.0":  # DSMR 2.2 gas: a list of seven
            assert decoded["obis"][code]["value"] == text, code
    if model == "nl22":
        assert decoded["values"]["gas"] == meter.values["0-1:24.3.0"]
    else:
        assert decoded["time"] == "2026-06-21T10:00:00Z"


def test_crc_is_right_and_can_be_wrong():
    assert telegrams.crc16(b"123456789") == 0xBB3D
    meter = Meter("be", 1, Ticks(SUMMER_NOON))
    assert len(whole_telegrams(meter.telegram())) == 1
    assert whole_telegrams(meter.telegram(crc_ok=False)) == []


def test_dialects_keep_their_peculiarities():
    assert Meter("nl22", 1, Ticks(SUMMER_NOON)).telegram().endswith(b"\r\n!\r\n")
    hungarian = Meter("hu", 1, Ticks(SUMMER_NOON)).telegram()
    assert b"0-0:96.13.0(" + b"\xff" * 1024 + b")\r\n" in hungarian
    assert brackets(Meter("at", 1, Ticks(SUMMER_NOON)).telegram(), "1-0:1.8.0")[0].endswith("*Wh")
    belgian = Meter("be", 1, Ticks(SUMMER_NOON)).telegram()
    assert brackets(belgian, "0-1:24.2.3")[0] == "260621120000S"
    assert brackets(belgian, "0-2:24.1.0") == ["007"]
    assert "1.8.1" not in Meter("se", 1, Ticks(SUMMER_NOON)).telegram().decode()


@pytest.mark.parametrize("auth_key", ["", telegrams.DEMO_AUTH_KEY])
def test_encrypted_telegram_opens_with_its_keys_only(auth_key):
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def opened(frame: bytes, key: bytes) -> bytes:
        assert frame[:2] == b"\xdb\x08" and frame[10] == 0x82 and frame[13] == 0x30
        assert int.from_bytes(frame[11:13], "big") == len(frame) - 13
        nonce = frame[2:10] + frame[14:18]
        mode = modes.GCM(nonce, frame[-12:], min_tag_length=12)
        decryptor = Cipher(algorithms.AES(key), mode).decryptor()
        if auth_key:
            decryptor.authenticate_additional_data(b"\x30" + bytes.fromhex(auth_key))
        return decryptor.update(frame[18:-12]) + decryptor.finalize()

    ticks = Ticks(SUMMER_NOON)
    meter = Meter("lu", 1, ticks, auth_key=auth_key)
    frames = [meter.telegram()]
    ticks.time += 10
    frames.append(meter.telegram())
    assert frames[0][14:18] < frames[1][14:18]  # the frame counter grows
    key = bytes.fromhex(telegrams.DEMO_KEY)
    for frame in frames:
        assert oracle_values("lu", opened(frame, key))
    with pytest.raises(InvalidTag):
        opened(frames[0], bytes(16))


def test_the_oracle_opens_austrian_frames():
    meter = Meter("at", 1, Ticks(SUMMER_NOON), telegrams.DEMO_KEY, telegrams.DEMO_AUTH_KEY)
    frame = meter.telegram().hex()
    parser = TelegramParser(specifications.SAGEMCOM_T210_D_R)
    parsed = parser.parse(frame, telegrams.DEMO_KEY, telegrams.DEMO_AUTH_KEY)
    assert str(parsed.ELECTRICITY_IMPORTED_TOTAL.value) == meter.values["1-0:1.8.0"]


def test_counters_never_go_back_also_after_a_restart():
    ticks = Ticks(WINTER_EVENING)
    meter = Meter("be", 5, ticks)
    codes = ("1-0:1.8.1", "1-0:1.8.2", "1-0:2.8.1", "1-0:2.8.2", "0-1:24.2.3", "0-2:24.2.1")
    before = dict.fromkeys(codes, Decimal(0))
    for hour in range(60):
        if hour % 10 == 9:
            meter = Meter("be", 5, ticks)
        meter.telegram()
        for code in codes:
            value = Decimal(meter.values[code])
            assert value >= before[code], (code, hour)
            before[code] = value
        ticks.time += 3601


def test_counters_are_the_exact_integral_of_power():
    subject = house.House(4, SUMMER_NOON, house.night_first)
    before = sum(subject._import_ws) - sum(subject._export_ws)
    expected = 0
    for second in range(600):
        moment = SUMMER_NOON + second
        expected += sum(house.load_w(4, moment)) - house.solar_w(4, moment)
    for moment in range(SUMMER_NOON + 7, SUMMER_NOON + 600, 7):
        subject.advance(moment)
    subject.advance(SUMMER_NOON + 600)
    assert sum(subject._import_ws) - sum(subject._export_ws) - before == expected


def test_the_house_is_believable():
    day = [house.load_w(1, SUMMER_NOON + second) for second in range(0, 14 * 86400, 61)]
    loads = [sum(phases) for phases in day]
    assert 100 < min(loads) and 2000 < max(loads) < house.IMPORT_RATE_W
    assert 4 < sum(loads) / len(loads) * 24 / 1000 < 15  # kWh a day
    assert house.solar_w(1, SUMMER_NOON + 12 * 3600) == 0
    noons = [house.solar_w(1, SUMMER_NOON + d * 86400) for d in range(20)]
    assert 1500 < max(noons) < house.EXPORT_RATE_W
    winter = [house.solar_w(1, WINTER_EVENING - 5 * 3600 + d * 86400) for d in range(20)]
    assert max(winter) < max(noons) / 2


def test_phases_agree_with_volts_and_amps():
    ticks = Ticks(SUMMER_NOON)
    meter = Meter("be", 1, ticks)
    for _ in range(50):
        meter.telegram()
        for phase in (0, 20, 40):
            value = lambda base, at=phase: Decimal(meter.values["1-0:%d.7.0" % (base + at)])  # noqa: E731
            watts = 1000 * (value(21) - value(22))
            assert abs(abs(watts) - value(32) * value(31)) < 3
        total = Decimal(meter.values["1-0:1.7.0"]) - Decimal(meter.values["1-0:2.7.0"])
        ins = sum(Decimal(meter.values["1-0:%d1.7.0" % n]) for n in (2, 4, 6))
        outs = sum(Decimal(meter.values["1-0:%d2.7.0" % n]) for n in (2, 4, 6))
        assert total == ins - outs
        ticks.time += 613


def test_tariffs_switch_and_time_stamps_know_summer():
    friday_evening = 1781899199  # 2026-06-19T19:59:59Z, 21:59:59 in Belgium
    assert house.day_first(friday_evening) == 0
    assert house.day_first(friday_evening + 1) == 1
    assert house.night_first(friday_evening + 1) == 1
    assert house.night_first(friday_evening + 3601) == 0
    assert telegrams.stamp(1774745999) == "260329015959W"  # the last second of winter
    assert telegrams.stamp(1774746000) == "260329030000S"
    assert telegrams.stamp(1792889999) == "261025025959S"
    assert telegrams.stamp(1792890000) == "261025020000W"


def test_month_peak_and_its_history_grow():
    before_month = 1782856800 - 1800  # half an hour before July in Belgium
    ticks = Ticks(before_month)
    meter = Meter("be", 1, ticks)
    history = brackets(meter.telegram(), "0-0:98.1.0")
    peak = meter.values["1-0:1.6.0"]
    ticks.time += 3600
    grown = brackets(meter.telegram(), "0-0:98.1.0")
    assert len(grown) == len(history) + 3 and int(grown[0]) == int(history[0]) + 1
    assert grown[-3] == "260701000000S" and grown[-1].startswith(peak.rjust(6, "0"))
    assert Decimal(meter.values["1-0:1.6.0"]) < Decimal(peak)
    quarter_end = brackets(meter.telegram(), "1-0:1.6.0")[0]
    assert quarter_end in ("260701001500S", "260701003000S")


def pace() -> float:
    """Seconds that a telegram takes, of those that its bytes do at 9600 baud: 1."""
    ticks = Ticks(SUMMER_NOON)
    meter = Meter("nl22", 1, ticks)  # about half a second per telegram
    size = len(meter.telegram())
    pty = Pty()
    thread = threading.Thread(target=serve, args=(pty, meter, ticks), kwargs={"count": 1})
    thread.start()
    read(pty, time.monotonic() + HANG_S, 1)
    began = time.monotonic()
    heard = read(pty, began + HANG_S, size - 20)
    seconds = time.monotonic() - began
    thread.join()
    pty.close()
    return seconds / (len(heard) * 10 / 9600)


def test_pace_is_that_of_the_line():
    """Never faster; what makes it slower now and then is the computer."""
    found = [pace()]
    while min(found) > 1.25 and len(found) < 20:
        found.append(pace())
    # The first byte may have been heard late.
    assert 0.8 < min(found) < 1.25, found


def test_speed_compresses_and_loses_nothing():
    ticks = Ticks(SUMMER_NOON)
    began = time.monotonic()
    heard, sent = record(Meter("nl50", 1, ticks), ticks, count=40, speed=20)
    assert time.monotonic() - began < 30  # 2 s at 20 telegrams a second; else 40
    found = whole_telegrams(heard)
    assert len(found) == len(sent) == 40
    for telegram, entry in zip(found, sent, strict=True):
        assert (
            brackets(telegram, "1-0:1.8.1")[0].lstrip("0") == entry["obis"]["1-0:1.8.1"] + "*kWh"
        )
    assert [brackets(t, "0-0:1.0.0")[0][10:12] for t in found[:3]] == ["00", "01", "02"]


@pytest.mark.parametrize(
    "faults, spoiled",
    [
        ({"bad_crc_every": 4}, {4, 8, 12}),
        ({"cut": 3}, {3, 6, 9, 12}),
        ({"noise": 50}, set()),
    ],
)
def test_faults_hit_the_telegrams_that_the_log_names(faults, spoiled):
    ticks = Ticks(SUMMER_NOON)
    meter = Meter("be", 1, ticks)
    heard, sent = record(meter, ticks, faults=Faults(9, **faults), count=12, speed=40)
    assert {entry["n"] for entry in sent if entry["sent"] != "whole"} == spoiled
    whole = [brackets(t, "0-0:1.0.0")[0] for t in whole_telegrams(heard)]
    assert whole == [
        telegrams.stamp(SUMMER_NOON + n - 1) for n in range(1, 13) if n not in spoiled
    ]
    if "noise" in faults:
        assert len(heard) > 12 * 50 + sum(len(t) for t in whole_telegrams(heard)) - 1


def test_dropped_bytes_are_named_in_the_log():
    ticks = Ticks(SUMMER_NOON)
    faults = Faults(9, drop_bytes=1500)
    heard, sent = record(Meter("nl50", 1, ticks), ticks, faults=faults, count=20, speed=40)
    damaged = [entry for entry in sent if entry["sent"] == "dropped_bytes"]
    assert 3 < len(damaged) < 18
    assert len(whole_telegrams(heard)) == 20 - len(damaged)


class Waits(threading.Event):
    """Notes for how long the meter waits, and what has been sent by then."""

    def __init__(self, pty: Pty) -> None:
        super().__init__()
        self.pty = pty
        self.noted: list[tuple[float, int]] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.noted.append((timeout or 0, self.pty.waiting()))
        return False


def test_a_pause_inside_a_telegram():
    ticks = Ticks(SUMMER_NOON)
    meter = Meter("nl50", 1, ticks)
    size = len(meter.telegram())
    pty = Pty()
    stop = Waits(pty)
    listener = os.open(pty.device, os.O_RDWR | os.O_NOCTTY)
    serve(pty, meter, ticks, Faults(pause_ms=400), count=1, stop=stop)
    ((_, before),) = [noted for noted in stop.noted if noted[0] == 0.4]
    assert 0.3 * size < before < 0.6 * size
    until(lambda: pty.waiting() == size)
    os.close(listener)
    pty.close()


def test_silence_after_some_telegrams():
    ticks = Ticks(SUMMER_NOON)
    faults = Faults(silent_after=3)
    heard, sent = record(Meter("nl50", 1, ticks), ticks, 3, faults=faults, speed=10)
    assert len(sent) == len(whole_telegrams(heard)) == 3


@pytest.mark.parametrize("away_s,least", ((1.2, 20), (0.3, 5)))
def test_nobody_listens_and_then_somebody_does(away_s, least):
    ticks = Ticks(SUMMER_NOON)
    pty = Pty()
    stop = threading.Event()
    options = {"speed": 40, "stop": stop}
    thread = threading.Thread(
        target=serve, args=(pty, Meter("nl50", 1, ticks), ticks), kwargs=options
    )
    thread.start()
    time.sleep(away_s)
    until(lambda: ticks.time - SUMMER_NOON > least)
    late = ticks.time
    heard = read(pty, time.monotonic() + HANG_S, 3000)  # three telegrams
    stop.set()
    thread.join()
    pty.close()
    stamps = [brackets(t, "0-0:1.0.0")[0] for t in whole_telegrams(heard)]
    assert stamps and stamps[0] >= telegrams.stamp(late - 2)  # nothing old comes out


def test_strict_line_garbles_what_a_wrong_baud_rate_hears():
    ticks = Ticks(SUMMER_NOON)
    pty = Pty()
    options = {"count": 1, "strict_line": True}
    listener = os.open(pty.device, os.O_RDWR | os.O_NOCTTY)
    for speed, clear in ((termios.B115200, False), (termios.B9600, True)):
        settings = termios.tcgetattr(listener)
        settings[4] = settings[5] = speed
        termios.tcsetattr(listener, termios.TCSANOW, settings)
        thread = threading.Thread(
            target=serve, args=(pty, Meter("nl22", 1, ticks), ticks), kwargs=options
        )
        thread.start()
        thread.join()
        heard = read(pty, time.monotonic() + 0.2)
        assert heard and (b"/ISk5\\2SIM382\r\n" in heard) == clear
    os.close(listener)
    pty.close()


def test_line_model_hears_itself():
    text = bytes(range(32, 127))
    for mode in line.MODES:
        assert line.hear(line.levels(text, mode), 9600, 9600, mode) == text
        assert line.hear(line.levels(text, mode), 9600, 9700, mode) == text  # 1 % off
    # A 7E1 byte heard as 8N1 has its parity in bit 7.
    heard = line.hear(line.levels(b"/1", "7E1"), 9600, 9600, "8N1")
    assert heard == b"\xaf\xb1"


def test_command_line_serves_logs_links_and_ends(tmp_path):
    log = tmp_path / "sent.jsonl"
    link = tmp_path / "p1"
    command = [*SIMULATOR, "--model", "be", "--speed", "20", "--count", "10"]
    command += ["--start", "2026-06-21T10:00:00Z", "--log", str(log), "--link", str(link)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        device = process.stdout.readline().strip()
        assert os.readlink(link) == device
        heard = b""
        with open(device, "rb", buffering=0) as listener:
            while len(whole_telegrams(heard)) < 10:
                heard += listener.read(4096)
        assert process.wait(10) == 0
    entries = [json.loads(text) for text in log.read_text().splitlines()]
    assert len(entries) == 10 and entries[-1]["time"] == "2026-06-21T10:00:09Z"
    assert not link.is_symlink()


def test_ctrl_c_ends_quietly():
    command = [*SIMULATOR]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().startswith("/")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0 and process.stderr.read() == ""


@pytest.mark.parametrize("wrong", [["--model", "nl99"], ["--speed", "0"], ["--start", "noon"]])
def test_wrong_arguments_are_explained(wrong):
    done = subprocess.run([*SIMULATOR, *wrong], capture_output=True, text=True)
    assert done.returncode == 2 and wrong[1] in done.stderr


def test_started_meter_ends_with_its_parent():
    script = (
        "import time\n"
        "from tools.sim.child import _children\n"
        "from tools.sim.p1 import start\n"
        "print(start('nl50'), _children[0].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        device, child = parent.stdout.readline().split()
        with open(device, "rb", buffering=0) as listener:
            assert listener.read(1)
        parent.kill()
    for _ in range(50):
        if not os.path.exists("/proc/" + child) and not os.path.exists(device):
            return
        time.sleep(0.1)
    raise AssertionError("the simulator outlived its parent")


def test_start_says_when_it_cannot():
    with pytest.raises(OSError, match="nl99"):
        start("nl99")
