metadata(
    description="Count the flashes of a meter's LED in light readings, and debounce contacts.",
    version="0.1.0",
    license="MIT",
)

package("pulse", files=("__init__.py", "meter.py"), base_path="..")
