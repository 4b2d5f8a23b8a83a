"""An event loop of CPython that knows when its tasks wait for a later time: for virtual_clock.

    virtual_loop.run(story(), clock._idle)

Whenever no task can go on, the loop calls `idle`, which wakes somebody and returns True, or False
where it knows nobody: then the loop waits for its sockets and timers as ever. While a task can go
on sockets are not looked at.
"""

import asyncio
import selectors


class _Selector(selectors.DefaultSelector):
    """Asks for what is due before it waits; nobody asks the kernel while a task can go on."""

    idle = None

    def select(self, timeout=None):
        if timeout is not None and timeout <= 0:
            return ()
        if self.idle and self.idle():
            return ()
        return super().select(timeout)


def run(story, idle):
    """As asyncio.run()."""
    selector = _Selector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.get_loop()
        selector.idle = idle
        return runner.run(story)
