"""A believable house: appliances, a roof with solar panels, gas and water, and exact counters.

Power is a pure function of the seed and the time, so the same seed always gives the same day.
Counters are integers in watt seconds: what a telegram shows is their exact integral.

    house = House(seed=1, time=1795000000, tariff=night_first)
    house.advance(1795000010)
    house.power_w, house.import_wh(0), house.gas_dm3

Times are Unix seconds (UTC) unless a name says local.
"""

import math

_EPOCH = 1767225600  # 2026-01-01: where the counters of a house began
# A new House starts each counter as if this power had flowed since _EPOCH. Both are more than
# the house can ever draw or deliver, so that a restarted simulator never shows less than before.
IMPORT_RATE_W = 5000
EXPORT_RATE_W = 4000
_GAS_RATE_DM3_H = 800
_WATER_RATE_DM3_H = 120
_QUARTER_S = 900
_SLOT_S = 300  # gas and water meters report to the electricity meter every 5 minutes


def noise(seed: int, name: int, slot: int, span: int) -> int:
    """Return a number 0..span-1 that depends on the arguments only."""
    mixed = (seed * 0x9E3779B1 + name * 0x85EBCA6B + slot * 0xC2B2AE35) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 12)) * 0x297A2D39) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 15)) * span) >> 32


def is_summer(time: int) -> bool:
    """European summer time: last Sunday of March, 01:00 UTC, to last Sunday of October."""
    year = civil(time)[0]
    return _last_sunday(year, 3) + 3600 <= time < _last_sunday(year, 10) + 3600


def local(time: int) -> int:
    """Central European local time of a UTC time."""
    return time + (7200 if is_summer(time) else 3600)


def civil(time: int) -> tuple[int, int, int, int, int, int]:
    """(year, month, day, hour, minute, second) of Unix seconds."""
    days, rest = divmod(time, 86400)
    era_day = days + 719468
    era, day_of_era = divmod(era_day, 146097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (1 if month <= 2 else 0)
    return year, month, day, rest // 3600, rest // 60 % 60, rest % 60


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date."""
    if month <= 2:
        year -= 1
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return (
        era * 146097
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + (day_of_year - 719468)
    )


def _last_sunday(year: int, month: int) -> int:
    day = days_from_civil(year, month, 31)
    return (day - (day + 4) % 7) * 86400  # 1970-01-01 was a Thursday


def is_night(time: int, starts: int, ends: int) -> bool:
    """Night tariff: from hour `starts` to hour `ends`, and all weekend, local time."""
    days, seconds = divmod(local(time), 86400)
    return (days + 4) % 7 in (0, 6) or not ends <= seconds // 3600 < starts


def night_first(time: int) -> int:
    """Dutch order: register 0 (tariff 1) is the night, 1 is the day."""
    return 0 if is_night(time, 23, 7) else 1


def day_first(time: int) -> int:
    """Belgian order: register 0 (tariff 1) is the day, 1 is the night."""
    return 1 if is_night(time, 22, 7) else 0


def load_w(seed: int, time: int) -> tuple[int, int, int]:
    """Consumption of the three phases in W at a moment; less than IMPORT_RATE_W together."""
    day, second = divmod(local(time), 86400)
    hour = second // 3600
    one = 150 + noise(seed, 1, time // 60, 40) + noise(seed, 2, time, 7)
    two = 31 + noise(seed, 13, time // 30, 9)  # standby
    three = 12 + noise(seed, 14, time // 30, 5)
    if 17 <= hour < 23:  # lights and television
        one += 220 + noise(seed, 3, time // 600, 120)
    if (time + noise(seed, 4, 0, 2700)) % 2700 < 900:  # the fridge's compressor
        two += 82 + noise(seed, 5, time // 10, 6)
    if 7 <= hour < 22:  # a kettle in one of four half hours, for three minutes
        slot, within = divmod(time, 1800)
        starts = noise(seed, 6, slot, 1500)
        if noise(seed, 7, slot, 4) == 0 and starts <= within < starts + 180:
            three += 1990 + noise(seed, 8, time, 20)
    cooking = second - 17 * 3600 - 1800
    heats = 0 <= cooking < 600 or (600 <= cooking < 4500 and cooking % 180 < 60)
    if heats and noise(seed, 9, day, 3):  # the oven: up to heat, then its thermostat
        two += 2090 + noise(seed, 10, time, 20)
    washing = second - 10 * 3600
    if noise(seed, 11, day, 3) == 0 and 0 <= washing < 5400:
        three += 1900 if 300 <= washing < 1200 else 180 + noise(seed, 12, time, 60)
    return one, two, three


def solar_w(seed: int, time: int) -> int:
    """What the panels deliver in W: the sun over 51.5 N, 5 E, through drifting clouds."""
    day_angle = 2 * math.pi * ((time // 86400 - 10) % 365.2425) / 365.2425
    declination = -0.4093 * math.cos(day_angle + 2 * math.pi * 21 / 365.2425)
    hour_angle = 2 * math.pi * (time % 86400 / 86400 - 0.5 + 5 / 360)
    height = math.sin(0.899) * math.sin(declination) + math.cos(0.899) * math.cos(
        declination
    ) * math.cos(hour_angle)
    if height <= 0:
        return 0
    overcast = noise(seed, 20, time // 86400, 80)  # per cent that this day's clouds can take
    slot, within = divmod(time, 600)
    clouds = noise(seed, 21, slot, 100) * (600 - within) + noise(seed, 21, slot + 1, 100) * within
    clear = 3600 * height**1.15
    return int(clear * (1 - overcast * clouds / 6000000)) + noise(seed, 22, time, 5)


class House:
    """One house and the counters of its meters, integrated second by second."""

    def __init__(self, seed: int, time: int, tariff) -> None:
        self.seed = seed
        self.time = time
        self._tariff = tariff
        age = max(0, time - _EPOCH)
        # No two registers alike, so that none can be taken for another unnoticed.
        self._import_ws = [age * IMPORT_RATE_W + wh * 3600 for wh in (4281337, 1906742)]
        self._export_ws = [age * EXPORT_RATE_W + wh * 3600 for wh in (310518, 1207993)]
        self._reactive_ws = age * 100
        self.gas_dm3 = age * _GAS_RATE_DM3_H // 3600
        self.water_dm3 = age * _WATER_RATE_DM3_H // 3600
        self.slot_time = time // _SLOT_S * _SLOT_S  # when gas and water were read last
        self.gas_hour_dm3 = self.gas_dm3
        self.gas_hour_time = time // 3600 * 3600
        self._quarter_ws = 0
        self.peak_w = 0
        self.peak_time = 0  # the end of the quarter hour with the month's peak; 0: none yet
        self.months: list[tuple[int, int, int]] = []  # (month's end, peak's time, peak in W)
        self._invent_months()
        self._measure()

    def import_wh(self, register: int) -> int:
        """Energy taken from the grid under a tariff."""
        return self._import_ws[register] // 3600

    def export_wh(self, register: int) -> int:
        """Energy fed into the grid under a tariff."""
        return self._export_ws[register] // 3600

    @property
    def reactive_varh(self) -> int:
        """Reactive energy, inductive."""
        return self._reactive_ws // 3600

    @property
    def tariff(self) -> int:
        """The register (0 or 1) that counts now."""
        return self._tariff(self.time)

    @property
    def demand_w(self) -> int:
        """The running quarter hour's energy as if it were spread over the whole quarter."""
        return self._quarter_ws // _QUARTER_S

    def advance(self, time: int) -> None:
        """Let time pass: in steps of a second, or of 20 when more than a quarter hour passes."""
        step_s = 1 if time - self.time <= _QUARTER_S else 20
        while self.time < time:
            left = _QUARTER_S - self.time % _QUARTER_S
            self._count(min(step_s, left, time - self.time))
        self._measure()

    def _count(self, seconds: int) -> None:
        register = self._tariff(self.time)
        net = sum(load_w(self.seed, self.time)) - solar_w(self.seed, self.time)
        if net > 0:
            self._import_ws[register] += net * seconds
            self._quarter_ws += net * seconds
        else:
            self._export_ws[register] -= net * seconds
        self._reactive_ws += abs(net) // 10 * seconds
        self.time += seconds
        if self.time % _SLOT_S == 0:
            self._read_gas_and_water()
        if self.time % _QUARTER_S == 0:
            self._end_quarter()

    def _read_gas_and_water(self) -> None:
        slot = self.time // _SLOT_S
        self.slot_time = self.time
        self.gas_dm3 += noise(self.seed, 30, slot, _GAS_RATE_DM3_H // 12)
        if noise(self.seed, 31, slot, 6) == 0:
            self.water_dm3 += noise(self.seed, 32, slot, _WATER_RATE_DM3_H // 12)
        if self.time % 3600 == 0:
            self.gas_hour_time = self.time
            self.gas_hour_dm3 = self.gas_dm3

    def _end_quarter(self) -> None:
        average_w = self._quarter_ws // _QUARTER_S
        self._quarter_ws = 0
        if average_w > self.peak_w:
            self.peak_w = average_w
            self.peak_time = self.time
        if local(self.time) % 86400 == 0 and civil(local(self.time))[2] == 1:
            self.months.append((self.time, self.peak_time, self.peak_w))
            del self.months[:-13]
            self.peak_w = self.peak_time = 0

    def _invent_months(self) -> None:
        """Give the two months before the start a peak, and the running month one if it is old."""
        year, month = civil(local(self.time))[:2]
        for back in (1, 0):
            total = year * 12 + month - 1 - back
            end = _local_midnight(total // 12, total % 12 + 1)
            peak_day = 2 + noise(self.seed, 40, total, 20)
            before = total - 1
            peak = _local_midnight(before // 12, before % 12 + 1) + peak_day * 86400 + 68400
            self.months.append((end, peak, 2000 + noise(self.seed, 41, total, 2500)))
        begin = self.months[-1][0]
        if self.time - begin > 86400:
            self.peak_time = begin + 68400
            self.peak_w = 1800 + noise(self.seed, 42, begin, 900)

    def _measure(self) -> None:
        one, two, three = load_w(self.seed, self.time)
        one -= solar_w(self.seed, self.time)
        self.phases_w = (one, two, three)
        self.power_w = one + two + three
        slot = self.time // 20
        self.volts_d = tuple(  # a loaded phase sags, the sun lifts it; in 0.1 V
            2305 + noise(self.seed, 50 + phase, slot, 30) - watts // 150
            for phase, watts in enumerate(self.phases_w)
        )
        self.amps_c = tuple(  # in 0.01 A; P = U * I
            (abs(watts) * 1000 + volts // 2) // volts
            for watts, volts in zip(self.phases_w, self.volts_d, strict=True)
        )


def _local_midnight(year: int, month: int) -> int:
    """UTC of the first moment of a month, local time."""
    midnight = days_from_civil(year, month, 1) * 86400
    return midnight - (7200 if is_summer(midnight - 3600) else 3600)
