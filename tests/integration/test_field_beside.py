"""Times, sums, lists and flows, by a generator of telegrams; what the firmware believes of them.

JOULELOG_LONG=1 tries 10,000 examples each. The numbers and the times are compared with what PyPI's
dsmr-parser makes of the same telegram.
"""

import random
from datetime import datetime, timedelta, timezone
from decimal import ROUND_DOWN, Decimal

import pytest
from dsmr_helpers import decode
from hypothesis import given
from hypothesis import strategies as st

from joulelog import registry
from joulelog.config import schema
from joulelog.errors import ConfigError
from tests import tiers
from tests.integration.field_rig import Port, p1, play
from tests.integration.test_field_kinds import cuts_of, kind
from tools import boards

ORIGIN = datetime(2026, 3, 1, tzinfo=timezone.utc)


def stamp_of(time: datetime) -> str:
    """As a meter in Central Europe writes it: YYMMDDhhmmss and S or W."""
    summer = datetime(2026, 3, 29, 1, tzinfo=timezone.utc) <= time
    summer = summer and time < datetime(2026, 10, 25, 1, tzinfo=timezone.utc)
    local = time + timedelta(hours=2 if summer else 1)
    return local.strftime("%y%m%d%H%M%S") + ("S" if summer else "W")


def iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def kwh(number: int) -> str:
    return "%06d.%03d" % (number // 1000, number % 1000)


TIMES = st.integers(0, 280 * 86400).map(lambda s: ORIGIN + timedelta(seconds=s))


@st.composite
def meters(draw) -> tuple[bytes, dict[str, str]]:
    """(a telegram, {key: text} of what no line has alone)."""
    lines, wanted = [], {}
    for code, key in ((1, "energy_import"), (2, "energy_export")):
        tariffs = draw(st.lists(st.integers(1, 9), unique=True, max_size=4))
        numbers = [draw(st.integers(0, 999999999)) for _ in tariffs]
        lines += ["1-0:%d.8.%d(%s*kWh)" % (code, t, kwh(n)) for t, n in zip(tariffs, numbers)]
        own = draw(st.booleans())
        if own:
            number = draw(st.integers(0, 999999999))
            lines.append("1-0:%d.8.0(%s*kWh)" % (code, kwh(number)))
            wanted[key] = "%d.%03d" % (number // 1000, number % 1000)
        elif len(tariffs) > 1:
            wanted[key] = "%d.%03d" % (sum(numbers) // 1000, sum(numbers) % 1000)
    if draw(st.booleans()):
        time = draw(TIMES)
        lines.append("1-0:1.6.0(%s)(%06.3f*kW)" % (stamp_of(time), draw(st.integers(0, 99))))
        wanted["demand_import_peak_time"] = iso(time)
    for channel, (number, key) in enumerate(((3, "gas"), (7, "water")), 1):
        if draw(st.booleans()):
            time = draw(TIMES)
            lines.append("0-%d:24.1.0(%03d)" % (channel, number))
            lines.append("0-%d:24.2.1(%s)(00001.5*m3)" % (channel, stamp_of(time)))
            wanted[key + "_time"] = iso(time)
    if draw(st.booleans()):
        months = "".join(
            [
                "(%s)(%s)(%06.3f*kW)" % (stamp_of(draw(TIMES)), stamp_of(draw(TIMES)), n)
                for n in range(3)
            ]
        )
        lines.append("0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)" + months)
    lines.append("1-0:1.7.0(00.300*kW)")
    return p1("/FLU5\\253769484_A", *draw(st.permutations(lines))), wanted


def beside(values: dict) -> dict:
    keys = ("energy_import", "energy_export", "demand_import_peak_time", "gas_time", "water_time")
    return {key: values[key] for key in keys if key in values}


@kind
@given(st.data())
def test_times_and_sums_of_any_telegram(data) -> None:
    """Whole, cut anywhere, byte by byte, behind a damaged one; by codec and firmware."""
    one, wanted = data.draw(meters())
    damaged = bytearray(one)
    damaged[data.draw(st.integers(10, len(one) - 8))] ^= data.draw(st.sampled_from([1, 2, 16]))
    for stream, cuts in (
        (one, ()),
        (one * 2, cuts_of(data.draw, 2 * len(one))),
        (one, range(1, len(one))),
        (bytes(damaged) + one, ()),
    ):
        found, _ = decode(stream, cuts, wanted=())
        assert beside(found[-1]["values"]) == wanted
    port = play(one, one)
    assert [beside(found) for _, found in port.output.readings] == [wanted] * 2


@kind
@given(meters())
def test_against_dsmr_parser(meter) -> None:
    tiers.require("dsmr_parser", "oracles", "pip install dsmr-parser")
    from dsmr_parser import telegram_specifications
    from dsmr_parser.parsers import TelegramParser

    one, wanted = meter
    theirs = TelegramParser(telegram_specifications.BELGIUM_FLUVIUS).parse(one.decode())
    peak = getattr(theirs, "BELGIUM_MAXIMUM_DEMAND_MONTH", None)
    if "demand_import_peak_time" in wanted:
        assert iso(peak.datetime.astimezone(timezone.utc)) == wanted["demand_import_peak_time"]
    for number, key in ((1, "gas_time"), (2, "water_time")):
        device = theirs.get_mbus_device_by_channel(number) if key in wanted else None
        if device is not None:
            read = device.MBUS_METER_READING
            assert iso(read.datetime.astimezone(timezone.utc)) == wanted[key]
    tariffs = [getattr(theirs, "ELECTRICITY_USED_TARIFF_%d" % n, None) for n in (1, 2, 3, 4)]
    if all(tariffs[:2]) and not any(b"1-0:1.8.%d(" % n in one for n in (0, 3, 4, 5, 6, 7, 8, 9)):
        assert Decimal(wanted["energy_import"]) == tariffs[0].value + tariffs[1].value


def gas_line(time: datetime, litres: int) -> str:
    return "0-1:24.2.1(%s)(%05d.%03d*m3)" % (stamp_of(time), litres // 1000, litres % 1000)


@kind
@given(st.data())
def test_flows_are_the_exact_mean_cut_off(data) -> None:
    """Of readings at any intervals, also over both changes of summer time."""
    changes = [datetime(2026, 3, 29, 0, 50, tzinfo=timezone.utc)]
    changes.append(datetime(2026, 10, 25, 0, 50, tzinfo=timezone.utc))
    time = data.draw(st.one_of(TIMES, st.sampled_from(changes)))
    litres = data.draw(st.integers(0, 50000000))
    telegrams = [p1("/X5", "0-1:24.1.0(003)", gas_line(time, litres))]
    wanted: list[str | None] = [None]
    for _ in range(data.draw(st.integers(1, 5))):
        passed = data.draw(st.integers(1, 86400))
        grown = data.draw(st.integers(0, 3000))
        time += timedelta(seconds=passed)
        litres += grown
        telegrams += [p1("/X5", "0-1:24.1.0(003)", gas_line(time, litres))] * 2
        flow = Decimal(grown) * 3600 / (passed * 1000)
        wanted += [str(flow.quantize(Decimal("0.001"), ROUND_DOWN))] * 2
    found, _ = decode(b"".join(telegrams), wanted=())
    assert [one["values"].get("gas_flow") for one in found] == wanted
    port = play(*telegrams)
    assert [found.get("gas_flow") for _, found in port.output.readings] == wanted


def tariffs(first: int, second: int) -> bytes:
    lines = ["1-0:1.8.%d(%s*kWh)" % (n, kwh(v)) for n, v in ((1, first), (2, second))]
    return p1("/X5", "1-0:1.7.0(00.1*kW)", *lines)


def test_a_sum_is_believed_as_its_parts_are() -> None:
    """One tariff leaps once: both are unknown, once; a meter that was swapped takes three."""
    start = [tariffs(5000000 + n, 7000000) for n in range(3)]
    port = play(*start, tariffs(50000, 7000000), tariffs(5000004, 7000000))
    sums = [found.get("energy_import") for _, found in port.output.readings]
    assert sums == ["12000.000", "12000.001", "12000.002", None, "12000.004"]
    assert port.count("counter_events") == 1
    port = play(*start, *[tariffs(100 + n, 7000000) for n in range(4)])
    sums = [found.get("energy_import") for _, found in port.output.readings]
    assert sums[3:] == [None, None, "7000.102", "7000.103"]
    assert port.count("counter_events") == 1


def test_a_tariff_that_joins_late_is_a_leap_of_the_sum() -> None:
    three = p1("/X5", *["1-0:1.8.%d(%s*kWh)" % (n, kwh(7000000)) for n in (1, 2, 3)])
    port = play(*[tariffs(7000000, 7000000)] * 2, *[three] * 4)
    sums = [found.get("energy_import") for _, found in port.output.readings]
    assert sums == ["14000.000"] * 2 + [None, None, "21000.000", "21000.000"]
    assert port.count("counter_events") == 1


def test_no_flow_of_a_counter_that_is_not_believed() -> None:
    """A leap of the gas meter makes no flow: not while it is doubted, nor when it is believed."""
    times = [ORIGIN + timedelta(minutes=5 * n) for n in range(6)]
    litres = [1000, 1010, 901000, 901010, 901020, 901030]
    telegrams = []
    for time, count in zip(times, litres):
        telegrams += [p1("/X5", "0-1:24.1.0(003)", gas_line(time, count))] * 2
    found = [values.get("gas_flow") for _, values in play(*telegrams).output.readings]
    assert found == [None] * 2 + ["0.120"] * 2 + [None] * 4 + ["0.120"] * 4


def test_a_silent_meter_has_no_flow() -> None:
    """Without any clock on the wire: by the board's uptime."""
    port = Port()
    gas = [
        p1("/X5", "0-1:24.1.0(003)", gas_line(ORIGIN + timedelta(seconds=n), n)) for n in range(99)
    ]
    port.send(0, gas[0])
    port.send(2000, gas[2])
    for second in range(4, 10, 2):
        port.send(second * 1000, gas[2])
    port.send(10000, gas[10])
    flows = [found.get("gas_flow") for _, found in port.run(11000)]
    assert flows == [None, "3.600", "3.600", "3.600", None, "3.600"]


def test_the_list_is_kept_where_somebody_asks() -> None:
    month = "0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(230901000000S)(230831181500S)(01.862*kW)"
    one = p1("/FLU5\\X", "1-0:1.7.0(00.1*kW)", month)
    port = Port()
    assert list(port.reader.profile()) == []
    port.send(0, one)
    port.send(1000, p1("/FLU5\\X", "1-0:1.7.0(00.2*kW)", month[:-3]))
    port.run(500)
    assert list(port.reader.profile()) == [(746834400, 746813700, 1862, 0, "W")]
    port = Port()
    port.send(0, one)
    port.run(500)
    assert port.reader._p1._telegram.profile == ()


@pytest.mark.parametrize("seed", range(20))
def test_damage_never_raises_nor_publishes_half(seed: int) -> None:
    """Streams of telegrams with lists and times, damaged anywhere: what comes is what was sent."""
    dice = random.Random(seed)
    lines = ["1-0:1.8.1(%s*kWh)" % kwh(1000), "1-0:1.8.2(%s*kWh)" % kwh(2000)]
    lines += ["1-0:1.6.0(260302184500W)(05.796*kW)", "0-1:24.1.0(003)"]
    lines += [gas_line(ORIGIN, 1000)]
    lines += ["0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(230901000000S)(230831181500S)(01.862*kW)"]
    one = p1("/FLU5\\X", *lines)
    whole = decode(one, wanted=())[0][0]["values"]
    for _ in range(50):
        damaged = bytearray(one)
        for _ in range(dice.randrange(1, 4)):
            damaged[dice.randrange(5, len(damaged) - 6)] = dice.choice(b"/!()*:.-0159SWX\r\n")
        found, _ = decode(bytes(damaged) + one, wanted=())
        assert found[-1]["values"] == whole
        assert all(told["values"] == whole for told in found if told["crc"] == "ok")


def test_codes_by_config() -> None:
    """Beside those that have a name, through the check and the reader; a mistake has its row."""
    board = boards.load(boards.FOLDERS / "HOST")
    row = "meter_status | 1-0:96.5.0 | | text |"
    one = p1("/EBZ5DD3", "1-0:1.8.0*255(1.5*kWh)", "1-0:96.5.0*255(001C0104)", "1-0:9.9.9(4*h)")
    wanted = {"energy_import": "1.500", "meter_status": "001C0104"}
    assert [found for _, found in play(one, one, codes=[row]).output.readings] == [wanted] * 2
    wrong = {
        "a | 1-0:1.8.1 | kWh | total | energy": "`codes`: 'a | 1-0:1.8.1 | kWh | total | energy'",
        "time | 1-0:96.5.0 | | text |": 'has a row "time"',
        "a\n | 1-0:96.5.0 | | text |": "holds",
        "$a | 1-0:96.5.0 | | text |": 'has a row "$a"',
        "gas | 1-0:96.5.0 | | text |": "choose another",
    }
    for text in (row, *wrong):
        config = {"readers": [{"type": "dsmr", "uart": "sim", "codes": [text]}]}
        try:
            schema.check(config, board, registry)
            said = ""
        except ConfigError as error:
            said = str(error)
        assert wrong.get(text, "") in said and bool(said) == (text in wrong), said
    config["readers"][0]["codes"] = row  # type: ignore[index]
    with pytest.raises(ConfigError, match="a list of text"):
        schema.check(config, board, registry)
