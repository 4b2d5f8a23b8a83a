metadata(
    description="MD5 for chips whose hashlib has none.",
    version="0.1.0",
    license="MIT",
)

package("md5", files=("__init__.py",), base_path="..")
