"""What many rows of a table end with: the tables of devices have it in short.

finished("power | em:0/act_power | W | 1 | {W}")      # "… | 1 | W | measurement | power"
"""

_ENDS = (
    ("{E}", "kWh | total_increasing | energy"),
    ("{W}", "W | measurement | power"),
    ("{V}", "V | measurement | voltage | 0..500"),
    ("{A}", "A | measurement | current"),
    ("{F}", "Hz | measurement | frequency | 0..70"),
    ("{T}", "°C | measurement | temperature"),
    ("{P}", " | measurement | power_factor | -1..1"),
)


def finished(text: str) -> str:
    """The rows with their ends."""
    for mark, end in _ENDS:
        text = text.replace(mark, end)
    return text
