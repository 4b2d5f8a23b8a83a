"""The address of a host: what is one already costs nothing, a name loads net/dns.

await address.of("192.168.1.10")        # the same
await address.of("broker.example")      # "192.0.2.7", or NetError
address.forget("broker.example")        # it may have moved
"""

from . import is_address


async def of(host: str, timeout_ms: int = 5000) -> str:
    """Return the IPv4 address of a host as text; raises NetError with the reason."""
    if is_address(host):
        return host
    from . import dns

    return await dns.resolve(host, timeout_ms)


def forget(host: str) -> None:
    """A name is looked up again the next time."""
    if not is_address(host):
        from . import dns

        dns.forget(host)
