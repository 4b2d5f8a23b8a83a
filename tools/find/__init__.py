"""Meters that announce themselves on the network: `make find`. See __main__.py."""
