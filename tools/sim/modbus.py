"""The simulated meter of `type: "modbus"`: an Eastron on the same line as the simulated PZEMs."""

from tools.sim.pzem import start

__all__ = ["start"]
