"""Names to IPv4 addresses without blocking the loop: getaddrinfo stops a board for seconds.

    address = await dns.resolve("broker.example")      # "192.0.2.7", or NetError

Addresses in digits and "localhost" come back at once. A name is looked up in the hosts file where
there is one (a computer), then in a small cache, then asked: `.local` by multicast (RFC 6762),
everything else from the servers that the network told us (RFC 1035).
"""

import os

import dnsq

from .. import clock
from ..errors import NetError
from . import is_address, udp, words

_TRY_MS = 1200  # one server, one question
_ROUNDS = 3
_CACHE_SIZE = 8
_MIN_KEEP_S = 10  # also for a time to live of 0: a batch of requests asks once
_HOSTS = "/etc/hosts"

_cache: dict = {}  # name -> (address, uptime in ms until which it holds)


async def resolve(host: str, timeout_ms: int = 5000) -> str:
    """Return the IPv4 address of a host as text; raises NetError with the reason."""
    if is_address(host):
        return host
    name = host.lower()
    if name == "localhost":
        return "127.0.0.1"
    address, until = _cache.get(name, ("", 0))
    if until <= clock.uptime_ms():
        address = _from_hosts(name)
    if address:
        return address
    deadline = clock.uptime_ms() + timeout_ms
    try:
        found = await _look_up(name, deadline)
    except dnsq.DnsError as error:
        raise NetError('name "%s": %s' % (host, error))
    _keep(name, found)
    return found[0]


def forget(host: str) -> None:
    """Forget what is known about a host: its address did not answer."""
    _cache.pop(host.lower(), None)


def servers() -> list:
    """The name servers to ask, as (address, port)."""
    try:
        import network

        address = network.WLAN(network.STA_IF).ifconfig()[3]
    except (ImportError, AttributeError, OSError):
        return []
    return [(address, dnsq.PORT)] if is_address(address) and address != "0.0.0.0" else []


async def _look_up(name: str, deadline: int) -> tuple[str, int]:
    """Ask each server, or all neighbours by mDNS, three times; the last reason is the error."""
    multicast = name.endswith(".local")
    known = [(dnsq.MDNS_ADDRESS, dnsq.MDNS_PORT)] if multicast else servers()
    reason = "no DNS server answers"
    if multicast:
        reason = "nobody on the local network has this name"
    elif not known:
        reason = "the network has named no DNS server (not connected?)"
    for _ in range(_ROUNDS):
        for address, port in known:
            left_ms = deadline - clock.uptime_ms()
            if left_ms <= 0:
                break
            who = "" if multicast else "DNS server %s: " % address
            try:
                found = await _ask(name, address, port, min(_TRY_MS, left_ms))
                if found:
                    return found
                if not multicast:
                    reason = "DNS server %s does not answer" % address
                continue
            except dnsq.DnsError as error:
                if error.final:
                    raise
                reason = who + str(error)
            except OSError as error:
                reason = who + words(error)
            await clock.sleep_ms(100)
    raise NetError('name "%s": %s' % (name, reason))


async def _ask(name: str, address: str, port: int, timeout_ms: int) -> tuple[str, int] | None:
    """One question to one server, or to the multicast group."""
    multicast = address == dnsq.MDNS_ADDRESS
    ident = int.from_bytes(os.urandom(2), "big")
    question = dnsq.query(name, ident, multicast)
    expected = None if multicast else ident
    return await udp.exchange(
        address, port, question, lambda data: dnsq.answer(data, name, expected), timeout_ms
    )


def _keep(name: str, found: tuple[str, int]) -> None:
    if len(_cache) >= _CACHE_SIZE and name not in _cache:
        oldest = min(_cache, key=lambda known: _cache[known][1])
        del _cache[oldest]
    _cache[name] = (found[0], clock.uptime_ms() + max(found[1], _MIN_KEEP_S) * 1000)


def _from_hosts(name: str) -> str | None:
    """Look into the hosts file of a computer; a board has none."""
    try:
        with open(_HOSTS) as lines:
            for line in lines:
                words_of_line = line.split("#", 1)[0].lower().split()
                if name in words_of_line[1:] and is_address(words_of_line[0]):
                    return words_of_line[0]
    except OSError:
        pass
    return None
