"""What the board runs after boot.py: the application, with the user's config.py beside it."""

import board

from joulelog.start import run

found = []  # a name for the config here would keep it for ever
try:
    found.append(__import__("config"))
except Exception as error:
    from joulelog import broken

    found.append(broken.tell(error))
run(found.pop(), board)
