"""Peacefair PZEM energy monitors: their registers and commands, as data for lib/modbus.

    from modbus.registers import Table
    table = Table(pzem.TABLES["ac"])       # PZEM-004T v3, PZEM-014, PZEM-016
    table = Table(pzem.TABLES["dc"])       # PZEM-003, PZEM-017

All values are unsigned, 32 bits come low word first, input registers are read with function 4.
The limits are what the meters can measure, with some room: 4281 V is garbage.
A DC meter refuses to read more than its 8 registers with exception 2: that tells the two apart.
"""

from micropython import const

TABLES = {
    "ac": """
voltage      | 0 | u16   | 1 | V   | measurement      | voltage      | 0..400
current      | 1 | u32lo | 3 | A   | measurement      | current      | 0..130
power        | 3 | u32lo | 1 | W   | measurement      | power        | 0..30000
energy       | 5 | u32lo | 3 | kWh | total_increasing | energy       | 0..10000
frequency    | 7 | u16   | 1 | Hz  | measurement      | frequency    | 0..70
power_factor | 8 | u16   | 2 |     | measurement      | power_factor | 0..1
alarm        | 9 | flag  | 0 |     | flag             |
""",
    "dc": """
voltage       | 0 | u16   | 2 | V   | measurement      | voltage | 0..350
current       | 1 | u16   | 2 | A   | measurement      | current | 0..350
power         | 2 | u32lo | 1 | W   | measurement      | power   | 0..100000
energy        | 4 | u32lo | 3 | kWh | total_increasing | energy  | 0..10000
alarm_high    | 6 | flag  | 0 |     | flag             |
alarm_low     | 7 | flag  | 0 |     | flag             |
""",
}

# Per model: the most power there can be in W, and the stop bits that its manual asks for.
MOST_POWER_W = {"ac": 30000, "dc": 100000}
STOP_BITS = {"ac": 1, "dc": 2}

GENERAL_ADDRESS = const(0xF8)  # the only meter on a bus answers to it, whatever its address is
ADDRESS_REGISTER = const(2)  # holding register, 1 to 247
ALARM_POWER_REGISTER = const(1)  # holding register of the AC meters, W
