metadata(
    description="Improv Wi-Fi over a serial line, as bytes, without I/O.",
    version="0.1.0",
    license="MIT",
)

package("improv", files=("__init__.py",), base_path="..")
