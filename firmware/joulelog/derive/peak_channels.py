"""The channels of the reader peak: which there are, by its scheme, its target and its prices.

    channels = of(entry, scheme, price)

Powers are rounded to 1 W; the cost has all decimals of its product, and the currency as its unit.
"""

from exact import KEY

CHANNELS = (
    ("demand", "W", 0, "measurement", "power"),
    ("demand_forecast", "W", 0, "measurement", "power"),
    ("demand_last", "W", 0, "measurement", "power"),
    ("demand_room", "W", 0, "measurement", "power"),
    ("demand_warning", "", 0, "flag", ""),
    ("peak", "W", 0, "measurement", "power"),
    ("peak_time", "", 0, "time", "timestamp"),
    ("peak_meter", "W", 0, "measurement", "power"),
    ("peak_differs", "", 0, "flag", ""),
    ("peak_month", "W", 0, "measurement", "power"),
    ("peak_mean", "W", 0, "measurement", "power"),
    ("peak_months", "", 0, "measurement", ""),
    ("excess_energy", "kWh", 3, "total", "energy"),
    ("cost", "EUR", 2, "total", "monetary"),
)
_OF_TARGET = ("demand_room", "demand_warning")
_OF_METER = ("peak_meter", "peak_differs")
_OF_POWER = ("peak_month", "peak_mean", "peak_months")
_COST = "cost"


def of(entry: dict, scheme, price) -> tuple:
    """Those that an entry has; the cost with its currency, and with all decimals."""
    without: tuple = _OF_POWER if scheme.excess else ("excess_energy",)
    if not entry["target"]:
        without += _OF_TARGET
    if not scheme.plain():
        without += _OF_METER
    found = []
    for channel in CHANNELS:
        if channel[KEY] == _COST:
            if price.known():
                found.append((_COST, entry["currency"], price.decimals) + channel[3:])
        elif channel[KEY] not in without:
            found.append(channel)
    return tuple(found)
