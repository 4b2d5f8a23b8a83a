"""The kinds behind the cases of test_field.py, by generators: any telegram of the kind.

JOULELOG_LONG=1 tries 10,000 examples of each, else a quick number. Each goes through the codec,
cut anywhere, and through the firmware's reader.
"""

import os

import test_dsmr_dlms
from civil import fields
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.integration.field_rig import NOON, Port, codec, p1, play, values

LONG = bool(os.environ.get("JOULELOG_LONG"))
kind = settings(
    max_examples=10000 if LONG else 60,
    deadline=None,
    database=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
)

HEADERS = st.sampled_from(
    ["/ISk5\\2MT382-1003", "/HLY5/D545-METER", "/XMX5 V3 (b)", "/KAM5", "/Ene5\\T210-D"]
)
# code, unit as sent, key, digits that the point moves
MEASURED = [
    ("1-0:1.7.0", "kW", "power_import", 3),
    ("1-0:2.7.0", "W", "power_export", 0),
    ("1-0:32.7.0", "V", "voltage_l1", 0),
    ("1-0:31.7.0", "A", "current_l1", 0),
    ("1-0:14.7.0", "HZ", "frequency", 0),
    ("1-0:1.8.1", "kWh", "energy_import_t1", 0),
    ("1-0:2.8.0", "kWh", "energy_export", 0),
]
# What a person or a grid company writes; a bracket would be the end of it.
WORDS = st.text(st.sampled_from("abcXYZ 0189/!.,:*-\\/!"), max_size=40)
TEXTS = st.lists(WORDS.filter(lambda words: words.strip("!/ ")), min_size=1, max_size=3)


@st.composite
def measured(draw) -> tuple[list[str], dict[str, str]]:
    """(lines, {key: text}) of some measurements."""
    lines, wanted = [], {}
    for code, unit, key, move in draw(
        st.lists(st.sampled_from(MEASURED), min_size=1, unique=True)
    ):
        number = draw(st.integers(0, 99999))
        if unit in ("kW", "kWh"):
            lines.append("%s(%03d.%03d*%s)" % (code, number // 1000, number % 1000, unit))
            wanted[key] = str(number) if move else "%d.%03d" % (number // 1000, number % 1000)
        else:
            lines.append("%s(%05d*%s)" % (code, number, unit))
            wanted[key] = str(number)
    return lines, wanted


@st.composite
def texts(draw) -> str:
    """A line that holds a text, or a unit, with what begins or ends a telegram in it."""
    code = draw(st.sampled_from(["0-0:96.13.0", "0-0:96.13.1", "1-0:0.2.0", "0-0:42.0.0"]))
    if draw(st.booleans()):
        return "%s(%s)" % (code, "\r\n".join(draw(TEXTS)))
    return "0-2:99.9.9(%d.5*%s)" % (
        draw(st.integers(0, 9)),
        draw(st.sampled_from(["m3/h", "l/100", "!/"])),
    )


@st.composite
def talkative(draw) -> tuple[str, list[str], dict[str, str]]:
    """(header, lines, {key: text}) of a telegram with texts between its measurements."""
    lines, wanted = draw(measured())
    for line in draw(st.lists(texts(), min_size=1, max_size=3)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return draw(HEADERS), lines, wanted


def cuts_of(draw, size: int) -> list[int]:
    """Where a stream is cut into pieces."""
    return sorted(draw(st.lists(st.integers(0, size), max_size=8)))


@kind
@given(st.data())
def test_slash_and_exclamation_mark_in_a_text(data) -> None:
    header, lines, wanted = data.draw(talkative())
    crc = data.draw(st.sampled_from(["right", None]))
    one = p1(header, *lines, crc=crc)
    found, framer = codec(one * 3, cuts_of(data.draw, 3 * len(one)))
    assert [(t["header"], t["values"]) for t in found] == [(header[1:], wanted)] * 3
    assert (framer.interrupted, framer.crc_errors) == (0, 0)
    assert values(play(one, one)) == [wanted] * 2


@kind
@given(st.data())
def test_no_half_telegram_where_a_stream_begins_anywhere(data) -> None:
    header, lines, wanted = data.draw(talkative())
    assume(not any("\r\n" in line for line in lines))
    crc = data.draw(st.sampled_from(["right", None]))
    one = p1(header, *lines, crc=crc)
    start = data.draw(st.integers(1, len(one) - 1))
    assume(one[start] != ord("/"))  # what begins with the "/" in a header is a header to anybody
    port = Port()
    port.send(0, one[start:] + one)
    port.run(2000)
    assert values(port) == [wanted]


@kind
@given(st.data())
def test_garbage_costs_no_telegram(data) -> None:
    header, lines, wanted = data.draw(talkative())
    crc = data.draw(st.sampled_from(["right", None]))
    one = p1(header, *lines, crc=crc)
    filler = data.draw(st.sampled_from([b"x", b"\xff", b"/", b"!", b" ", b"/x", b"(", b"5)"]))
    garbage = filler * data.draw(st.integers(0, 700))
    broken = data.draw(
        st.sampled_from([b"", b"/", one[: data.draw(st.integers(0, len(one) - 8))]])
    )
    assume(crc or b"\r\n" not in broken or broken.count(b"(") == broken.count(b")"))
    stream = broken + garbage + one
    found, _ = codec(stream, cuts_of(data.draw, len(stream)), buffer_bytes=512)
    assert found and found[-1]["values"] == wanted
    assert len(found) == 1
    assert values(play(stream))[-1:] == [wanted]


GAS, WATER, HEAT = (3, "gas", "m3"), (7, "water", "m3"), (12, "heat", "GJ")


@kind
@given(st.data())
def test_mbus_meters_go_by_their_type(data) -> None:
    """Each telegram has each kind of meter once, on any channel: its value is never another's."""
    stream, wanted = b"", []
    for _ in range(data.draw(st.integers(1, 6))):
        meters = data.draw(st.lists(st.sampled_from([GAS, WATER, HEAT]), min_size=1, unique=True))
        channels = data.draw(st.permutations(range(1, 5)))
        lines, found = [], {}
        for channel, (number, key, unit) in zip(channels, meters):
            value = data.draw(st.integers(0, 99999999))
            rows = [
                "0-%d:24.1.0(%03d)" % (channel, number),
                "0-%d:24.2.1(261128110000W)(%05d.%03d*%s)"
                % (channel, value // 1000, value % 1000, unit),
            ]
            lines += data.draw(st.permutations(rows))
            found[key] = "%d.%03d" % (value // 1000, value % 1000)
        stream += p1("/XMX5TEST", "0-0:1.0.0(261128120000W)", *lines)
        wanted.append(found)
    assert [t["values"] for t in codec(stream)[0]] == wanted


@kind
@given(st.data())
def test_mbus_values_come_whole_or_not_at_all(data) -> None:
    """Lines of one channel, good ones and broken ones, in any order: the first good one counts."""
    good = st.integers(0, 99999).map(lambda n: ("(261128110000W)(%05d.5*m3)" % n, "%d.5" % n))
    broken = st.sampled_from(
        [
            "(632525252525W)(00000.000*m3)",
            "(261128110000W)()",
            "(261128110000W)",
            "()",
            "(0)",
            "()()",
        ]
        + [
            "(261128110000W)(1.*m3)",
            "(X)(1.5*m3)",
            "(1.5*m3)",
            "(632525252525W)(9.5*GJ)",
            "(1)(2)(3)",
        ]
    ).map(lambda text: (text, None))
    rows = data.draw(st.lists(st.one_of(good, broken), min_size=1, max_size=5))
    codes = [data.draw(st.sampled_from(["24.2.1", "24.2.3"])) for _ in rows]
    lines = ["0-1:%s%s" % (code, text) for code, (text, _) in zip(codes, rows)]
    lines.insert(data.draw(st.integers(0, len(lines))), "0-1:24.1.0(003)")
    first = [value for _, value in rows if value][:1]
    for clock in ([], ["0-0:1.0.0(261128120000W)"]):
        one = p1("/XMX5TEST", *clock, "1-0:1.7.0(00.300*kW)", *lines)
        wanted = {"power_import": "300"} | ({"gas": first[0]} if first else {})
        found, _ = codec(one * 2)
        assert [t["values"] for t in found] == [wanted] * 2
        assert all(t["units"].get("gas", "m³") == "m³" for t in found)
        assert values(play(one, one)) == [wanted] * 2


@kind
@given(st.data())
def test_a_code_that_is_none_is_never_another_channel(data) -> None:
    lines, wanted = data.draw(measured())
    codes = ["1-0:1.7.0", "0-0:96.1.1", "9-9:9.9.9", "0-1:24.2.1", "1-0:1.8.1", "0-0:1.0.0"]
    known = ["9-9:9.9.9(1)", "0-0:96.1.1(31)", "1-0:61.7.0(5*kW)"]
    strange = []
    for _ in range(data.draw(st.integers(1, 4))):
        code = data.draw(st.sampled_from(codes + [line.split("(")[0] for line in lines]))
        blank = data.draw(
            st.sampled_from(
                [" ", "  ", " power_import ", "\t", " !", ' "', " energy_export kWh 3 i energy"]
            )
        )
        at = data.draw(st.sampled_from([0, len(code), len(code), 3]))
        strange.append("%s%s%s(777*kWh)" % (code[:at], blank, code[at:]))
    mixed = data.draw(st.permutations(lines + strange))
    first, second = p1("/XMX5TEST", *known), p1("/XMX5TEST", *mixed)
    assert codec(first + second * 2)[0][-1]["values"] == wanted
    assert values(play(first, second, second))[1:] == [wanted] * 2


@settings(kind, max_examples=2000 if LONG else 20)
@given(st.data())
def test_a_cut_frame_costs_no_other(data) -> None:
    """Encrypted frames of any titles, cut anywhere behind the header: whole ones are all there."""
    texts_, stream = [], b""
    auth = data.draw(st.booleans())
    for number in range(data.draw(st.integers(2, 4))):
        power = data.draw(st.integers(0, 9999))
        text = p1(
            "/Lux5\\253600000",
            *["1-0:99.%d.0(%020d)" % (n, n) for n in range(4)],
            "1-0:1.7.0(%05d*W)" % power,
        )
        title = data.draw(
            st.sampled_from([b"SAG5\x00\x01\x3a\x5c", b"SMSe\x00\x01\x3a\x5c", b"\xdb\x08AB1234"])
        )
        frame = test_dsmr_dlms._frame(text, 100 + number, title=title)
        whole = number == 3 or data.draw(st.booleans())
        stream += frame if whole else frame[: data.draw(st.integers(40, len(frame) - 13))]
        if whole:
            texts_.append(text)
    sizes = data.draw(st.sampled_from([(4096,), (32,), (1,), (7, 64)]))
    stream += b"\x00" * 400
    _, listener = test_dsmr_dlms._run(stream, sizes, test_dsmr_dlms._AUTH_KEY if auth else None)
    found = [text for text in listener.believed if text.endswith(b"\r\n") and text in texts_]
    assert found == texts_


STAMPS = st.sampled_from(
    [
        "260302184500",
        "260302184500W",
        "2603021845",
        "20260302184500",
        "20260302 18:45:00",
        "0",
        "01",
    ]
)


@kind
@given(st.data())
def test_the_value_is_what_has_a_unit_or_a_point(data) -> None:
    number = data.draw(st.integers(0, 99999))
    unit = data.draw(st.sampled_from(["*kW", "*KW", "*kW ", "* kW"]))
    text = "(%02d.%03d%s)" % (number // 1000, number % 1000, unit)
    others = ["(%s)" % stamp for stamp in data.draw(st.lists(STAMPS, max_size=3))]
    others.insert(data.draw(st.integers(0, len(others))), text)
    one = p1("/ISk5\\2MIE5T-200", "1-0:1.6.0" + "".join(others), "1-0:1.7.0(00.1*kW)")
    wanted = {"demand_import_peak": str(number), "power_import": "100"}
    (told,) = codec(one)[0]
    assert told["values"] == wanted and told["units"]["demand_import_peak"] == "W"
    assert values(play(one)) == [wanted]


@kind
@given(st.data())
def test_a_meters_clock_that_is_far_from_a_better_one(data) -> None:
    """Off by anything from ten minutes to years: the board's time, which stays as it is."""
    off = data.draw(st.integers(600, 300000000)) * data.draw(st.sampled_from([-1, 1]))
    source = data.draw(st.sampled_from(["ntp", "computer"]))
    port = Port(source=source)
    for second in range(3):
        stamp = "%02d%02d%02d%02d%02d%02dW" % (
            (fields(NOON + off + 3600 + second)[0] % 100,) + fields(NOON + off + 3600 + second)[1:]
        )
        port.send(second * 1000, p1("/X", "0-0:1.0.0(%s)" % stamp, "1-0:1.7.0(00.1*kW)"))
    found = port.run(3500)
    assert [time for time, _ in found] == ["2026-11-28T12:00:0%dZ" % second for second in range(3)]
    assert (port.now, port.clock.source) == (NOON + 3, source)
    assert port.count("wrong_times") == 3
    assert len([line for line in port.said if "the meter's clock" in line]) <= 1


@kind
@given(st.data())
def test_counters_that_fall_or_leap_once(data) -> None:
    """Any counter of any telegram, wrong once: None there, an event, and all others are there."""
    start = data.draw(st.integers(1000000, 9000000))
    wrong = data.draw(st.one_of(st.integers(0, start - 1), st.integers(start + 500000, 99999999)))
    at = data.draw(st.integers(1, 5))
    row = data.draw(
        st.sampled_from(
            [("1-0:1.8.1(%s*kWh)", "energy_import_t1"), ("1-0:2.8.0(%s*kWh)", "energy_export")]
            + [
                ("0-1:24.2.1(261128125500W)(%s*m3)", "gas"),
                ("1-0:3.8.0(%s*kvarh)", "reactive_energy_import"),
            ]
        )
    )
    telegrams = []
    for second in range(7):
        value = wrong if second == at else start + second
        text = row[0] % ("%05d.%03d" % (value // 1000, value % 1000))
        telegrams.append(p1("/X", "0-1:24.1.0(003)", "1-0:1.7.0(00.1*kW)", text))
    port = play(*telegrams)
    texts = ["%d.%03d" % ((start + n) // 1000, (start + n) % 1000) for n in range(7)]
    wanted = [None if n == at else text for n, text in enumerate(texts)]
    assert [found.get(row[1]) for found in values(port)] == wanted
    assert port.count("counter_events") == 1
    assert [found["power_import"] for found in values(port)] == ["100"] * 7


@kind
@given(st.data())
def test_any_settings_and_a_dead_crc(data) -> None:
    baud = data.draw(
        st.sampled_from([300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200])
    )
    form = data.draw(st.sampled_from(["8N1", "7E1", "7N1", "8E1"]))
    lines, wanted = data.draw(measured())
    crc = data.draw(st.sampled_from([0, 0xFFFF]))
    one = p1("/ISK5\\AM550", *lines, crc=crc)
    assume(p1("/ISK5\\AM550", *lines) != one)
    assert values(play(one, one, baud=baud, format=form, crc="ignore")) == [wanted] * 2
    port = play(*[one] * 4, baud=baud, format=form)
    assert values(port) == [] and "%04X" % crc in port.reader._advice()
