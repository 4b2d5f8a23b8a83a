"""The simulated meter of `type: "modbus"`: on the line of the PZEMs, or in the network."""

from tools.sim import modbus_tcp, pzem


def start(entry: dict, speed: int = 1) -> str:
    """Start the meter of a reader's entry; its device, or its host and port."""
    return (modbus_tcp if entry.get("host") == "sim" else pzem).start(entry, speed)
