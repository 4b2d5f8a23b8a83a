"""The address of a host: what is one already costs nothing, a name loads net/dns.

await address.of("192.168.1.10")        # the same
await address.of("broker.example")      # "192.0.2.7", or NetError
"""


async def of(host: str, timeout_ms: int = 5000) -> str:
    """Return the IPv4 address of a host as text; raises NetError with the reason."""
    if _is_plain(host):
        return host
    from . import dns

    return await dns.resolve(host, timeout_ms)


def _is_plain(host: str) -> bool:
    """True for four numbers below 256; anything doubtful is for net/dns to judge."""
    parts = host.split(".")
    for part in parts:
        if not part.encode().isdigit() or str(int(part)) != part or int(part) > 255:
            return False
    return len(parts) == 4
