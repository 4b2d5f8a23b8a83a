"""The generated day of tools/sim/day.py: what the reader would make of it, and rough enough."""

import json
import os
import re
from pathlib import Path

import pytest

from tests import tiers
from tools import ROOT
from tools.sim import day, telegrams

DATA = Path(os.environ.get("JOULELOG_DATA", ROOT.parent / "shared" / "data"))

# Per step: (seconds between the two telegrams, changed channels, bytes of their differences) of
# series of telegrams of one meter. Derived from captures that are public: a Dutch three-phase
# DSMR 5 meter (hansij66/dsmr2mqtt, test/dsmr.raw: 15 telegrams at 1 to 26 s, 28 channels) and
# two Hungarian meters at 10 s (kazhu/P1Monitor: 16 telegrams, the 13 channels that our day has
# too). Then the mean size of a step of voltage (0.1 V, three phases added) and power (W).
REAL_P1 = {
    "nl 1 s": (1, 4.36, 4.36, 8.2, 15.2),
    "nl 5 to 15 s": (8, 5.27, 5.27, 9.1, 24.9),
    "hu 10 s": (10, 5.07, 5.07, 5.2, 14.2),
}
HU_LACKS = re.compile("text|version|id$|failures|sags|swells|power_.*_l|gas")
# Eleven consecutive answers of a PZEM at about 1 s (arendst/Tasmota issue 11118), without its
# energy: with 3 to 7 kW that counts at each step, and says nothing of noise.
REAL_PZEM = (2.4, 3.4)


@pytest.fixture(scope="module")
def keys() -> list[str]:
    return [channel[0] for channel in day.Day().channels]


def pairs(lag_s: int, values: str = "p1_values", count: int = 2000) -> list[tuple]:
    """Readings lag_s apart, all over one generated day."""
    generated = day.Day()
    found = []
    for _ in range(count):
        generated.advance(86400 // count - lag_s)
        before = getattr(generated, values)()
        generated.advance(lag_s)
        found.append((before, getattr(generated, values)()))
    return found


def means(steps: list[tuple]) -> tuple[float, float]:
    """(changed channels, bytes of differences) per step."""
    found = [day.roughness(step) for step in steps]
    return tuple(sum(one[key] for one in found) / len(found) for key in ("changed", "bytes"))


def moves(steps: list[tuple], names: list[str], wanted: str) -> float:
    """Mean per step of how far some channels move, added."""
    places = [at for at, name in enumerate(names) if re.match(wanted, name)]
    return sum(abs(b[at] - a[at]) for a, b in steps for at in places) / len(steps)


def test_values_are_those_of_the_telegram(keys):
    assert len(keys) == 30
    generated = day.Day(seed=3)
    for _ in range(60):
        generated.advance(1000)
        ((_time, channels, values),) = day.decode(generated.telegram())
        assert channels == generated.channels
        assert values == generated.p1_values()


def test_same_seed_same_day():
    assert list(day.Day(5).readings(50)) == list(day.Day(5).readings(50))
    assert list(day.Day(5).readings(50)) != list(day.Day(6).readings(50))


def test_a_day_has_everything(keys):
    seen = [dict(zip(keys, v)) for _, s, v in day.Day().readings(3 * 8640) if s == day.P1]
    assert max(one["power_export"] for one in seen) > 1500, "the sun shines"
    assert max(one["power_import_l3"] for one in seen) > 3500, "the car charges"
    assert {one["tariff"] for one in seen} == {1, 2}
    assert len({one["gas"] for one in seen}) > 100
    for key in ("energy_import_t1", "energy_import_t2", "energy_export_t2"):
        assert seen[-1][key] > seen[0][key]


@pytest.mark.parametrize("name", REAL_P1)
def test_no_smoother_than_real_p1_meters(name, keys):
    lag_s, changed, size, volts, watts = REAL_P1[name]
    places = [at for at, key in enumerate(keys) if not (name[0] == "h" and HU_LACKS.search(key))]
    places = [at for at in places if keys[at] not in day.TEXTS]
    names = [keys[at] for at in places]
    steps = [tuple(tuple(v[at] for at in places) for v in pair) for pair in pairs(lag_s)]
    ours = means(steps)
    print("%s: real %.2f %.2f, day %.2f %.2f" % (name, changed, size, *ours))
    assert ours[0] >= changed and ours[1] >= size
    assert moves(steps, names, "voltage_l") >= volts * 0.95  # of 15 steps, and so by chance
    assert moves(steps, names, "power_(im|ex)port$") >= watts


def test_no_smoother_than_a_real_pzem():
    ours = means([tuple(v[:3] + v[4:] for v in pair) for pair in pairs(1, "pzem_values")])
    print("pzem: real %.2f %.2f, day %.2f %.2f" % (*REAL_PZEM, *ours))
    assert ours[0] >= REAL_PZEM[0] and ours[1] >= REAL_PZEM[1]


def telegrams_of(path: Path) -> list[tuple]:
    """(time, {key: number}); captures with line ends that somebody changed get a new CRC."""
    data = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    texts = re.findall(rb"/[A-Z][A-Za-z0-9]{2}[0-9A-Za-z][^!/]*!", data)
    sealed = b"".join(text + b"%04X\r\n" % telegrams.crc16(text) for text in texts)
    return [
        (time, {c[0]: v for c, v in zip(channels, values) if isinstance(v, int)})
        for time, channels, values in day.decode(sealed)
    ]


def needs(path: Path) -> Path:
    if not path.exists():
        tiers.missing(str(path), "data", "a checkout of the shared data beside this one")
    return path


def test_the_p1_constants_are_what_the_captures_say(keys):
    folder = needs(DATA / "dsmr" / "streams")
    dutch = telegrams_of(folder / "nl_ene5_t210d.txt")
    for stamp in ("211205210917", "211205210943"):
        path = folder.parent / "valid" / ("nl_ene5-t210-d-esmr5-0_%s.txt" % stamp)
        dutch += telegrams_of(path)
    hungarian = [
        telegrams_of(folder / name)
        for name in ("hu_sx631_10_telegrams.txt", "hu_sx631_putty_log_ff_padding.txt")
    ]
    for name, meters, low_s, high_s in (
        ("nl 1 s", [dutch], 1, 1),
        ("nl 5 to 15 s", [dutch], 5, 15),
        ("hu 10 s", hungarian, 10, 10),
    ):
        both = [
            (a, b)
            for meter in meters
            for time, a in meter
            for later, b in meter
            if low_s <= later - time <= high_s
        ]
        names = [key for key in keys if key in both[0][0]]
        steps = [tuple([one.get(key, 0) for key in names] for one in pair) for pair in both]
        volts = moves(steps, names, "voltage_l")
        found = (*means(steps), volts, moves(steps, names, "power_(im|ex)port$"))
        print(name, len(steps), "steps", ["%.2f" % figure for figure in found])
        for figure, constant in zip(found, REAL_P1[name][1:]):
            assert figure == pytest.approx(constant, abs=0.06)


def test_the_pzem_constants_are_what_the_frames_say():
    path = needs(DATA / "modbus" / "pzem_vectors.json")
    rows = []
    for vector in json.loads(path.read_text())["vectors"]:
        if "11118" in vector["source"] and vector["kind"] == "response":
            words = bytes.fromhex(vector["frame"])[3:-2]
            word = [int.from_bytes(words[at : at + 2], "big") for at in range(0, 20, 2)]
            pair = [word[at] + (word[at + 1] << 16) for at in (1, 3)]
            rows.append((word[0], *pair, *word[7:10]))
    found = day.roughness(rows)
    print(len(rows), found)
    assert found["changed"] == pytest.approx(REAL_PZEM[0], abs=0.06)
    assert found["bytes"] == pytest.approx(REAL_PZEM[1], abs=0.06)
