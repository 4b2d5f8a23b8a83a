"""What a log must still hold after a power cut, and a run of everything that a log does.

run = Run(log, disk)                # wraps a log that is open
run.work(STEPS)                     # append, flush, save_state, drop_oldest, trim
run.books.check(other, cut_at)      # another log, opened after the cut: AssertionError
"""

from same_source import make_source

SCHEMA = (
    ("energy", "kWh", 3, "total_increasing", "energy"),
    ("power", "W", 0, "measurement", "power"),
    ("voltage", "V", 1, "measurement", "voltage"),
    ("note", "", 0, "text", ""),
)
NAMES = ("p1", "pzem")
HEAVY = 1 << 20  # readings from this number on have a long text
_FIRST = (1 << 30) - 150  # serials cross the border of small integers
_GAP_EVERY = 97
_ALL = 1 << 40


def serial_of(number: int) -> int:
    """Serial of the reading with this number: consecutive, with gaps."""
    return _FIRST + number + number // _GAP_EVERY * 3


def reading(number: int) -> tuple:
    """(boot, stamp, source's name, values) of a reading: everything that a value can be."""
    boot = 1 + number // 211
    stamp = 850000000 + number * 10 if number % 211 > 60 else number * 10 - (1 << 29)
    note = None if number % 50 < 25 else "état %d" % (number // 50)
    if number >= HEAVY:
        note = "%d " % (number * number) * 12
    power = None if number % 31 == 7 else number * number * 7919 % 90000 - 20000
    energy = (1 << 33) + number * number * 12347 % 1000003 if number % 13 else -number
    return boot, stamp, NAMES[number % 5 == 0], (energy, power, 2300 + number % 17, note)


class Books:
    """What was begun and what was reported done, by the number of the disk's operation."""

    def __init__(self, disk, start: int = 0) -> None:
        self.disk = disk
        self._start = start  # number of the first reading
        # (operation at the begin, at the end or _ALL, number behind the last reading)
        self.flushes: list = [(0, 0, start)]
        # (begin, end, number of the first reading that stays)
        self.removals: list = [(0, 0, start)]
        self.states: list = [(0, 0, {})]  # (begin, end, state)

    def begin(self, entries: list, what) -> None:
        """Something starts that may reach the medium from now on."""
        entries.append((len(self.disk.operations), _ALL, what))

    def done(self, entries: list) -> None:
        """It was reported done."""
        begin, _, what = entries[-1]
        entries[-1] = (begin, len(self.disk.operations), what)

    def bounds(self, at: int) -> tuple:
        """Numbers: behind the last that (must, may) be stored, first that (must, may) be."""
        must = may = floor_must = floor_may = 0
        for begin, end, count in self.flushes:
            if end <= at:
                must = max(must, count)
            if begin <= at:
                may = max(may, count)
        for begin, end, floor in self.removals:
            if begin <= at:
                floor_must = max(floor_must, floor)
            if end <= at:
                floor_may = max(floor_may, floor)
        return must, may, floor_must, floor_may

    def states_at(self, at: int) -> list:
        """States that may be there: the last that was reported saved, and those begun since."""
        done = 0
        for number, (_, end, _state) in enumerate(self.states):
            if end <= at:
                done = number
        return [state for begin, _, state in self.states[done:] if begin <= at or not at]

    def check(self, log, at: int, lost=None) -> list:
        """Compare a log with the books; return the numbers of the readings that it has.

        lost: numbers that the medium may have ruined, and with them the newest state.
        """
        must, may, floor_must, floor_may = self.bounds(at)
        found = numbers(log)
        for before, after in zip(found, found[1:]):
            _ensure(before < after, "order", before, after)
        _ensure(not found or found[0] >= floor_may, "removed, and there again", found[:1])
        _ensure(not found or found[-1] < may, "invented", found[-1:], may)
        there = set(found)
        missing = [n for n in range(floor_must, must) if n not in there and n not in (lost or ())]
        _ensure(not missing, "lost of what was reported stored", missing[:5], found[:1], must)
        states = self.states_at(at if lost is None else 0)
        _ensure(log.state in states, "state", log.state, states)
        # The name of a segment without readings says what the last one before it was at most.
        least = serial_of(found[-1]) if found else -1
        most = serial_of(found[-1] + 1 if found else self._start) - 1
        _ensure(least <= log.last <= most or lost, "last", log.last, least, most)
        return found


def _ensure(holds: bool, *what) -> None:
    if not holds:
        raise AssertionError(what)


def opened(log):
    """Open a log to the end; return it."""
    for _ in log.open():
        pass
    return log


def numbers(log) -> list:
    """Numbers of all readings of a log; AssertionError for one that nobody appended."""
    reader = log.reader()
    reader.seek(0)
    found = []
    while True:
        step = reader.step()
        if step is False:
            return found
        if step is None:
            continue
        number = (reader.serial - _FIRST) * _GAP_EVERY // (_GAP_EVERY + 3)
        while serial_of(number) < reader.serial:
            number += 1
        _ensure(serial_of(number) == reader.serial, "nobody's serial", reader.serial)
        boot, stamp, name, values = reading(number)
        _ensure(
            (reader.boot, reader.stamp, reader.source.name) == (boot, stamp, name)
            and reader.values == values
            and reader.source.channels == SCHEMA,
            *("altered", number, reader.boot, reader.stamp, reader.source.name, reader.values),
        )
        found.append(number)


class Run:
    """Everything that a log does, noted in the books before and after."""

    def __init__(self, log, books: Books, number: int) -> None:
        self._retries = 0
        self.log = log
        self.books = books
        self.number = number  # the next reading
        self.drops = 0

    def work(self, steps: int, keep: int = 240, retries: int = 0) -> None:
        """Append so many readings, and what else there is to do between them.

        OSError behind so many retries of what failed.
        """
        self._retries = retries
        for _ in range(steps):
            self.append()
            if self.number % 23 == 0:
                self.log.state["mqtt"] = serial_of(self.number)  # a cursor moves; not saved yet
            if self.number % 46 == 0:
                self.save_state()
            if self.number % 37 == 0:
                self.flush(state=self.number % 2 == 0)
            if self.number % 300 == 0:
                self.trim(self.number - keep // 3)
        self.flush(state=True)

    def append(self) -> None:
        """One reading; the page is flushed when it is full."""
        boot, stamp, name, values = reading(self.number)
        source = make_source(name, SCHEMA)
        serial = serial_of(self.number)
        if not self.log.append(serial, boot, stamp, source, values):
            self.flush()
            _ensure(
                self.log.append(serial, boot, stamp, source, values), "no room in an empty page"
            )
        self.number += 1

    def flush(self, state: bool = False) -> None:
        """Write the page, and make room first where there is none."""
        books = self.books
        count = self.number
        while True:
            if state:
                books.begin(books.states, dict(self.log.state))
            books.begin(books.flushes, count)
            done = self._try(lambda: self.log.flush(state=state))
            if done:
                break
            books.flushes.pop()  # nothing was written
            if state:
                books.states.pop()
            self.drop()
        books.done(books.flushes)
        if state:
            books.done(books.states)

    def save_state(self) -> None:
        """Write the state alone."""
        self.books.begin(self.books.states, dict(self.log.state))
        self._try(self.log.save_state)
        self.books.done(self.books.states)

    def drop(self) -> None:
        """Remove the oldest segment."""
        self.books.begin(self.books.removals, number_at(self.log.oldest_end))
        self._try(self.log.drop_oldest)
        self.books.done(self.books.removals)
        self.drops += 1

    def trim(self, number: int) -> None:
        """Remove segments whose readings are all older."""
        serial = serial_of(number)
        self.books.begin(self.books.removals, number)
        self._try(
            lambda: self.log.trim(serial)
        )  # never done in the books: it keeps what it cannot remove whole

    def _try(self, action):
        while True:
            try:
                return action()
            except OSError:
                if self._retries <= 0:
                    raise
                self._retries -= 1


def number_at(serial: int) -> int:
    """Number of the first reading with this serial or a later one."""
    number = max(0, (serial - _FIRST) * _GAP_EVERY // (_GAP_EVERY + 3) - 2)
    while serial_of(number) < serial:
        number += 1
    return number
