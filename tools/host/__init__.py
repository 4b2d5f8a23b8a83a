"""What lets the firmware run on a computer: shims, the MicroPython VM, images, packages.

The modules run as scripts (python3 tools/host/run_vm.py) and import (from tools.host import run_vm).
"""

import sys
from pathlib import Path

# As scripts they find each other because their folder is on the path; as modules, because of this.
_HERE = str(Path(__file__).parent)
if _HERE not in sys.path:
    sys.path.append(_HERE)
