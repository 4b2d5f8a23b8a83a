metadata(
    description="HTTP logins: Basic and Digest (RFC 7616), without I/O.",
    version="0.1.0",
    license="MIT",
)

require("md5")
package("httpauth", files=("__init__.py",), base_path="..")
