metadata(
    description="Cuts values out of a JSON answer that comes in pieces, digit for digit.",
    version="0.1.0",
    license="MIT",
)

package("jsonpick", files=("__init__.py", "number.py", "paths.py", "picker.py"), base_path="..")
