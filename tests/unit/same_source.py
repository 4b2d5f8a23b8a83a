"""make_source for logs in tests: the same schema gives the same object.

Not joulelog.reading's Source: compiling that module within four other imports is too deep for
the VM.
"""


class Source:
    def __init__(self, name: str, channels: tuple, identity: tuple = ()) -> None:
        self.name = name
        self.channels = channels
        self.identity = identity

    def __repr__(self):
        return "Source(%r, %d)" % (self.name, len(self.channels))


_sources: dict = {}


def make_source(name: str, channels: tuple, identity: tuple = ()) -> Source:
    """The same object for the same schema."""
    key = (name, tuple(channels), identity)
    if key not in _sources:
        _sources[key] = Source(*key)
    return _sources[key]
