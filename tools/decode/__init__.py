"""Captured bytes of a meter as JSON; see __main__.py."""
