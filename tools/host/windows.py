"""Windows as the firmware expects a computer to be: what Python does otherwise there.

    windows.adapt()      # before the firmware is imported; does nothing elsewhere

A file is renamed over another one, as on a board. How much room a disk has, that a socket has no
data yet, and which name server there is, is told as elsewhere. The event loop is the one that can
watch sockets, which aiomqtt needs. The console understands what redraws a table.
"""

import asyncio
import errno
import os
import shutil
import types


def adapt() -> None:
    """Make the differences small; each by what is missing, so that tests can hide it."""
    if not hasattr(os, "statvfs"):
        os.statvfs = _statvfs  # type: ignore[attr-defined]
    if os.name != "nt":
        return
    os.rename = os.replace
    errno.EAGAIN = errno.EWOULDBLOCK  # type: ignore[misc] - of sockets
    os.system("")  # noqa: S605, S607 - turns the console's escape sequences on
    selecting = getattr(asyncio, "WindowsSelectorEventLoopPolicy", None)
    if selecting:
        asyncio.set_event_loop_policy(selecting())
    import network

    network._name_server = lambda: name_server(network._address())


def _statvfs(path: str) -> tuple:
    """MicroPython's os.statvfs: blocks of a kilobyte."""
    total, _, free = shutil.disk_usage(path)
    blocks = total // 1024, free // 1024, free // 1024
    return (1024, 1024, *blocks, 0, 0, 0, 0, 255)


def name_server(own_address: str, registry: types.ModuleType | None = None) -> str:
    """The name server of the network card that has this address; else of any."""
    if registry is None:
        import winreg as registry  # type: ignore[import-not-found, no-redef]
    assert registry
    found = []
    place = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces"
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, place) as cards:
        for number in range(registry.QueryInfoKey(cards)[0]):
            with registry.OpenKey(cards, registry.EnumKey(cards, number)) as card:
                servers = _words(registry, card, "NameServer")
                servers = servers or _words(registry, card, "DhcpNameServer")
                addresses = _words(registry, card, "IPAddress")
                addresses += _words(registry, card, "DhcpIPAddress")
                if servers:
                    found.append((own_address not in addresses, servers[0]))
    return min(found)[1] if found else "127.0.0.1"


def _words(registry: types.ModuleType, card: object, name: str) -> list[str]:
    try:
        value = registry.QueryValueEx(card, name)[0]
    except OSError:  # it is not said
        return []
    return " ".join(value).split() if isinstance(value, list) else value.replace(",", " ").split()
