"""TLS contexts from a config entry: the certificate is checked, or the config says that it is not.

    context = tls.context({"url": "https://influx.example", "ca": "/certs/ca.pem"})

A board has no list of certificate authorities: `ca` names the one that signed the server's
certificate (a PEM or DER file, or the PEM text itself). A computer uses its own list without `ca`.
The ESP8266 cannot check certificates, so it refuses TLS unless the entry says `verify: False`.
"""

import sys

from ..errors import ConfigError

# Rows for the SCHEMA of every sink that can use TLS.
SCHEMA = """
ca | text | null | certificate of the authority that signed the server's (PEM or DER file)
verify | bool | true | check the server's certificate; false: anybody can pretend to be it
"""

_SECURE = ("https:", "mqtts:")


def context(entry: dict):
    """Return the SSLContext for an entry, or None for one without TLS.

    TLS is wanted when the entry's `url` says https or mqtts, and in an entry without `url`.
    Raises ConfigError for what cannot work or would be less safe than it looks.
    """
    url = entry.get("url")
    if url is not None and not url.lower().startswith(_SECURE):
        return None
    verify = entry.get("verify", True)
    if verify and sys.platform == "esp8266":
        raise ConfigError(
            "verify: an ESP8266 cannot check certificates; use an ESP32, or http in your own "
            "network, or say verify: False"
        )
    # A sink without TLS does not pay for them.
    from . import certificates, handshake  # noqa: F401 - its user imports it when there is no time

    return certificates.context(verify, entry.get("ca"))
