metadata(
    description="Demand peaks of months, and what they cost by capacity tariffs given as rows.",
    version="0.1.0",
    license="MIT",
)

require("civil")
require("exact")
package("demand", files=("__init__.py", "book.py", "interval.py", "scheme.py"), base_path="..")
