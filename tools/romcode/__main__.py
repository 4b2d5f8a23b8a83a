"""`python3 -m tools.romcode <checkout>`: see the package."""

import sys
from pathlib import Path

from tools.romcode import Unknown, prepare, where

arguments = [argument for argument in sys.argv[1:] if argument != "--where"]
if len(arguments) != 1:
    sys.exit("usage: python3 -m tools.romcode [--where] <checkout of MicroPython>")
try:
    path = Path(arguments[0])
    print(where(path) if "--where" in sys.argv else prepare(path))
except Unknown as problem:
    sys.exit(f"romcode: {problem}")
