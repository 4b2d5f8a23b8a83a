metadata(
    description="CRC-16 of P1 telegrams (ARC) and of Modbus RTU, by a table of 512 bytes.",
    version="0.1.0",
    license="MIT",
)

package("crc16", files=("__init__.py",), base_path="..")
