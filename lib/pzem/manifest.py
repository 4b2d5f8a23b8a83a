metadata(
    description="Peacefair PZEM energy monitors: registers and commands.",
    version="0.1.0",
    license="MIT",
)

package("pzem", files=("__init__.py",), base_path="..")
