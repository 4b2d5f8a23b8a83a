"""Images of boards, and release archives: what is in them, and whether that is right."""
