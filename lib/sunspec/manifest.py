metadata(
    description="SunSpec: find the models in a device, and read inverters and meters by tables.",
    version="0.1.0",
    license="MIT",
)

require("modbus")
package("sunspec", files=("__init__.py", "device.py"), base_path="..")
