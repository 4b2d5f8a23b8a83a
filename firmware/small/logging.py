"""What JouleLog uses of `logging`, for images whose heap has no room for micropython-lib's.

    log = logging.getLogger("mqtt")
    log.warning("no answer from %s", host)

    root = logging.getLogger()
    root.handlers = [handler]       # its emit() gets the same record each time
    root.setLevel(20)

Frozen into ESP8266 images in the place of micropython-lib's package (boards/common). There each
logger has a record, a list and its last message, 230 bytes of heap for each of eight, and the
module has formatters and files that nobody needs here: 3 kB of 38.
"""

_NAMES = ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Handler:
    """What takes records."""

    def __init__(self) -> None:
        """Nothing to set up; its subclass calls it all the same, as logging's."""

    def emit(self, record) -> None:
        """Take one: its name, levelno, levelname and message are valid during the call."""


class Logger:
    """Gives what is logged to the handlers of the root."""

    # Of the class: a logger has nothing of its own but a name; the rest is the root's, and that of
    # the one record.
    level = 30
    handlers = ()
    levelno = 0
    message = ""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def levelname(self) -> str:
        """In words."""
        return _NAMES[self.levelno // 10]

    def setLevel(self, level: int) -> None:
        """Log this level and above, all loggers."""
        _root.level = level

    def log(self, level: int, text: str, *values) -> None:
        """Log text % values."""
        if level < _root.level:
            return
        _record.name = self.name
        _record.levelno = level
        _record.message = text % values if values else text
        for handler in _root.handlers:
            handler.emit(_record)

    def debug(self, text: str, *values) -> None:
        """Log at DEBUG."""
        self.log(10, text, *values)

    def info(self, text: str, *values) -> None:
        """Log at INFO."""
        self.log(20, text, *values)

    def warning(self, text: str, *values) -> None:
        """Log at WARNING."""
        self.log(30, text, *values)

    def error(self, text: str, *values) -> None:
        """Log at ERROR."""
        self.log(40, text, *values)


def getLogger(name: str = "") -> Logger:
    """The logger of this name; without one the root."""
    if not name:
        return _root
    return Logger(name)


_root = Logger("root")
_record = Logger("root")
