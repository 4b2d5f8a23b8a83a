"""What an entry says of a server's address, of TLS and of files: what its keys mean together.

    for problem in servers.problems(entry, board, ("password",)):     # secrets: keys that are
        print(problem)                    # "`ca` is given without `tls`; give `tls`: True, or ..."

Every entry with `ca` has what net/tls says. Files are looked for where the config runs: not where
a computer checks the config of a board. Needed at start only.
"""

import os
import sys

from .types import shown

_TELLING = 6  # characters that stand nowhere by chance
_BOARD = sys.implementation.name == "micropython"


def problems(entry: dict, board, secrets):
    """Yield one text per problem of an entry that is otherwise fine."""
    url = entry.get("url") or ""
    for key in secrets:
        if len(entry.get(key) or "") >= _TELLING and entry[key] in url:
            yield "`url` holds the text of `%s`; leave it out there" % key
            break
    if "ca" in entry:
        yield from _tls(entry, url, board)


def _tls(entry: dict, url: str, board):
    ca = entry["ca"]
    if not (entry["tls"] if "tls" in entry else url.lower().startswith(("https:", "mqtts:"))):
        if ca and url:
            yield "`ca` is given, but `url` begins with http:, which is not encrypted; give https:"
        elif ca:
            yield "`ca` is given without `tls`; give `tls`: True, or leave `ca` out"
    elif not entry["verify"]:
        pass
    elif getattr(board, "CHIP", "") == "esp8266":
        yield "an ESP8266 cannot check certificates; say `verify`: False, or use an ESP32"
    elif ca:
        if "-----BEGIN" not in ca and is_missing(ca, board):
            yield "`ca` is %s, which is not there" % shown(ca)
    elif _BOARD or board.NAME != "HOST":
        text = "`ca` is missing: the file with the certificate of the authority that signed the "
        yield text + 'server\'s, such as "/ca.pem"; or say `verify`: False'


def is_missing(path: str, board) -> bool:
    """Whether a file ought to be here and is not."""
    if not _BOARD and board.NAME != "HOST":
        return False
    try:
        os.stat(path)
        return False
    except (OSError, ValueError):  # a zero in it is none of the first
        return True
