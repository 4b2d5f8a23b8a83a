"""Readings as a P1 reader and a PZEM reader give them every 10 s, through days as rough as real.

    day = Day(seed=1, time=1782000000)
    for time, source, values in day.readings(8640):    # 24 h of both, in order
        ...                                # source 0: P1, P1_CHANNELS; 1: the PZEM, PZEM_CHANNELS

The P1 meter is a Dutch DSMR 5 one with three phases and gas, and its readings have the 30
channels that the reader makes of its telegram (28 numbers, two texts). The PZEM-004T sits on
phase one. The load is the house of house.py with what its curves lack: a car at the wall, a heat
pump, clouds that pass within seconds, and noise on all that is measured. Voltages have tenths,
powers single watts. Consecutive telegrams of real meters are the measure of how rough that must
be: roughness() counts the same of both (tests/unit/test_sim_day.py).

Times are Unix seconds.
"""

from collections.abc import Iterable, Iterator

import pzem
from dsmr.frame import Framer
from dsmr.telegram import Telegram
from modbus.registers import Table

from tools.sim import house, telegrams

P1, PZEM = 0, 1
INTERVAL_S = 10
TEXTS = ("meter_id", "p1_version")
# What no line has alone: neither random nor of use to who compares digits.
_BESIDE = ("energy_import", "energy_export", "gas_time", "gas_flow")
PZEM_CHANNELS: tuple = tuple(Table(pzem.TABLES["ac"]).channels)
_TEXTS_SENT = ("50", "4530303939303030303030303030303031")
_CAR_W = 3680  # 16 A at one phase
_GAS_SLOT_S = 300


def decode(data: bytes) -> list[tuple[int | None, tuple, tuple]]:
    """(time, channels, values) of each telegram in the data whose CRC is right, as lines tell."""
    found: list = []

    def complete(telegram) -> None:
        pairs = [
            pair for pair in zip(telegram.channels, telegram.values) if pair[0][0] not in _BESIDE
        ]
        channels, values = zip(*pairs)
        found.append((telegram.time, channels, values))

    framer = Framer(bytearray(4096), Telegram(complete, TEXTS))
    framer.feed(data, 0, len(data))
    framer.flush()
    return found


class Day:
    """A house, its meters, and their readings. Has what tools/sim/telegrams.py asks of a house."""

    def __init__(self, seed: int = 1, time: int = 1782000000) -> None:
        self.seed = seed
        self.time = time
        self._import_ws = [16230132 * 3600 + 977, 7449542 * 3600 + 31]
        self._export_ws = [5998736 * 3600 + 1801, 15098938 * 3600 + 5]
        self._pzem_ws = 7926 * 3600
        self.gas_hour_dm3 = 10142194
        self.gas_hour_time = time // _GAS_SLOT_S * _GAS_SLOT_S
        self._measure()
        self.channels: tuple = decode(self.telegram())[0][1]

    def import_wh(self, register: int) -> int:
        """Energy taken from the grid under a tariff."""
        return self._import_ws[register] // 3600

    def export_wh(self, register: int) -> int:
        """Energy fed into the grid under a tariff."""
        return self._export_ws[register] // 3600

    @property
    def tariff(self) -> int:
        """The register (0 or 1) that counts now."""
        return house.night_first(self.time)

    def telegram(self) -> bytes:
        """What the meter sends now."""
        return telegrams.finish("nl50", telegrams.write("nl50", self)[0])

    def advance(self, seconds: int) -> None:
        """Let time pass; power counts as it is at the end."""
        self.time += seconds
        self._measure()
        counter = self._import_ws if self.power_w > 0 else self._export_ws
        counter[self.tariff] += abs(self.power_w) * seconds
        self._pzem_ws += self._pzem_dw * seconds // 10
        slot = self.time // _GAS_SLOT_S * _GAS_SLOT_S
        if slot != self.gas_hour_time:
            self.gas_hour_time = slot
            hour = house.local(slot) // 3600 % 24
            if 6 <= hour < 23:  # hot water and the stove
                self.gas_hour_dm3 += max(house.noise(self.seed, 30, slot, 90) - 20, 0)

    def p1_values(self) -> tuple:
        """The values of the telegram of now, in the order of `channels`."""
        net_w = self.power_w
        energies = [self.import_wh(0), self.import_wh(1), self.export_wh(0), self.export_wh(1)]
        phases = [max(watts, 0) for watts in self.phases_w]
        phases += [max(-watts, 0) for watts in self.phases_w]
        amps = [(amps + 50) // 100 for amps in self.amps_c]
        return (
            (*_TEXTS_SENT, *energies, self.tariff + 1, max(net_w, 0), max(-net_w, 0))
            + (7, 3, 2, 0, 0, 0, 0, 0, *self.volts_d, *amps, *phases)
            + (self.gas_hour_dm3,)
        )

    def pzem_values(self) -> tuple:
        """What the PZEM's registers say now, in the order of PZEM_CHANNELS."""
        frequency_d = 500 + (self._frequency_c - 5000 + 5) // 10
        return (
            self._pzem_volts_d,
            self._pzem_ma,
            self._pzem_dw,
            self._pzem_ws // 3600,
            frequency_d,
            self._factor_c,
            0,
        )

    def readings(self, steps: int) -> Iterator[tuple[int, int, tuple]]:
        """(time, source, values) of both meters, so many times."""
        for _ in range(steps):
            self.advance(INTERVAL_S)
            yield self.time, P1, self.p1_values()
            yield self.time, PZEM, self.pzem_values()

    def _noise(self, name: int, every_s: int, span: int) -> int:
        """A number from -span to span that stays for so many seconds."""
        return house.noise(self.seed, name, self.time // every_s, 2 * span + 1) - span

    def _measure(self) -> None:
        noise = self._noise
        loads = list(house.load_w(self.seed, self.time))
        loads[1] += self._heat_pump_w()
        loads[2] += self._car_w()
        # Electronics draw what they need just now; a motor or a heater is steady to a per cent.
        loads[0] += 30 + noise(60, 1, 14) + noise(61, 7, 12) + loads[0] * noise(62, 1, 10) // 1000
        loads[1] += noise(63, 1, 2) + loads[1] * noise(64, 1, 8) // 1000
        loads[2] += 105 + 8 * noise(65, 3, 1) + loads[2] * noise(66, 1, 8) // 1000
        solar = house.solar_w(self.seed, self.time)
        solar -= solar * (house.noise(self.seed, 67, self.time // 15, 100) ** 2) // 40000
        solar = max(solar + solar * noise(68, 1, 6) // 1000, 0)
        self.phases_w = (loads[0] - solar, loads[1], loads[2])
        self.power_w = sum(self.phases_w)
        self.volts_d = tuple(
            2330 + self._drift(70 + phase) + noise(74 + phase, 1, 4) - watts // 120
            for phase, watts in enumerate(self.phases_w)
        )
        self.amps_c = tuple(
            (abs(watts) * 1000 + volts // 2) // volts
            for watts, volts in zip(self.phases_w, self.volts_d, strict=True)
        )
        self._frequency_c = 5000 + noise(78, 10, 2) + self._drift(79) // 3
        self._measure_pzem(loads[0])

    def _measure_pzem(self, watts: int) -> None:
        noise = self._noise
        self._factor_c = min(94 + watts // 700 + noise(80, 20, 1), 99)
        self._pzem_volts_d = self.volts_d[0] + noise(81, 10, 1)
        self._pzem_dw = watts * 10 + noise(82, 1, 5)
        self._pzem_ma = self._pzem_dw * 100000 // (self._pzem_volts_d * self._factor_c)

    def _drift(self, name: int) -> int:
        """Slow up and down of the grid, -15 to 15, straight from one noise value to the next."""
        slot, within = divmod(self.time, 300)
        first = house.noise(self.seed, name, slot, 31)
        second = house.noise(self.seed, name, slot + 1, 31)
        return (first * (300 - within) + second * within) // 300 - 15

    def _heat_pump_w(self) -> int:
        """An inverter that runs 40 minutes of each hour and a half, and follows the demand."""
        slot, within = divmod(self.time + house.noise(self.seed, 84, 0, 5400), 5400)
        if within >= 2400:
            return 6
        return 450 + within // 8 + house.noise(self.seed, 85, slot, 300) + self._noise(86, 10, 12)

    def _car_w(self) -> int:
        """Charging for three hours of two nights of three, from 23:00 local time on."""
        day, second = divmod(house.local(self.time) - 23 * 3600, 86400)
        charges = house.noise(self.seed, 87, day, 3) and second < 3 * 3600
        return _CAR_W + self._noise(88, 1, 25) if charges else 0


def roughness(series: Iterable[tuple]) -> dict[str, float]:
    """How much of a series of values changes from one reading to the next.

    `changed` channels and the `bytes` of their differences (7 bits each, sign included) per
    step, over all channels that are numbers; both 0 for less than two readings.
    """
    steps = changed = size = 0
    before = None
    for values in series:
        if before is not None:
            steps += 1
            for old, new in zip(before, values, strict=True):
                if old != new:
                    changed += 1
                    size += delta_bytes(new - old)
        before = values
    return {"changed": changed / max(steps, 1), "bytes": size / max(steps, 1)}


def delta_bytes(delta: int) -> int:
    """Bytes of a difference as a zigzag varint."""
    return max((2 * abs(delta)).bit_length() + 6, 7) // 7
