metadata(
    description="Modbus RTU for a master: requests, answers, register tables.",
    version="0.1.0",
    license="MIT",
)

require("crc16")
require("exact")
package("modbus", files=("__init__.py", "registers.py", "rtu.py"), base_path="..")
