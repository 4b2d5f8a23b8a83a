metadata(
    description="SNTP requests and answers as bytes, without I/O.",
    version="0.1.0",
    license="MIT",
)

package("ntpq", files=("__init__.py",), base_path="..")
