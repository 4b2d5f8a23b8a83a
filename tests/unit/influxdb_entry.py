"""The entry of an influxdb sink with all its keys, for tests that build the sink by themselves."""


def entry_of(**changes):
    """The defaults, with these in their place."""
    entry = {
        "url": "http://influx.example:8086",
        "database": "",
        "user": "",
        "password": "",
        "retention_policy": "",
        "bucket": "",
        "org": "",
        "token": "",
        "measurement": "energy",
        "tags": {},
        "version_tags": False,
        "sources": None,
        "interval": 0,
        "batch": 4096,
        "timeout": 10,
        "rate": 0,
        "ca": None,
        "verify": True,
    }
    entry.update(changes)
    return entry
