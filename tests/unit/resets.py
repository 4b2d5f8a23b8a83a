"""The module machine for tests of resets: what caused one, and the memory that outlives it."""

POWER_ON, HARD, WATCHDOG, SOFT = 1, 2, 3, 5
REGISTER = 0x60008038


class Machine:
    PWRON_RESET = POWER_ON
    HARD_RESET = HARD
    WDT_RESET = WATCHDOG
    SOFT_RESET = SOFT

    def __init__(self) -> None:
        self.cause = POWER_ON
        self.kept = b""  # the RTC's memory
        self.mem32 = {REGISTER: 0xABC0 | 1}  # other bits belong to the other core

    def reset_cause(self):
        return self.cause

    def RTC(self):
        return self

    def memory(self, data=None):
        if data is None:
            return self.kept
        self.kept = data
