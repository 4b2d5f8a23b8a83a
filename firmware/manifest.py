"""The application with all its readers and sinks, and the packages of lib/ that they stand on.

Included by boards/common/manifest.py. In a manifest of your own, beside what MicroPython's
network stack needs (logging, ssl, aiohttp, mqtt_as):

    include("/path/to/joulelog/firmware/manifest.py")
"""

import os

metadata(
    description="JouleLog: readings from energy meters, delivered digit for digit.",
    version="0.1.0",
    license="MIT",
)

add_library("joulelog-lib", "../lib")
for _name in sorted(os.listdir("../lib")):
    if os.path.exists("../lib/%s/__init__.py" % _name):
        require(_name, library="joulelog-lib")

# Nothing of ours validates with assert: -O2 drops them, and keeps line numbers for tracebacks.
package("joulelog", opt=2)
module("main.py", opt=2)

# The default settings. A config.py on the board's own flash comes first.
module("config.py", opt=2)
