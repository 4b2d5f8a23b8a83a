"""What is frozen into this board's image: nothing beside what all have."""

include("../common/manifest.py")
