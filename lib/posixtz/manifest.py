metadata(
    description="Local time with daylight saving from a POSIX TZ string.",
    version="0.1.0",
    license="MIT",
)

require("civil")
package("posixtz", files=("__init__.py",), base_path="..")
