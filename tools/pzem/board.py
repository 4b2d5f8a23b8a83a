"""PZEM commands on a UART: find, read, set the address, reset the energy counter.

Used by tools/pzem on a computer, and run by it on a board that has JouleLog's lib/:

    python3 -m tools.pzem --board /dev/ttyUSB0 --uart 2 --de 4 find
    mpremote exec "uart = 2; command = 'read'; address = 1" run tools/pzem/board.py

Settings, as names that exist before the script runs: command (find, read, set, reset), uart, tx,
rx, de, stop, address, new.
"""

import time

import exact
import pzem
from modbus import rtu
from modbus.registers import Table

_TIMEOUT_MS = 150
_CHARACTER_US = 1042 + 104  # at 9600 baud, with two stop bits


class Failed(Exception):
    """The text says what happened, and what to do."""


class Port:
    """A UART with PZEMs behind it; de: an object with value(), or None."""

    def __init__(self, uart, de=None) -> None:
        self._uart = uart
        self._de = de
        self._answer = rtu.Answer()
        self._chunk = bytearray(64)
        self.heard = 0  # bytes behind the last request

    def ask(self, request: bytes):
        """The Answer to a request, or None."""
        while self._uart.readinto(self._chunk):
            pass
        self._answer.begin(request)
        if self._de:
            self._de.value(1)
        self._uart.write(request)
        if self._de:
            self._uart.flush()
            self._de.value(0)
        size = len(request) + rtu.answer_length(request) + 4
        left = _TIMEOUT_MS + size * _CHARACTER_US // 1000
        found = False
        while left > 0 and not found:
            time.sleep(0.005)
            left -= 5
            count = self._uart.readinto(self._chunk)
            found = bool(count) and self._answer.take(self._chunk, 0, count)
        self.heard = self._answer.heard
        time.sleep(0.005)
        return self._answer if found else None


def model_at(port: Port, address: int) -> str | None:
    """ "ac", "dc", or None where nobody answers: a DC meter refuses to read 10 registers."""
    for _ in range(2):
        answer = port.ask(rtu.read(address, rtu.READ_INPUT, 0, 10))
        if answer:
            return "dc" if answer.exception else "ac"
    return None


def find(port: Port):
    """Yield (address, model) of all meters: the only one at once, several within a minute."""
    answer = port.ask(rtu.read(pzem.GENERAL_ADDRESS, rtu.READ_HOLDING, pzem.ADDRESS_REGISTER, 1))
    if answer and not answer.exception:
        address = answer.payload[0] << 8 | answer.payload[1]
        yield address, model_at(port, address) or "ac"
        return
    for address in range(1, 248):
        if port.ask(rtu.read(address, rtu.READ_INPUT, 0, 8)):
            yield address, model_at(port, address) or "ac"


def read(port: Port, address: int) -> list:
    """[(key, text, unit)] of a meter's values; Failed where there is none."""
    model = model_at(port, address)
    if model is None:
        raise Failed(_nobody(port, address))
    table = Table(pzem.TABLES[model])
    answer = port.ask(rtu.read(address, rtu.READ_INPUT, 0, table.blocks[0][2]))
    if not answer or answer.exception:
        raise Failed(_nobody(port, address))
    implausible: list = []
    values = table.decode([answer.payload], implausible)
    for channel, value, _, _ in implausible:
        shown = exact.text(value, channel[2])
        raise Failed("%s %s %s cannot be: read again" % (channel[0], shown, channel[1]))
    rows = []
    for channel, value in zip(table.channels, values):
        rows.append((channel[0], exact.text(value, channel[2]), channel[1]))
    return rows


def set_address(port: Port, address: int, new: int) -> None:
    """Give the meter at an address a new one; Failed says why it did not happen."""
    if not 1 <= new <= 247:
        raise Failed("the new address is %d; allowed: 1 to 247" % new)
    if address != pzem.GENERAL_ADDRESS and new != address and model_at(port, new):
        raise Failed("address %d is taken by another meter; nothing was changed" % new)
    if model_at(port, address) is None:
        raise Failed(_nobody(port, address))
    _do(port, rtu.write(address, pzem.ADDRESS_REGISTER, new), "set the address")
    if model_at(port, new) is None:
        raise Failed("the meter does not answer at %d: try `find`" % new)


def reset_energy(port: Port, address: int) -> None:
    """Set the energy counter to 0; Failed says why it did not happen."""
    _do(port, rtu.reset_energy(address), "reset the counter")


def _do(port: Port, request: bytes, what: str) -> None:
    answer = port.ask(request)
    if not answer:
        raise Failed("the meter did not confirm to %s: read it to see" % what)
    if answer.exception:
        why = rtu.REFUSALS.get(answer.exception, "exception %d" % answer.exception)
        raise Failed("the meter refuses to %s: %s" % (what, why))


def _nobody(port: Port, address: int) -> str:
    if port.heard:
        text = "only garbage comes from address %d: swap A and B? two meters with one address?"
    else:
        text = "nobody answers at address %d: mains on the meter's terminals? `find` looks for all"
    return text % address


def run(port: Port, command: str, address: int, new: int) -> None:
    """Do a command and print what it gives; Failed where it cannot be done."""
    if command == "find":
        count = 0
        for found, model in find(port):
            count += 1
            print("address %d: %s" % (found, model))
        if not count:
            raise Failed("no meter found: mains on its terminals, A and B, 5 V, baud rate?")
    elif command == "read":
        for key, text, unit in read(port, address):
            print("%-12s %s %s" % (key, text, unit))
    elif command == "set":
        set_address(port, address, new)
        print("the meter has address %d now" % new)
    else:
        reset_energy(port, address)
        energy = [text for key, text, _ in read(port, address) if key == "energy"]
        print("the energy counter is %s kWh now" % energy[0])


def _on_board(given: dict) -> None:
    import machine

    pins = {name: given[name] for name in ("tx", "rx") if given.get(name) is not None}
    uart = machine.UART(
        given["uart"], 9600, bits=8, parity=None, stop=given.get("stop", 1), **pins
    )
    de = given.get("de")
    port = Port(uart, None if de is None else machine.Pin(de, machine.Pin.OUT, value=0))
    try:
        run(port, given["command"], given.get("address", 1), given.get("new", 0))
    except Failed as error:
        print("pzem:", error)
    finally:
        uart.deinit()


if "command" in globals():
    _on_board(globals())
