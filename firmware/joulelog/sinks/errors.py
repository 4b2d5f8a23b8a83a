"""What an HTTP server's answer means, by what the sink has to do about it."""


class Retry(Exception):
    """A passing failure: send the same again later. args: (text, seconds to wait or 0)."""


class Refused(Exception):
    """The server will never take this. args: (the server's words,)."""


class Denied(Exception):
    """Wrong credentials: nothing is lost, but somebody has to act. args: (what to change,)."""
