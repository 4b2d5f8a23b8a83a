metadata(
    description="HTTP of a small server, without I/O: heads and forms.",
    version="0.1.0",
    license="MIT",
)

package("httphead", files=("__init__.py",), base_path="..")
