"""How tests wait: for what has to come, however long a busy machine takes for it.

    waiting.until(lambda: server.rows, lambda: "no rows: " + run.output)

A deadline only catches hangs; what a claim says about time is measured, or counted as CPU time.
"""

import time

HANG_S = 600  # what has not come by then does not come; below pytest's time for a test


def until(condition, said=lambda: "", pause_s: float = 0.02) -> None:
    """Return once the condition holds; AssertionError with what is said where it never does."""
    deadline = time.monotonic() + HANG_S
    while not condition():
        assert time.monotonic() < deadline, said()
        time.sleep(pause_s)
