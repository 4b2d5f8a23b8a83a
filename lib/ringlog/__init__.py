"""An append-only log of readings in segment files, for store and forward. See README.md here.

    ringlog    Log: pages in RAM, segments on a medium, what is lost first
    ringread   Reader: one reading after another from a serial number on, past any damage
    ringwalk   finds the pages of a segment, and loads them
    ringpage   the format of pages: headers, schemas, states
    ringdelta  the format of a reading: what has changed since the one before
    nibbles    numbers and texts in steps of four bits

The package imports nothing by itself: `from ringlog.ringlog import Log`.
"""
