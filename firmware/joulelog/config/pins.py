"""The pins that a config's entries take: what cannot work is said at the start, in good words.

    taken = {}                        # GPIO -> who has it; one for a whole config
    for problem in pins.claim("readers[1] (pzem)", entry, line, board, taken, uarts):
        print(problem)                # as below; a bus is shared, its pins are checked once
    for problem in pins.problems("readers[0] (dsmr)", entry, board, taken):
        print(problem)                # "`request_pin` is GPIO 34, which can only receive; ..."

An entry's `tx`, `rx`, `de`, `rts` and `pull` override the board's; what it does not name comes
from the board's UARTS. Checked: pins that can only receive, pins whose level during a reset keeps
the board from starting (but not where the board itself is wired so), pins with two users, TX and
RX that the chip knows in pairs only. A computer has none of this. Needed at start only.
"""

# Key of an entry -> whether the chip drives the pin. Every key of the type `pin` is in here.
ROLES = (
    ("rx", False),
    ("tx", True),
    ("de", True),
    ("rts", True),
    ("request_pin", True),
    ("pin", False),
)


def claim(where: str, entry: dict, line: dict | None, board, taken: dict, uarts: dict):
    """Yield the problems of an entry's pins; line: how it uses a UART that it shares, or None."""
    if line is None:
        yield from problems(where, entry, board, taken)
        return
    uart = entry["uart"]
    address = entry["address"]
    host = uart is None and (entry["host"], entry["port"])  # a line in the network
    uart = uart or host
    bus = uarts.get(("bus", uart))
    if bus is None:
        if uart in uarts:
            text = "`uart` is %s, which %s uses already; give each its own"
            yield text % (uart, uarts[uart])
            return
        uarts[("bus", uart)] = (where, line, {address: where})
        if uart != "sim" and not host:
            uarts[uart] = where
        yield from problems(where, entry, board, taken)
        return
    first, settings, addresses = bus
    for key in sorted(line):
        if line[key] != settings[key]:
            text = "`%s` is %s, but %s on the same line has %s; give both the same"
            yield text % (key, line[key], first, settings[key])
    if host:  # a device may have several parts
        return
    if address in addresses:
        text = "`address` is %d, which %s has already; give each meter its own"
        yield text % (address, addresses[address])
    elif max(address, max(addresses)) > 247:
        yield "`address` 248 is for a meter that is alone; allowed: 1 to 247, one for each"
    addresses[address] = where


def problems(where: str, entry: dict, board, taken: dict):
    """Yield one text per problem of an entry that is otherwise fine; note its pins in taken."""
    if entry.get("pull") and not getattr(board, "CAN_PULL", False):
        yield "`pull` is given, but a %s has no pull resistor there; solder one" % board.NAME
    if not hasattr(board, "STRAPPING"):  # a computer
        return
    if not taken:
        if board.LED:
            taken[board.LED["pin"]] = "the board's LED"
        for pin in (board.SD or {}).values():
            taken[pin] = "the board's SD card"
    uart = board.UARTS.get(entry.get("uart"), {})
    yield from _pair(entry, uart, board)
    wired = [board.REQUEST]
    for pins in board.UARTS.values():
        wired.extend(pins.values())
    for pins in getattr(board, "UART_PAIRS", ()):
        wired.extend(pins)
    for key, drives in ROLES:
        pin = entry.get(key)
        named = pin is not None
        if not named:
            pin = uart.get(key)
        if pin is None:
            continue
        label = "`%s`" % key if named else "%s of the UART" % key.upper()
        if pin in board.INPUT_ONLY:
            if drives:
                text = "%s is GPIO %d, which can only receive; allowed: %s"
                yield text % (label, pin, _fine(board, taken))
            elif key == "rx" and entry.get("pull") in ("up", "down"):
                yield "`pull` is given, but GPIO %d has no pull resistor; solder one" % pin
        if named and pin not in wired:
            text = "%s is GPIO %d, which decides in a reset how the chip starts (%s); allowed: %s"
            for strap, effect in board.STRAPPING:
                if pin == strap:
                    yield text % (label, pin, effect, _fine(board, taken))
        if pin in taken:
            text = "%s is GPIO %d, which %s uses already; give each its own"
            yield text % (label, pin, taken[pin])
        else:
            taken[pin] = where


def _pair(entry: dict, uart: dict, board):
    """Some chips know TX and RX in fixed pairs only."""
    pairs = getattr(board, "UART_PAIRS", ())
    tx = entry.get("tx")
    rx = entry.get("rx")
    if not uart or not pairs or (tx is None and rx is None) or (tx, rx) in pairs:
        return
    allowed = ["`tx` %d with `rx` %d" % pair for pair in pairs]
    yield "`tx` is %s and `rx` %s; allowed: %s" % (tx, rx, " or ".join(allowed))


def _fine(board, taken: dict) -> str:
    """The pins that are good for everything, and free."""
    strapping = [pin for pin, _ in board.STRAPPING]
    fine = [p for p in board.GPIO if p not in board.INPUT_ONLY and p not in strapping]
    return ", ".join([str(pin) for pin in fine if pin not in taken])
