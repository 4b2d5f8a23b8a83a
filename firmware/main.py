"""What the board runs after boot.py: the application, with the user's config.py beside it."""

import board
import config

from joulelog.start import run

run(config, board)
