metadata(
    description="AES-GCM in a stream, from a cipher that knows single blocks only.",
    version="0.1.0",
    license="MIT",
)

package("aes_gcm", files=("__init__.py",), base_path="..")
