"""Any meter that speaks Modbus RTU, by a table of its registers.

    readers = [
        {"type": "modbus", "uart": 2, "address": 1, "meter": "sdm120", "baud": 2400},
        {"type": "modbus", "uart": 1, "address": 7, "registers": [
            "voltage | 0 | u16 | 1 | V | measurement | voltage",
            "energy_import | 3:0x10 | u64 | 2 | kWh | total_increasing | energy | 0..999999",
        ]},
    ]

docs/registers.md says what a row may hold. Meters may share a UART, PZEMs among them.
"""

from modbus.registers import Table

from . import bus, polled

SCHEMA = (
    """\
address   | int 1..247   | required | of the meter
meter     | choice sdm120 sdm230 sdm630 | null | a table that is there (Eastron)
registers | list row     | null     | a table of your own, a row per channel
function  | choice 3 4   | 4        | 3: holding registers, 4: input registers; a row may differ
hole      | int 0..60    | 0        | registers without a row that may be read with the others
most      | int 0..1000000 | 0      | how much a counter can grow in an hour; 0: any
baud      | choice 1200 2400 4800 9600 19200 38400 57600 115200 | 9600 | speed of the line
parity    | choice none even odd | "none" | of the line
stop      | choice 1 2   | 1        | stop bits
""",
    bus.SCHEMA,
)
NEEDS = bus.NEEDS


def line(entry: dict) -> dict:
    """How an entry uses the line."""
    return bus.settings(entry, entry["baud"], entry["parity"], entry["stop"])


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    if (entry["meter"] is None) == (entry["registers"] is None):
        yield "one of `meter` and `registers` is needed, and only one"
    elif entry["registers"] is not None:
        try:
            Table(entry["registers"])
        except ValueError as error:
            yield "`registers`: %s" % error


def keys(entry: dict) -> list[str]:
    """The channels that there are."""
    rows = entry["registers"]
    if rows is None:
        import eastron

        rows = eastron.table(entry["meter"])
    return [channel[0] for channel in Table(rows).channels]


class Reader(polled.Polled):
    """One meter, by its table."""

    def __init__(self, name: str, entry: dict, output, app_clock, board, buses: dict) -> None:
        its_bus = bus.of(buses, board, entry, line(entry))
        rows, hole, function = entry["registers"], entry["hole"], entry["function"]
        if entry["meter"]:
            import eastron

            output.identify("Eastron", entry["meter"].upper(), None)
            rows, hole, function = eastron.table(entry["meter"]), eastron.HOLE, eastron.FUNCTION
        table = Table(rows, hole, function)
        polled.Polled.__init__(self, name, entry, output, app_clock, its_bus, table, entry["most"])
