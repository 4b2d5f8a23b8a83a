metadata(
    description="DSMR / P1 telegrams of smart meters: bytes in, exact values out.",
    version="0.1.0",
    license="MIT",
)

require("exact")
require("civil")
require("aes_gcm")
package(
    "dsmr",
    files=(
        "__init__.py",
        "crc.py",
        "dlms.py",
        "frame.py",
        "obis.py",
        "stamp.py",
        "telegram.py",
    ),
    base_path="..",
)
