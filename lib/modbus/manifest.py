metadata(
    description="Modbus for a master, on a line and by TCP: requests, answers, register tables.",
    version="0.1.0",
    license="MIT",
)

require("crc16")
require("exact")
package("modbus", files=("__init__.py", "registers.py", "rtu.py", "tcp.py"), base_path="..")
