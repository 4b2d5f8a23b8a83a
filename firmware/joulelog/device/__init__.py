"""The board itself: UARTs, LED, REPL, log files, what outlives a reset, the watchdog."""
