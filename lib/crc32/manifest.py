metadata(
    description="CRC-32 without numbers of 32 bits, for ports that have no binascii.crc32.",
    version="0.1.0",
    license="MIT",
)

package("crc32", files=("__init__.py",), base_path="..")
