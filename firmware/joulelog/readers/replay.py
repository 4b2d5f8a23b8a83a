"""Play recorded P1 telegrams from a file, as if a meter sent them: for a try without a meter.

    readers = [{"type": "replay", "file": "telegrams.txt"}]

`python3 tools/decode.py dsmr telegrams.txt` shows what is in such a file.
"""

from micropython import const

from .. import clock
from . import p1

SCHEMA = (
    """\
file     | path                       | required | recorded telegrams, as the port sent them
pause_ms | int 0..60000               | 1000     | pause behind each telegram
repeat   | bool                       | true     | begin again at the end of the file
times    | choice now meter           | "now"    | as if sent now, or with the recorded time
""",
    p1.SCHEMA,
)

_CHUNK = const(64)  # small, so that a chunk seldom holds the ends of two telegrams


def problems(entry: dict, _board):
    """Yield what the table cannot say."""
    yield from p1.problems(entry)


class Reader:
    """One file of telegrams."""

    COUNTERS = (
        "telegrams",
        "crc_errors",
        "overflows",
        "interrupted",
        "long_lines",
        "bad_lines",
        "tag_errors",
        "refused",
    )

    def __init__(self, name: str, entry: dict, app, output) -> None:
        self.name = name
        self.state = "idle"
        self._entry = entry
        times = "original" if entry["times"] == "meter" else "now"
        self._p1 = p1.P1(entry, app, output, times)
        self._chunk = bytearray(_CHUNK)

    def __getattr__(self, name: str) -> int:
        """The counters of the telegram chain."""
        if name in self.COUNTERS or name == "meter":
            return getattr(self._p1, name)
        raise AttributeError(name)

    def describe(self) -> str:
        """For the start report."""
        return "file %s, every %d ms" % (self._entry["file"], self._entry["pause_ms"])

    async def run(self) -> None:
        """Play the file, again and again where the config says so; OSError without the file."""
        while True:
            before = self._p1.accepted
            await self._play()
            if self._p1.accepted == before:
                self.state = "no telegram"
                raise OSError("no telegram in %s" % self._entry["file"])
            if not self._entry["repeat"]:
                break
        self.state = "done"
        while True:
            await clock.sleep_ms(60000)

    async def _play(self) -> None:
        try:
            file = open(self._entry["file"], "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            self.state = "no file"
            raise OSError("cannot open %s: %s" % (self._entry["file"], error))
        self.state = "ok"
        with file:
            while True:
                before = self._p1.accepted
                count = file.readinto(self._chunk)
                if count:
                    self._p1.feed(self._chunk, 0, count)
                else:
                    self._p1.flush()
                new = self._p1.accepted != before
                await clock.sleep_ms(self._entry["pause_ms"] if new else 0)
                if not count:
                    return
