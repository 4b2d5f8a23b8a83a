metadata(
    description="Tuya's local protocol, 3.1 to 3.5, as a client without I/O.",
    version="0.1.0",
    license="MIT",
)

require("aes_gcm")
require("crc32")
require("jsonmeter")
require("jsonpick")
package(
    "tuya",
    files=(
        "__init__.py",
        "crypt.py",
        "devices.py",
        "discovery.py",
        "frame.py",
        "session.py",
    ),
    base_path="..",
)
