"""What is frozen into this board's image: what all have, and its FEATURES."""

import runpy

_features = runpy.run_path("board.py").get("FEATURES")  # without: all
include("../common/manifest.py", features=_features)
