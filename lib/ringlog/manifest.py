metadata(
    description="An append-only log of readings in segment files, that survives power cuts.",
    version="0.1.0",
    license="MIT",
)

require("crc32")
package(
    "ringlog",
    files=(
        "__init__.py",
        "nibbles.py",
        "ringdelta.py",
        "ringlog.py",
        "ringopen.py",
        "ringpage.py",
        "ringread.py",
        "ringseg.py",
        "ringwalk.py",
        "ringwrite.py",
    ),
    base_path="..",
)
