metadata(
    description="Daikin Altherma heat pumps on X10A: bytes in, exact values out.",
    version="0.1.0",
    license="MIT",
)

package(
    "x10a",
    files=(
        "__init__.py",
        "convert.py",
        "frame.py",
        "label.py",
        "models.py",
        "rows_indoor.py",
        "rows_more.py",
        "rows_outdoor.py",
        "rows_s.py",
        "saturation.py",
        "table.py",
    ),
    base_path="..",
)
