metadata(
    description="Eastron SDM120, SDM230, SDM630: register tables.",
    version="0.1.0",
    license="MIT",
)

package("eastron", files=("__init__.py",), base_path="..")
