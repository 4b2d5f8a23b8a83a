"""The TLS context itself: certificates read and checked. tls.py loads it where TLS is used.

context = certificates.context(True, "/certs/ca.pem")
certificates.certificates("/certs/ca.pem")            # the DER certificates of a file or a text
"""

import binascii
import os
import sys

from ..errors import ConfigError

_BOARD = sys.implementation.name == "micropython"

# `tls` is in every image that has TLS, where `ssl` may be missing. Imported by its name as text:
# tools that read this file would take `tls` for the module beside it.
ssl = __import__("tls" if _BOARD else "ssl")

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"
_MAX_CA_BYTES = 8192


def context(verify: bool, ca: str | None):
    """Return an SSLContext; ConfigError for a certificate that cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        if hasattr(made, "check_hostname"):
            made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    made.verify_mode = ssl.CERT_REQUIRED
    if ca:
        _load(made, certificates(ca))
    elif _BOARD:
        raise ConfigError(
            "ca: needed for TLS: the file with the certificate of the authority that signed the "
            'server\'s (such as "/ca.pem"), or say verify: False'
        )
    else:
        made.load_default_certs()
    return made


def certificates(ca: str) -> list[bytes]:
    """Return the DER certificates of a PEM or DER file, or of PEM text; else ConfigError."""
    if _BEGIN in ca:
        return _from_pem(ca, "the text")
    try:
        size = os.stat(ca)[6]
        with open(ca, "rb") as file:
            # Not one byte more than there is: a board would set the room aside.
            data = file.read(min(size, _MAX_CA_BYTES))
    except OSError:
        raise ConfigError('ca: there is no file "%s" that can be read' % ca)
    if size > _MAX_CA_BYTES:
        raise ConfigError(
            'ca: "%s" is longer than %d bytes: give the one authority that is needed'
            % (ca, _MAX_CA_BYTES)
        )
    if data[:1] == b"\x30":
        return [data]
    try:
        return _from_pem(data.decode(), '"%s"' % ca)
    except UnicodeError:
        raise ConfigError('ca: "%s" is neither PEM nor DER' % ca)


def _from_pem(text: str, where: str) -> list[bytes]:
    found = []
    for block in text.split(_BEGIN)[1:]:
        end = block.find(_END)
        if end < 0:
            raise ConfigError("ca: %s is cut off: %s is missing" % (where, _END))
        try:
            found.append(binascii.a2b_base64("".join(block[:end].split())))
        except ValueError:
            raise ConfigError("ca: %s is damaged: it is no base64" % where)
    if not found:
        raise ConfigError("ca: %s holds no certificate (%s)" % (where, _BEGIN))
    return found


def _load(made, ders: list[bytes]) -> None:
    for der in ders:
        try:
            if _BOARD:
                made.load_verify_locations(der)
            else:
                made.load_verify_locations(cadata=der)
        except (ValueError, OSError):  # ssl.SSLError is an OSError
            raise ConfigError("ca: this certificate cannot be read; is the file complete?")
