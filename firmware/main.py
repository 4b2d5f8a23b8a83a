"""What the board runs after boot.py: the application, with the user's config.py beside it."""

import board

from joulelog.start import run

run(__import__("config"), board)  # a name for it here would keep it for ever
