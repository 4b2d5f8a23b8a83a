"""A telegram on the core: bytes in, values out. CPython prints the same.

sample.py, with the telegram's bytes, is written by tests/integration/lx106_rig.py.
"""

import exact
import sample
from dsmr.frame import Framer
from dsmr.telegram import Telegram

PIECE = 64


def show(telegram):
    for channel, value in zip(telegram.channels, telegram.values):
        print(channel[exact.KEY], value, channel[exact.DECIMALS])


framer = Framer(bytearray(512), Telegram(show))
for start in range(0, len(sample.DATA), PIECE):
    framer.feed(sample.DATA, start, min(start + PIECE, len(sample.DATA)))
print(framer.telegrams, framer.crc_errors)
