"""What a UART hears on a serial line: at its own settings, at wrong ones, or upside down.

A line is a row of levels, one per bit time of the sender: 1 is idle and stop, 0 is start.

    sent = levels(b"/ISk5", "7E1")
    hear(sent, 9600, 9600, "7E1")              # b"/ISk5"
    hear(sent, 9600, 115200, "8N1")            # what a listener at 115200 makes of it
    hear(inverted(sent), 9600, 9600, "8N1")    # what it makes of an inverted line
"""

MODES = {"8N1": (8, False), "7E1": (7, True)}


def bits_per_byte(mode: str) -> int:
    """Bit times that one byte takes: 10 in both modes of a P1 port."""
    data_bits, parity = MODES[mode]
    return 2 + data_bits + (1 if parity else 0)


def levels(data: bytes, mode: str, idle: int = 20) -> bytearray:
    """The levels of bytes sent back to back, with some idle time before and after."""
    data_bits, parity = MODES[mode]
    line = bytearray(b"\x01" * idle)
    for byte in data:
        bits = [byte >> index & 1 for index in range(data_bits)]
        if parity:
            bits.append(sum(bits) & 1)
        line.append(0)
        line.extend(bits)
        line.append(1)
    line.extend(b"\x01" * idle)
    return line


def inverted(line: bytes) -> bytearray:
    """The same line with both levels exchanged: it idles low."""
    return bytearray(1 - level for level in line)


def hear(line: bytes, sent_baud: int, baud: int, mode: str) -> bytes:
    """The bytes that a UART at baud and mode reports.

    As on real UARTs in raw mode, a byte whose stop bit is wrong is reported as it is, and a
    start bit is a falling edge, so that nothing is heard on a line that stays low.
    """
    data_bits, parity = MODES[mode]
    step = sent_baud / baud  # bit times of the sender per bit time of the listener
    last_bit = 1 + data_bits + (1 if parity else 0)
    heard = bytearray()
    position = 1
    while True:
        edge = line.find(b"\x01\x00", position - 1) + 1
        if edge == 0 or edge + (last_bit + 0.5) * step >= len(line):
            return bytes(heard)
        if line[int(edge + step / 2)]:  # a glitch, no start bit
            position = edge + 1
            continue
        byte = 0
        for index in range(data_bits):
            byte |= line[int(edge + (1.5 + index) * step)] << index
        heard.append(byte)
        position = int(edge + (last_bit + 0.5) * step) + 1
