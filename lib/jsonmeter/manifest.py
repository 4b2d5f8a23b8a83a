metadata(
    description="Meters that answer JSON over HTTP: tables that say where their values stand.",
    version="0.1.0",
    license="MIT",
)

require("exact")
require("jsonpick")
package(
    "jsonmeter",
    files=(
        "__init__.py",
        "devices.py",
        "ends.py",
        "shelly.py",
        "table.py",
    ),
    base_path="..",
)
