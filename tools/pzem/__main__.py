"""Find PZEM meters, set their addresses, reset their energy counters, read them once.

    python3 -m tools.pzem /dev/ttyUSB0 find              # through a USB RS485 or TTL adapter
    python3 -m tools.pzem /dev/ttyUSB0 read 1
    python3 -m tools.pzem /dev/ttyUSB0 set 1 2           # the meter at 1 becomes 2
    python3 -m tools.pzem /dev/ttyUSB0 reset 2           # asks first; --yes does not
    python3 -m tools.pzem --board --uart 2 --de 4 /dev/ttyACM0 find

The last form lets a board with JouleLog on it talk to the meters, on its own UART: the firmware
stops, so reset the board afterwards. A new meter has address 1: connect one at a time, and give
each its own. Address 248 reaches a meter that is alone on the line, whatever its address is.

Exit status: 0 done, 1 the meter did not do it, 2 the command line cannot work, 3 no such port.
"""

import argparse
import re
import subprocess
import sys
from importlib.util import find_spec

import machine

from tools import ROOT
from tools.pzem import board

_COMMANDS = {"find": (), "read": ("address",), "set": ("address", "new"), "reset": ("address",)}


def options(arguments: list[str] | None) -> argparse.Namespace:
    """The command line, checked; exits with status 2 and a message where it cannot work."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0],
        epilog="addresses are 1 to 247; 248 reaches a meter that is alone",
    )
    add = parser.add_argument
    add("port", help="serial device of the adapter, or of the board")
    add("command", choices=list(_COMMANDS))
    add("numbers", nargs="*", type=int, metavar="ADDRESS", help="read A, set A NEW, reset A")
    add("--stop", type=int, choices=(1, 2), default=1, help="stop bits; 2 for PZEM-003 and 017")
    add("--yes", action="store_true", help="reset without asking")
    add("--board", action="store_true", help="PORT is a board with JouleLog; use its UART")
    add("--uart", type=int, help="number of the board's UART")
    for pin in ("tx", "rx", "de"):
        add(f"--{pin}", type=int, metavar="GPIO", help="of the board")
    found = parser.parse_args(arguments)
    names = _COMMANDS[found.command]
    if len(found.numbers) != len(names):
        parser.error(f"{found.command} takes {len(names)} numbers: {' '.join(names) or 'none'}")
    found.address, found.new = (*found.numbers, 1, 0)[:2]
    if not 1 <= found.address <= 248:
        parser.error(f"address {found.address}; allowed: 1 to 247, or 248")
    if found.board and found.uart is None:
        parser.error("--board needs --uart, the number of the board's UART")
    return found


def on_computer(wanted: argparse.Namespace, command: str) -> int:
    """Do a command through an adapter; the exit status."""
    try:
        uart = machine.UART(wanted.port, 9600, bits=8, parity=None, stop=wanted.stop)
    except OSError as problem:
        print(f"pzem: {problem.strerror or problem}", file=sys.stderr)
        return 3
    try:
        board.run(board.Port(uart), command, wanted.address, wanted.new)
    except board.Failed as problem:
        print(f"pzem: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"pzem: {problem.strerror or problem}", file=sys.stderr)
        return 3
    finally:
        uart.deinit()
    return 0


def on_board(wanted: argparse.Namespace, command: str) -> int:
    """Let a board do a command; the exit status."""
    if find_spec("mpremote") is None:
        print("pzem: --board needs mpremote: pip install mpremote", file=sys.stderr)
        return 2
    names = ["uart", "tx", "rx", "de", "stop", "address", "new"]
    given = [f"{name}={getattr(wanted, name)!r}" for name in names]
    settings = "; ".join([f"command={command!r}", *given])
    script = str(ROOT / "tools/pzem/board.py")
    line = [sys.executable, "-m", "mpremote", "connect", wanted.port]
    done = subprocess.run(
        [*line, "exec", settings, "run", script], capture_output=True, text=True, check=False
    )
    print(done.stdout.strip())
    if done.returncode:
        print(f"pzem: {done.stderr.strip()[-600:]}", file=sys.stderr)
        return 3
    return 1 if re.search(r"^pzem: ", done.stdout, re.M) else 0


def main(arguments: list[str] | None = None) -> int:
    wanted = options(arguments)
    act = on_board if wanted.board else on_computer
    if wanted.command != "reset" or wanted.yes:
        return act(wanted, wanted.command)
    status = act(wanted, "read")
    if status:
        return status
    try:
        said = input("Set this energy counter to 0? It cannot be undone. Type yes: ")
    except EOFError:
        said = ""
    if said.strip().lower() != "yes":
        print("nothing was changed")
        return 1
    return act(wanted, "reset")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
