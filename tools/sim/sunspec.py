"""The registers of simulated SunSpec devices: an inverter, a meter, or both behind each other.

    device = SunSpec((103, 203), base=40000, maker="Fronius")
    device.read(3, 40000, 2)             # [0x5375, 0x6e53]
    device.values[103]["W_SF"] = -2      # as the registers have it
    del device.values[103]["VAr"]        # not implemented

Written from SunSpec's model definitions, without lib/sunspec: points in their order, by name. What
has no value is not implemented, as each type says that. A counter grows by a Wh each second.
"""

import struct

from tools.sim.slaves import READ_HOLDING, Meter, Refusal

_PHASES = ("phA", "phB", "phC")
_LINES = ("phAB", "phBC", "phCA")
_NONE = {"H": 0xFFFF, "h": -0x8000, "I": 0, "f": float("nan"), "B": 0xFFFFFFFF}

# How a point's name begins, its scale factor, and what that is.
_SCALES = (
    *(("PhV", "V", -1), ("PPV", "V", -1), ("VAR", "VAR", 0), ("VAr", "VAr", 0), ("VA", "VA", 0)),
    *(("WH", "WH", 0), ("W", "W", -1), ("TotWh", "TotWh", 0), ("Hz", "Hz", -2), ("PF", "PF", -1)),
    *(("A", "A", -2), ("DCA", "DCA", -2), ("DCV", "DCV", -1), ("DCW", "DCW", -1)),
    *(("Tmp", "Tmp", -1), ("St", "", 0)),
)


def _three(name: str, kinds: str, ends: tuple = _PHASES) -> list[tuple[str, str]]:
    return [(name + end, kinds) for end in ends]


def _inverter(one: bool) -> list[tuple[str, str]]:
    """(name, struct's letter) of the points; one: as singles."""
    word, signed, count = ("f", "f", "f") if one else ("H", "h", "I")

    def factor(name: str) -> list[tuple[str, str]]:
        return [] if one else [(name + "_SF", "h")]

    points = [("A", word), *_three("A", word), *factor("A")]
    points += [*_three("PPV", word, _LINES), *_three("PhV", word), *factor("V")]
    points += [("W", signed), *factor("W"), ("Hz", word), *factor("Hz")]
    for name in ("VA", "VAr", "PF"):
        points += [(name, signed), *factor(name)]
    points += [("WH", count), *factor("WH"), ("DCA", word), *factor("DCA")]
    points += [("DCV", word), *factor("DCV"), ("DCW", signed), *factor("DCW")]
    points += [*_three("Tmp", signed, ("Cab", "Snk", "Trns", "Ot")), *factor("Tmp")]
    points += [("St", "H"), ("StVnd", "H")]
    return points + [(f"Evt{number}", "B") for number in range(6)]


def _meter(one: bool) -> list[tuple[str, str]]:
    signed, count = ("f", "f") if one else ("h", "I")

    def factor(name: str) -> list[tuple[str, str]]:
        return [] if one else [(name + "_SF", "h")]

    points = [("A", signed), *_three("A", signed), *factor("A")]
    points += [("PhV", signed), *_three("PhV", signed)]
    points += [("PPV", signed), *_three("PPV", signed, _LINES), *factor("V")]
    points += [("Hz", signed), *factor("Hz")]
    for name in ("W", "VA", "VAR", "PF"):
        points += [(name, signed), *_three(name, signed), *factor(name)]
    for unit, kinds in (
        ("Wh", ("Exp", "Imp")),
        ("VAh", ("Exp", "Imp")),
        ("VArh", ("ImpQ1", "ImpQ2", "ExpQ3", "ExpQ4")),
    ):
        for kind in kinds:
            name = f"Tot{unit}{kind}"
            points += [(name, count), *_three(name, count, ("PhA", "PhB", "PhC"))]
        points += factor(f"Tot{unit}")
    return [*points, ("Evt", "B")]


def _points(model: int) -> list[tuple[str, str]]:
    return (_meter if model >= 200 else _inverter)(model // 10 % 10 == 1)


def _start(model: int) -> dict[str, float]:
    """What a model says at first: integers as they stand in registers, or numbers."""
    inverter = model < 200
    plain: dict[str, float] = {"Hz": 50.02, "VA": 2400, "PF": 97.5 if inverter else 0.975}
    phases = (230.1, 231.2, 229.3)
    for end, volt in zip(_PHASES, phases, strict=True):
        plain |= {"PhV" + end: volt, "A" + end: 3.47}
    for end in _LINES:
        plain["PPV" + end] = 398.5
    plain |= {"W": 2345.6, "A": 10.41}
    if inverter:
        plain |= {"VAr": -120, "WH": 12345678, "DCW": 2410.5, "DCV": 612.3, "DCA": 3.94}
        plain |= {"TmpCab": 41.3, "St": 4}
    else:
        plain |= {"VAR": -120, "PhV": 230.2, "TotWhImp": 7654321, "TotWhExp": 1234567}
        plain |= {"Wph" + end: 781.9 for end in "ABC"}
        plain |= {f"TotWhImpPh{end}": 2551440 for end in "ABC"}
    if model // 10 % 10 == 1:
        return plain
    found: dict[str, float] = {}
    for name, value in plain.items():
        head, power = next((end, power) for start, end, power in _SCALES if name.startswith(start))
        times = 100 if name == "PF" and not inverter else 1
        found[name] = round(value * times * 10**-power)
        if head:
            found[head + "_SF"] = power
    return found


class SunSpec(Meter):
    """A device: its marker, a common model per part, and the models."""

    def __init__(
        self,
        models: tuple[int, ...] = (103,),
        seed: int = 1,
        base: int = 40000,
        maker: str = "SunSim",
    ) -> None:
        super().__init__(seed)
        self.models = models
        self.base = base
        self.maker = maker
        self.values = {model: _start(model) for model in models}
        self.ends_in_refusal = False
        self._began: float | None = None
        self._first: dict[int, dict[str, float]] = {}

    def advance(self, now: float) -> None:
        """A watt-hour per second, so that a test sees it grow."""
        before = self._began
        self._began = now
        if before is None:
            return
        for model, values in self.values.items():
            for name in ("WH",) if model < 200 else ("TotWhImp",):
                if name in values:
                    values[name] += now - before

    def registers(self) -> dict[int, int]:
        """{register: word} of all that there is."""
        words = list(struct.unpack(">HH", b"SunS"))
        for number, model in enumerate(self.models):
            common = b"".join(
                text.encode().ljust(size, b"\0")
                for text, size in (
                    (self.maker, 32),
                    (f"Model {model}", 32),
                    ("", 16),
                    ("1.2", 16),
                    (f"SN-{self.seed}-{number}", 32),
                )
            )
            words += [1, 66, *struct.unpack(">64H", common), 1, 0x8000]
            body = self._body(model)
            words += [model, len(body), *body]
        if not self.ends_in_refusal:
            words += [0xFFFF, 0]
        return {self.base + offset: word for offset, word in enumerate(words)}

    def _body(self, model: int) -> list[int]:
        data = b""
        values = self.values[model]
        for name, letter in _points(model):
            value = values.get(name, _NONE[letter])
            pack = letter.replace("B", "I")
            data += struct.pack(">" + pack, value if letter == "f" else int(value))
        return list(struct.unpack(f">{len(data) // 2}H", data))

    def words(self) -> list[int]:
        return []

    def read(self, function: int, first: int, count: int) -> list[int]:
        """Holding registers only, as SunSpec has it."""
        if function != READ_HOLDING:
            raise Refusal(1)
        found = self.registers()
        wanted = range(first, first + count)
        if not count or not all(register in found for register in wanted):
            raise Refusal(2)
        return [found[register] for register in wanted]
