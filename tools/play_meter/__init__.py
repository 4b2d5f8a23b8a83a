"""Play a P1 meter over a cable, a second board or a pty; see __main__.py."""
