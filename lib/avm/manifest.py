metadata(
    description="FRITZ!Box: its login, and what its smart home devices measure, without I/O.",
    version="0.1.0",
    license="MIT",
)

require("md5")
require("pbkdf2")
package("avm", files=("__init__.py", "devices.py", "login.py", "xml.py"), base_path="..")
