"""A computer as a board; see README.md."""
