metadata(
    description="PBKDF2-HMAC-SHA256 (RFC 8018) in steps.",
    version="0.1.0",
    license="MIT",
)

package("pbkdf2", files=("__init__.py",), base_path="..")
