metadata(
    description="DNS and mDNS questions and answers as bytes, without I/O.",
    version="0.1.0",
    license="MIT",
)

package("dnsq", files=("__init__.py", "every.py"), base_path="..")
