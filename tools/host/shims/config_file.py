"""A config file by its path, as a computer has it: on CPython, and on the MicroPython VM.

config = config_file.load("examples/configs/pulse.py", ["/dev/pts/3"])
config_file.fill(config, ["/dev/pts/3"])       # the same of one that is loaded already

Its name may be any, that of a package or of a built-in module too.
"""

import sys


def load(path: str, devices):
    """Run the file; a dict or a module. Each device stands for one "sim" in its readers, in turn.

    The files beside it can be imported by it, not by others: a pulse.py there is no package.
    """
    slash = path.rfind("/")
    name = path[slash + 1 :]
    sys.path.insert(0, path[:slash] if slash >= 0 else ".")
    config = _imported(name[:-3], path) if name.endswith(".py") else None
    if config is None:
        config = {"__name__": "config", "__file__": path}
        with open(path) as file:
            exec(file.read(), config)  # noqa: S102 - the user's own file
    sys.path.pop(0)
    fill(config, devices)
    return config


def fill(config, devices) -> None:
    """Put each device in the place of one "sim" in the readers of a config, in turn."""
    left = list(devices)
    is_dict = isinstance(config, dict)
    readers = config.get("readers") if is_dict else getattr(config, "readers", ())
    for entry in readers if isinstance(readers, (list, tuple)) else ():
        for key in ("uart", "pin", "host") if isinstance(entry, dict) else ():
            if left and entry.get(key) == "sim":
                entry[key] = left.pop(0)
                if key == "host":  # "127.0.0.1:40123"
                    entry[key], port = entry[key].split(":")
                    entry["port"] = int(port)


def _imported(name: str, path: str):
    """The file as a module, as a board has it: in a small heap its text has no room. Or None."""
    if sys.implementation.name != "micropython" or "." in name or name in sys.modules:
        return None
    found = __import__(name)
    sys.modules.pop(name, None)
    if not path.endswith(getattr(found, "__file__", path).split("/")[-1]):
        return None
    try:
        found.__file__ = path
    except AttributeError:  # a built-in module is in ROM
        return None
    return found
