"""Any meter that speaks Modbus, on a line or in the network, by a table of its registers.

    readers = [
        {"type": "modbus", "uart": 2, "address": 1, "meter": "sdm120", "baud": 2400},
        {"type": "modbus", "uart": 1, "address": 7, "registers": [
            "voltage | 0 | u16 | 1 | V | measurement | voltage",
            "energy_import | 3:0x10 | u64 | 2 | kWh | total_increasing | energy | 0..999999",
        ]},
        {"type": "modbus", "host": "192.168.1.5", "address": 1, "meter": "sunspec"},
    ]

docs/registers.md says what a row may hold. Meters may share a UART, PZEMs among them, or a
gateway. SunSpec devices say themselves what they are: sunspec_device.py.
"""

from modbus.registers import Table

from . import bus, polled

SCHEMA = (
    """\
uart      | bus          | null | of the board, for a meter on a line; else a device path or "sim"
host      | host         | null | instead of `uart`: name or address of a gateway or device
port      | int 1..65535 | 502  | of the host
framing   | choice tcp rtu | "tcp" | over the network: tcp: Modbus TCP; rtu: the frames of a line
address   | int 0..255   | required | of the meter; on a line 1 to 247
meter     | choice sdm120 sdm230 sdm630 sunspec | null | a table that is there (Eastron, SunSpec)
which     | int 1..40    | 1        | of a SunSpec device's inverters and meters: 1 is the first
registers | list row     | null     | a table of your own, a row per channel
function  | choice 3 4   | 4        | 3: holding registers, 4: input registers; a row may differ
hole      | int 0..60    | 0        | registers without a row that may be read with the others
most      | int 0..1000000 | 0      | how much a counter can grow in an hour; 0: any
baud      | choice 1200 2400 4800 9600 19200 38400 57600 115200 | 9600 | speed of the line
parity    | choice none even odd | "none" | of the line
stop      | choice 1 2   | 1        | stop bits
timeout_ms | int 20..10000 | null   | how long it may think; null: 250 on a line, 2000 else
""",
    bus.SCHEMA,
)
NEEDS = bus.NEEDS + ("network",)


def line(entry: dict) -> dict:
    """How an entry uses the line, or the connection."""
    if entry["uart"] is None:
        return {"framing": entry["framing"]}
    return bus.settings(entry, entry["baud"], entry["parity"], entry["stop"])


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    if (entry["uart"] is None) == (entry["host"] is None):
        yield "one of `uart` and `host` is needed, and only one: a line, or an address"
    elif entry["host"] is None and not 1 <= entry["address"] <= 247:
        yield "`address` is %d; allowed on a line is 1 to 247" % entry["address"]
    for key in ("tx", "rx", "de"):
        if entry["host"] is not None and entry[key] is not None:
            yield "`%s` is a pin of a line; leave it out where `host` is given" % key
    if (entry["meter"] is None) == (entry["registers"] is None):
        yield "one of `meter` and `registers` is needed, and only one"
    elif entry["registers"] is not None:
        try:
            Table(entry["registers"])
        except ValueError as error:
            yield "`registers`: %s" % error
    if entry["which"] > 1 and entry["meter"] != "sunspec":
        yield '`which` is for `meter` "sunspec"; leave it out'


def keys(entry: dict) -> list[str] | None:
    """The channels that there are; None: only the device knows."""
    rows = entry["registers"]
    if entry["meter"] == "sunspec":
        return None
    if rows is None:
        import eastron

        rows = eastron.table(entry["meter"])
    return [channel[0] for channel in Table(rows).channels]


class Reader(polled.Polled):
    """One meter, by its table."""

    _device = None  # what knows a SunSpec device

    def __init__(
        self, name: str, entry: dict, output, app_clock, board, buses: dict, network
    ) -> None:
        if entry["host"] is None:
            its_line = bus.of(buses, board, entry, line(entry))
        else:
            from . import modbus_host

            its_line = modbus_host.of(buses, entry, network)
        rows, hole, function = entry["registers"], entry["hole"], entry["function"]
        if entry["meter"] == "sunspec":
            from . import sunspec_device

            table = None
            self._device = sunspec_device.Finder()
        else:
            if entry["meter"]:
                import eastron

                output.identify("Eastron", entry["meter"].upper(), None)
                rows, hole, function = (
                    eastron.table(entry["meter"]),
                    eastron.HOLE,
                    eastron.FUNCTION,
                )
            table = Table(rows, hole, function)
        polled.Polled.__init__(
            self, name, entry, output, app_clock, its_line, table, entry["most"]
        )
        if entry["host"] is not None:
            self.who += " at " + entry["host"]

    async def _read(self) -> list | None:
        if self._device and not await self._device.found(self):
            return None
        return await polled.Polled._read(self)

    def _decode(self, payloads: list) -> list | None:
        values = polled.Polled._decode(self, payloads)
        return self._device.checked(self, values) if self._device else values
