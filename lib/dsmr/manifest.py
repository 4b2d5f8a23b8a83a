metadata(
    description="DSMR / P1 telegrams of smart meters: bytes in, exact values out.",
    version="0.1.0",
    license="MIT",
)

require("aes_gcm")
require("civil")
require("crc16")
require("exact")
package(
    "dsmr",
    files=(
        "__init__.py",
        "codes.py",
        "cosem.py",
        "dlms.py",
        "flow.py",
        "frame.py",
        "mbus.py",
        "obis.py",
        "profile.py",
        "stamp.py",
        "telegram.py",
    ),
    base_path="..",
)
