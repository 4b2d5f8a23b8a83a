metadata(
    description="An update of the firmware as a file: its head, and its RSA signature in steps.",
    version="0.1.0",
    license="MIT",
)

require("crc32")
package("updatefile", files=("__init__.py", "rsa.py"), base_path="..")
