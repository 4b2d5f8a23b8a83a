"""What people run on a computer, from the repository's root: `python -m tools.run`.

The firmware, the packages of lib/ and stand-ins for MicroPython's own modules are no packages that
are installed: whoever imports anything of tools, or of tests, finds them. This is the one place
that says where they are.

    from tools import ROOT
    from joulelog import clock
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "build/web"  # what `make page` has built, where somebody has
# In front: no package of that name that is installed here takes their place.
_PLACES = [str(ROOT / name) for name in ("firmware", "lib", "boards/HOST", "tools/host/shims")]
sys.path[:0] = [place for place in _PLACES if place not in sys.path]
sys.path += [place for place in [str(PAGE)] if place not in sys.path]
