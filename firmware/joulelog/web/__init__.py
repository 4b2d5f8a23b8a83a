"""Pages, their server, and one password for all that writes."""
