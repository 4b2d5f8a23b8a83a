"""What can go wrong between a config and a server; what HTTP servers answer: net/server.py."""


class ConfigError(Exception):
    """The config cannot work as it is; the text says what to change, one line per problem."""


class NetError(OSError):
    """A network operation failed or took too long; the text says what happened, in plain words."""

    refused = False  # by a time server that is not to be asked
