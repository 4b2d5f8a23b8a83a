metadata(
    description="Calendar arithmetic on whole seconds since 2000.",
    version="0.1.0",
    license="MIT",
)

package("civil", files=("__init__.py",), base_path="..")
