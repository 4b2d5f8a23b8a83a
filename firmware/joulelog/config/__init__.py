"""What a config may say: checked at the start, and dropped after it."""


# No method: an object keeps its class, and a function the whole module, which is to be dropped.
class Config:
    """A checked config with all its defaults: one attribute per section; entries are dicts."""

    device: str
    board: str
    wifi: dict | list | None  # one network, or a list of them
    readers: list[dict]
    sinks: list[dict]
    log: dict
    clock: dict
    queue: dict
    services: dict  # name -> section
    warnings: list[str]  # what will be accepted, and is perhaps not meant
    secrets: list[str]  # keys whose values are never shown
