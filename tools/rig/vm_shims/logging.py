"""A small stand-in for micropython-lib's `logging`, for a VM without that package (see deps.py).

It prints to the console. Handlers and formatters work as far as this project uses them.
"""

import sys

CRITICAL = 50
ERROR = 40
WARNING = 30
INFO = 20
DEBUG = 10
NOTSET = 0

_LEVELS = {50: "CRITICAL", 40: "ERROR", 30: "WARNING", 20: "INFO", 10: "DEBUG", 0: "NOTSET"}
_loggers = {}


def getLevelName(level: int) -> str:
    """The name of a level."""
    return _LEVELS.get(level, str(level))


class LogRecord:
    """One message on its way to the handlers."""

    def set(self, name: str, level: int, message: str) -> None:
        """Fill the record; one object serves all messages of a logger."""
        self.name = name
        self.levelno = level
        self.levelname = _LEVELS.get(level, str(level))
        self.message = message


class Formatter:
    """LEVEL:name:message, or a %-format over a dict of the record."""

    def __init__(self, fmt: str = "%(levelname)s:%(name)s:%(message)s", datefmt=None) -> None:
        self.fmt = fmt

    def format(self, record) -> str:
        """The record's text."""
        return self.fmt % {
            "levelname": record.levelname,
            "name": record.name,
            "message": record.message,
        }


class Handler:
    """Takes records of its level and above."""

    def __init__(self, level: int = NOTSET) -> None:
        self.level = level
        self.formatter = Formatter()

    def setLevel(self, level: int) -> None:
        """Let only this level and above through."""
        self.level = level

    def setFormatter(self, formatter) -> None:
        """Choose how records become text."""
        self.formatter = formatter

    def format(self, record) -> str:
        """The record's text."""
        return self.formatter.format(record)

    def close(self) -> None:
        """Nothing is held here."""


class StreamHandler(Handler):
    """Writes one line per record to a stream."""

    def __init__(self, stream=None) -> None:
        super().__init__()
        self.stream = stream or sys.stderr
        self.terminator = "\n"

    def emit(self, record) -> None:
        """Write the record."""
        if record.levelno >= self.level:
            self.stream.write(self.format(record) + self.terminator)


class Logger:
    """Gives messages to its handlers, or to those of the root logger."""

    def __init__(self, name: str, level: int = NOTSET) -> None:
        self.name = name
        self.level = level
        self.handlers = []
        self.record = LogRecord()

    def setLevel(self, level: int) -> None:
        """Log this level and above."""
        self.level = level

    def getEffectiveLevel(self) -> int:
        """The logger's level, else the root's."""
        return self.level or getLogger().level or WARNING

    def isEnabledFor(self, level: int) -> bool:
        """Whether a message of this level is logged."""
        return level >= self.getEffectiveLevel()

    def addHandler(self, handler) -> None:
        """Give records to this handler too."""
        self.handlers.append(handler)

    def log(self, level: int, message, *arguments) -> None:
        """Log message % arguments."""
        if not self.isEnabledFor(level):
            return
        if arguments:
            if isinstance(arguments[0], dict):
                arguments = arguments[0]
            message = message % arguments
        self.record.set(self.name, level, message)
        for handler in self.handlers or getLogger().handlers:
            handler.emit(self.record)

    def debug(self, message, *arguments) -> None:
        """Log at DEBUG."""
        self.log(DEBUG, message, *arguments)

    def info(self, message, *arguments) -> None:
        """Log at INFO."""
        self.log(INFO, message, *arguments)

    def warning(self, message, *arguments) -> None:
        """Log at WARNING."""
        self.log(WARNING, message, *arguments)

    def error(self, message, *arguments) -> None:
        """Log at ERROR."""
        self.log(ERROR, message, *arguments)

    def critical(self, message, *arguments) -> None:
        """Log at CRITICAL."""
        self.log(CRITICAL, message, *arguments)

    def exception(self, message, *arguments) -> None:
        """Log at ERROR; the traceback goes to the console."""
        self.log(ERROR, message, *arguments)
        problem = sys.exc_info()[1] if hasattr(sys, "exc_info") else None
        if problem:
            sys.print_exception(problem)


def getLogger(name: str | None = None) -> Logger:
    """The logger of this name; the root logger without a name."""
    name = name or "root"
    if name not in _loggers:
        _loggers[name] = Logger(name, WARNING if name == "root" else NOTSET)
    return _loggers[name]


def basicConfig(level: int = WARNING, stream=None, format=None, force: bool = False, **options):
    """Give the root logger one handler that writes to the console."""
    root = getLogger()
    if root.handlers and not force:
        return
    handler = StreamHandler(stream)
    if format:
        handler.setFormatter(Formatter(format))
    root.handlers = [handler]
    root.setLevel(level)
