"""Bytes."""

SLOT = ""
HEAP = """\
core | 0 | 0 | 0 | 0 | 0
"""
