"""Readings that wait on the flash until the servers have them."""
