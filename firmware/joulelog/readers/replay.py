"""Play recorded P1 telegrams from a file, as if a meter sent them: for a try without a meter.

    readers = [{"type": "replay", "file": "telegrams.txt"}]

`python3 -m tools.decode dsmr telegrams.txt` shows what is in such a file.
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
NEEDS = ("clock", "board")

_CHUNK = const(64)  # small, so that a chunk seldom holds the ends of two telegrams


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    from ..config.servers import is_missing
    from ..config.types import shown

    if is_missing(entry["file"], board):
        yield "`file` is %s, which is not there" % shown(entry["file"])
    yield from p1.problems(entry)


class Reader:
    """One file of telegrams."""

    def __init__(self, name: str, entry: dict, output, app_clock, board) -> None:
        self.name = name
        self._output = output
        output.say("idle")
        self._entry = entry
        times = "file" if entry["times"] == "meter" else "board"
        self._p1 = p1.P1(entry, output, app_clock, board, times)
        self.counters = self._p1.counters
        self.profile = self._p1.profile
        self._chunk = bytearray(_CHUNK)

    def describe(self) -> str:
        """For the start report."""
        return "file %s, every %d ms" % (self._entry["file"], self._entry["pause_ms"])

    async def run(self) -> None:
        """Play the file, again and again where the config says so; OSError without the file."""
        while True:
            before = self._p1.accepted
            await self._play()
            if self._p1.accepted == before:
                self._output.say("no telegram")
                why = self._p1.dead_crc()
                raise OSError("no telegram in %s%s" % (self._entry["file"], why and ": " + why))
            if not self._entry["repeat"]:
                break
        self._output.say("done")

    async def _play(self) -> None:
        try:
            file = open(self._entry["file"], "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            self._output.say("no file")
            raise OSError("cannot open %s: %s" % (self._entry["file"], error))
        self._output.say("ok")
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
