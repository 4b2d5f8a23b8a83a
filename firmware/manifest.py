"""The application, and the packages of lib/ that it stands on.

Included by boards/common/application.py. In a manifest of your own, beside what MicroPython's
network stack needs (logging, aiohttp, mqtt_as), with all that there is, or some of it:

    include("/path/to/joulelog/firmware/manifest.py")
    include("/path/to/joulelog/firmware/manifest.py", features=("dsmr", "mqtt", "led"))
"""

import json
from pathlib import Path

options.defaults(features=None)  # names of boards/common/features.json

metadata(
    description="JouleLog: readings from energy meters, delivered digit for digit.",
    version="0.1.0",
    license="MIT",
)

with open("../boards/common/features.json") as _file:
    _table = json.load(_file)
_wanted = list(_table) if options.features is None else list(options.features)
for _name in _wanted:
    if _name not in _table:
        raise ValueError("there is no feature %r; there are: %s" % (_name, ", ".join(_table)))
_left_out = {path for name in _table for path in _table[name]["modules"]}
_left_out -= {path for name in _wanted for path in _table[name]["modules"]}

for _base, _pattern in (("../lib", "*/*.py"), (".", "joulelog/**/*.py")):
    for _source in sorted(Path(_base).glob(_pattern)):
        _path = _source.relative_to(_base).as_posix()
        if _source.name != "manifest.py" and _path not in _left_out:
            # Nothing of ours validates with assert: -O2 drops them, and keeps line numbers for
            # tracebacks.
            module(_path, base_path=_base, opt=2)
module("main.py", opt=2)

# The default settings. A config.py on the board's own flash comes first.
module("config.py", opt=2)
