metadata(
    description="Decimal text to integers and back, without losing a digit.",
    version="0.1.0",
    license="MIT",
)

package("exact", files=("__init__.py",), base_path="..")
