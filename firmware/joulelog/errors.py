"""What can go wrong between a config and a server, by what the caller has to do about it."""


class ConfigError(Exception):
    """The config cannot work as it is; the text says what to change, one line per problem."""


class NetError(OSError):
    """A network operation failed or took too long; the text says what happened, in plain words."""


class Retry(Exception):
    """A passing failure: send the same again later. args: (text, seconds to wait or 0)."""


class Refused(Exception):
    """The server will never take this. args: (the server's words,)."""


class Denied(Exception):
    """Wrong credentials: nothing is lost, but somebody has to act. args: (what to change,)."""
