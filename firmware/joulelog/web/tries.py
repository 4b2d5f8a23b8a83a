"""How often somebody may guess the password: five times a minute, also across a restart.

    tries = Tries(store, clock.uptime_ms)
    tries.wait_s("192.168.1.20")       # 0: it may try; else in how many seconds
    tries.begun("192.168.1.20")        # before it is looked at: whoever breaks off has tried
    tries.right("192.168.1.20")        # it was no guess; or
    tries.keep()                       # it was one: into the store

A minute without a try ends a row of five. There are rows for sixteen addresses; when all are in
use, the others share one, so that nobody who has many addresses pushes his own out. All together
have twenty a minute. The store gets the rows at most once a minute, as flash wears; what it has at
the start counts as if it had been tried just then.
"""

from micropython import const

_TRIES = const(5)
_TOGETHER = const(20)
_PERIOD_MS = const(60000)
_ROWS = const(16)
_OTHERS = "others"
_ALL = "all"
_KEPT = "tries"


class Tries:
    """Rows of tries by address."""

    refused = 0

    def __init__(self, store, now_ms) -> None:
        self._store = store
        self._now_ms = now_ms
        self._rows: dict = {}  # address -> [tries, uptime of the last one]
        self._written_ms = None
        for word in str(store.get(_KEPT) or "").split():
            at = word.find("=")
            if at > 0 and word[at + 1 :].isdigit() and len(self._rows) <= _ROWS + 2:
                self._rows[word[:at]] = [min(int(word[at + 1 :]), _TOGETHER), now_ms()]

    def wait_s(self, address: str) -> int:
        """Seconds until this address may try; 0: now."""
        self._forget()
        now = self._now_ms()
        wait_ms = 0
        for name, most in ((self._name(address), _TRIES), (_ALL, _TOGETHER)):
            row = self._rows.get(name)
            if row and row[0] >= most:
                wait_ms = max(wait_ms, row[1] + _PERIOD_MS - now)
        if wait_ms > 0:
            self.refused += 1
        return -(-wait_ms // 1000)

    def begun(self, address: str) -> None:
        """A try begins; it counts as wrong until right() says otherwise."""
        now = self._now_ms()
        for name in (self._name(address), _ALL):
            row = self._rows.setdefault(name, [0, now])
            row[0] += 1
            row[1] = now

    def keep(self) -> None:
        """The rows into the store, and to the flash unless it is less than a minute ago."""
        words = ["%s=%d" % (name, row[0]) for name, row in self._rows.items() if row[0]]
        try:
            self._store.put(_KEPT, " ".join(sorted(words)) or None)
        except ValueError:
            return  # its store is full: the rows last until a restart
        now = self._now_ms()
        if self._written_ms is None or now - self._written_ms >= _PERIOD_MS:
            self._written_ms = now
            self._store.save_now()

    def right(self, address: str) -> None:
        """It was the password: a row that had guesses in it ends, and is kept as ended."""
        row = self._rows.pop(self._name(address), None)
        together = self._rows.get(_ALL)
        if row and together:
            together[0] = max(0, together[0] - row[0])
            if row[0] > 1:
                self.keep()

    def _name(self, address: str) -> str:
        """The row of an address."""
        shared = (_ALL in self._rows) + (_OTHERS in self._rows)
        if address in self._rows or len(self._rows) - shared < _ROWS:
            return address or _OTHERS
        return _OTHERS

    def _forget(self) -> None:
        """Drop the rows that a minute has passed since."""
        now = self._now_ms()
        for name in list(self._rows):
            if now - self._rows[name][1] >= _PERIOD_MS:
                del self._rows[name]
