"""An update from where it lies on a web server: fetched where it is newer than what runs.

    await newer(url, updates)      # the log says what came of it

Its head comes first, by itself: most of the time that is all. What comes in the second request has
to have the same head, whose signature is known to be right by then.
"""

import logging

import updatefile
from micropython import const
from updatefile import UpdateError

from .. import COMPILED, VERSION, clock
from ..errors import NetError
from ..net import http

_HEAD_MS = const(20000)
_WHOLE_MS = const(900000)
_CHANGED = "the file has changed while it was fetched: it is looked at again"


async def newer(url: str, updates, tls_context=None) -> bool:
    """Take what lies there if it is newer; whether it was taken."""
    log = logging.getLogger("update")
    try:
        status, _, data = await http.request(
            "GET", url, tls_context=tls_context, timeout_ms=_HEAD_MS, limit=updatefile.HEAD
        )
        if status != 200:
            log.warning("no update: HTTP %d", status)
            return False
        head = updatefile.Head(data)
        if not head.is_newer(VERSION, COMPILED):
            log.debug("no newer one than version %s", VERSION)
            return False
        await updates.take(_Fetch(url, data, tls_context).pour, updatefile.HEAD + head.size)
        return True
    except NetError as error:
        log.warning("no update: %s", error)
    except UpdateError as error:
        log.warning("no update: %s", error.args[1])
    return False


class _Fetch:
    """Pours what comes from an address into an update, behind a head that is known."""

    def __init__(self, url: str, head: bytes, tls_context) -> None:
        self._url = url
        self._head = head
        self._tls_context = tls_context
        self._at = 0
        self._write = None

    async def pour(self, write) -> None:
        """See Updates.take()."""
        view = memoryview(self._head)
        while len(view):
            view = view[write.put(view) :]
            await clock.sleep_ms(0)
        while not write.is_signed:
            write.put(b"")
            await clock.sleep_ms(0)
        self._write = write
        try:
            status, _, _ = await http.request(
                "GET",
                self._url,
                tls_context=self._tls_context,
                timeout_ms=_WHOLE_MS,
                limit=updatefile.HEAD + write.head.size,
                receiver=self._receive,
            )
        except NetError as error:
            raise UpdateError("cut", "%s: it is tried again" % error)
        if status != 200:
            raise UpdateError("cut", "HTTP %d: it is tried again" % status)

    def _receive(self, part) -> None:
        view = memoryview(part)
        if self._at < updatefile.HEAD:
            known = self._head[self._at : self._at + len(view)]
            self._at += len(known)
            if bytes(view[: len(known)]) != known:
                raise UpdateError("changed", _CHANGED)
            view = view[len(known) :]
        while len(view):
            view = view[self._write.put(view) :]  # type: ignore[union-attr]
