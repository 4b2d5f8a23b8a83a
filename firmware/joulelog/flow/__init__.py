"""The way of a reading from a reader to the sinks: readings, the table, the log."""
