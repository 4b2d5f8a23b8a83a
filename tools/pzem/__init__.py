"""Find PZEMs, set their addresses, reset their counters; see __main__.py."""
