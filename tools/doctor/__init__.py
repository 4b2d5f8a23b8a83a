"""What is on a P1 line, in plain words; see __main__.py."""
