"""DSMR against others: PyPI's dsmr-parser as the oracle, damaged telegrams, a corpus.

JOULELOG_LONG=1: 100,000 damaged telegrams instead of 10,000, each half hour of 20 years.

JOULELOG_CORPUS names a folder with more telegrams, sorted into valid/, nocrc/, crc_mismatch/,
malformed/, streams/ and encrypted/, each with what dsmr-parser makes of it (X.expected.json).
"""

import json
import os
import re
import unittest
from datetime import timezone
from decimal import Decimal
from pathlib import Path

import pytest
from test_dsmr_fixtures import check_mutations

from tests import tiers
from tools import ROOT
from tools.decode import dsmr

FIXTURES = sorted((ROOT / "tests/fixtures/dsmr").glob("*.txt"))
CORPUS = Path(os.environ.get("JOULELOG_CORPUS") or ROOT.parent / "shared/data/dsmr")
LONG = bool(os.environ.get("JOULELOG_LONG"))
ROUNDS = 100_000 if LONG else 10_000
_NO_NUMBERS = ("nl_test", "nl_test_2", "nl_test_6", "de_emh5-ehz-e0018e")  # that the oracle knows


def decoded(path: Path, key: str | None = None, auth_key: str | None = None) -> list[dict]:
    found: list[dict] = []
    data = dsmr.from_hexadecimal(path.read_bytes())
    dsmr.decode_dsmr(data, found.append, key, auth_key, None)
    return found


def listed(fields) -> list[dict]:
    return fields if isinstance(fields, list) else [fields]


def same(ours: dict, value, unit) -> bool:
    """Numbers as decimals, texts as texts, times by the S/W flag (ours) or the calendar."""
    if value is None or isinstance(value, str):
        if ours["value"] == (value or "") or (ours.get("time") or "")[:16] == (value or "")[:16]:
            return True
        return bool(value) and ours["value"].isdigit() and Decimal(ours["value"]) == Decimal(value)
    return Decimal(ours["value"]) == Decimal(str(value)) and (unit is None or ours["unit"] == unit)


def corpus(kind: str) -> list[Path]:
    return sorted((CORPUS / kind).glob("*.txt")) if CORPUS.is_dir() else []


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixture_against_dsmr_parser(path: Path) -> None:
    tiers.require("dsmr_parser", "oracles", "pip install dsmr-parser")
    from dsmr_parser import telegram_specifications as specifications
    from dsmr_parser.parsers import TelegramParser

    (ours,) = decoded(path)
    specification = dict(_specification(specifications, ours["header"]), checksum_support=False)
    specification["general_global_cipher"] = False
    text = path.read_bytes().decode("latin-1")
    theirs = TelegramParser(specification).parse(text)
    compared = 0
    for reference, item in dict.items(theirs):  # reference is a pattern for whole lines
        lines = re.finditer(reference, text, re.DOTALL | re.MULTILINE)
        codes = {line.group().split("(")[0].split("*")[0] for line in lines}
        for thing in item if isinstance(item, list) else [item]:
            value = getattr(thing, "value", None)
            codes &= set(ours["obis"])
            if not isinstance(value, Decimal):
                continue
            rows = [row for code in codes for row in listed(ours["obis"][code])]
            numbers = [Decimal(row["value"]) for row in rows if _is_number(row["value"])]
            assert value in numbers, (reference, value, rows)
            compared += 1
    assert compared >= (0 if path.stem in _NO_NUMBERS else 2)


def _is_number(text) -> bool:
    return isinstance(text, str) and re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _specification(specifications, header: str) -> dict:
    if header.startswith("FLU5"):
        return specifications.BELGIUM_FLUVIUS
    if header.startswith(("LGF5", "ELL5", "ADN9")):
        return specifications.SWEDEN
    if header.startswith("EST5"):
        return specifications.SAGEMCOM_T210_D_R
    if header.startswith(("EMH5", "ESY5")):
        return specifications.Q3D
    if header.startswith("SAG5"):
        return specifications.EON_HUNGARY
    if header.startswith(("KMP5", "XMX5XMXABCE", "ISk5\\2MT382-1004")):
        return specifications.V2_2
    return specifications.V5


@pytest.mark.skipif(not CORPUS.is_dir(), reason="JOULELOG_CORPUS names no folder")
@pytest.mark.parametrize("kind,crc", [("valid", "ok"), ("nocrc", "absent")])
def test_corpus(kind: str, crc: str) -> None:
    values = 0
    for path in corpus(kind):
        (ours,) = decoded(path)
        assert ours["crc"] == crc, path.name
        expected = json.loads(path.with_suffix(".expected.json").read_text())["values"]
        for code, fields in expected.items():
            mine = listed(ours["obis"][code])
            for theirs, my in zip(listed(fields), mine):
                if isinstance(theirs["value"], list):
                    rows = [m for m in mine if m["value"] != ""]
                    assert len(rows) == len(theirs["value"]), (path.name, code)
                    for row, other in zip(rows, theirs["value"]):
                        assert same(row, other["value"], other["unit"]), (path.name, code)
                    break
                if "EQUIPMENT" in theirs["name"] or "EAN" in theirs["name"]:
                    continue  # replaced in the telegram, and not always in the expectation
                if code == "0-0:1.0.0":  # ours goes by the S/W flag, theirs by the calendar
                    continue
                assert same(my, theirs["value"], theirs["unit"]), (path.name, code, my, theirs)
                values += 1
    assert values >= 300


@pytest.mark.skipif(not CORPUS.is_dir(), reason="JOULELOG_CORPUS names no folder")
def test_corpus_of_damage_is_refused() -> None:
    for kind in ("malformed", "crc_mismatch", "streams"):
        assert corpus(kind)
        for path in corpus(kind):
            for telegram in decoded(path):
                assert telegram["crc"] == "bad" and telegram["values"] == {}, path.name


@pytest.mark.skipif(not CORPUS.is_dir(), reason="JOULELOG_CORPUS names no folder")
def test_corpus_encrypted() -> None:
    keyed = 0
    for about in sorted((CORPUS / "encrypted").glob("*.json")):
        facts = json.loads(about.read_text())
        frame = about.with_name(facts["frame_hex_file"])
        if not facts["key"]:
            assert decoded(frame) == [] and decoded(frame, "00" * 16) == []
            continue
        (ours,) = decoded(frame, facts["key"], facts["auth_key"])
        (plain,) = decoded(about.with_name(facts["plain_file"]))
        assert ours == plain
        keyed += 1
    assert keyed == 3


def test_mutations() -> None:
    check_mutations(unittest.TestCase(), ROUNDS, 20261120)


def test_utc_of_flagless_stamps_is_the_calendars() -> None:
    """Our rule for summer time is the time zone database's in 20 years.

    In each half hour of the weeks where the time changes, else in some (JOULELOG_LONG=1: in each).
    """
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from dsmr import stamp

    zone = ZoneInfo("Europe/Amsterdam")
    origin = datetime(2000, 1, 1, tzinfo=timezone.utc)
    utc = datetime(2021, 1, 1, tzinfo=timezone.utc)
    while utc.year < 2041:
        local = utc.astimezone(zone)
        flag = "S" if local.dst() else "W"
        text = local.strftime("%y%m%d%H%M%S").encode()
        seconds = int((utc - origin).total_seconds())
        assert stamp.utc(text + flag.encode(), 1) == seconds
        if not (local.month == 10 and local.hour == 2):  # this hour comes twice
            assert stamp.utc(text, 1) == seconds, local
        near = utc.month in (3, 10) and utc.day > 24
        utc += timedelta(minutes=30 if LONG or near else 390)
