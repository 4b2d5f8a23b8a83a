"""The status LED: what the board is doing, in blinks.

    led = Led(board.LED)           # {"pin": 2, "active": 0, "pwm": True}, or None
    await led.run()                # a task; the app's is that of the service
    led.show("connected")          # one of setup, offline, connected: ends the other two
    led.show("busy", 600)          # over that for 600 ms; shown again it lasts longer
    led.show("config_error")       # over everything until led.clear("config_error")
    led.latest = latest            # the table: a telegram that comes is a pulse

| state        | blinks                                  | order            |
|--------------|-----------------------------------------|------------------|
| config_error | 2 per second, and SOS in Morse code     | first            |
| setup        | 20 per second: boot and set-up          |                  |
| warning      | 1 per second, as long as it is dark     |                  |
| sync         | 10 per second: asks for the time        |                  |
| busy         | 5 per second: reading or sending        |                  |
| offline      | dark, WIFI in Morse code every 10 s     |                  |
| connected    | 1 short blink per second                | last             |

A pulse is short and dim, and shows where the LED is dark for longer. quiet leaves out connected,
sync, busy and the pulses: what a person should know about stays.
"""

from micropython import const

from .. import clock, net

SCHEMA = """\
on    | bool | null  | use the board's LED; null: yes, except where the log needs its pin
quiet | bool | false | only what somebody should act on: no blinks while all is well
"""
NEEDS = ("board", "clock", "network", "queue")

# The order is the priority: (name, ms on, ms off, in Morse code every 10 s).
_STATES = (
    ("config_error", 250, 250, "... --- ..."),  # SOS
    ("setup", 25, 25, ""),
    ("warning", 500, 500, ""),
    ("sync", 50, 50, ""),
    ("busy", 100, 100, ""),
    ("offline", 0, 1000, ".-- .. ..-. .."),  # WIFI
    ("connected", 100, 900, ""),
)
_PHASES = ("setup", "offline", "connected")  # the board is in one of them
_QUIET = ("sync", "busy", "connected")
_IDLE = ("", 0, 1000, "")
_OFF = const(0)
_FOREVER = const(-1)

_SLICE_MS = const(100)  # a change shows after this time at the latest
_MORSE_EVERY_MS = const(10000)
_DOT_MS = const(150)

of_app = None  # the app's LED, while it has one

_FULL = const(65535)
_BRIGHT = const(16384)  # of 65535: a quarter looks bright enough
_DIM = const(1024)
_PWM_HZ = const(1000)
_BOOT_HZ = const(20)
_PWM_PULSE_MS = const(40)
_PIN_PULSE_MS = const(5)  # without PWM a pulse is dim by being short


class Led:
    """One LED; without one (about is None) every call does nothing."""

    def __init__(self, about: dict | None, quiet: bool = False, machine=None) -> None:
        self._quiet = quiet
        self._until = [_OFF] * len(_STATES)  # uptime in ms, _FOREVER, or _OFF
        self.latest = None  # the table: its readings are pulses
        self._count = 0  # of readings
        self._morse_ms = 0  # uptime when a state's Morse code is due again
        self._shown = ""  # the state before, to start its Morse code anew
        self._pin = self._pwm = None
        if not about:
            return
        if machine is None:
            import machine
        self._active = 1 if about.get("active", 1) else 0
        self._pin = machine.Pin(about["pin"], machine.Pin.OUT, value=self._active)
        self._pulse_ms = _PIN_PULSE_MS
        if about.get("pwm"):
            # While the modules load no task runs: the PWM unit itself blinks for them.
            self._pwm = machine.PWM(self._pin)
            self._pwm.freq(_BOOT_HZ)
            self._pulse_ms = _PWM_PULSE_MS
            self._level(_FULL // 2)

    def show(self, state: str, for_ms: int = 0) -> None:
        """Show a state for so many ms, or until clear(); a phase ends the phase before."""
        for rank, about in enumerate(_STATES):
            if about[0] == state:
                self._until[rank] = clock.uptime_ms() + for_ms if for_ms else _FOREVER
            elif state in _PHASES and about[0] in _PHASES:
                self._until[rank] = _OFF

    def clear(self, state: str) -> None:
        """Show a state no longer."""
        for rank, about in enumerate(_STATES):
            if about[0] == state:
                self._until[rank] = _OFF

    async def run(self) -> None:
        """Blink for ever; ends at once without a LED."""
        if self._pin is None:
            return
        if self._pwm:
            self._pwm.freq(_PWM_HZ)
        try:
            while True:
                state = self._state()
                if state[0] != self._shown:
                    self._shown = state[0]
                    self._morse_ms = clock.uptime_ms() + _SLICE_MS
                if state[3] and clock.uptime_ms() >= self._morse_ms:
                    await self.send(state[3])
                else:
                    await self._blink(state)
        finally:
            self._level(0)

    def _state(self) -> tuple:
        """The most important of the states that are on."""
        until = self._until
        for rank in range(len(_STATES)):  # asked ten times a second: makes no object
            if until[rank] == _OFF:
                continue
            if until[rank] != _FOREVER and clock.uptime_ms() >= until[rank]:
                until[rank] = _OFF
            elif not (self._quiet and _STATES[rank][0] in _QUIET):
                return _STATES[rank]
        return _IDLE

    async def _blink(self, state: tuple) -> None:
        if state[1]:
            self._level(_BRIGHT)
            await self._hold(state, state[1])
        self._level(0)
        if state[2] < 500:
            self._has_come()  # it could not be told from the blinks
        await self._hold(state, state[2], True)

    async def _hold(self, state: tuple, ms: int, dark: bool = False) -> None:
        """Wait, in slices, as long as the state stays; in the dark a pulse may shine."""
        while ms > 0 and self._state() is state:
            step = min(ms, _SLICE_MS)
            if dark and self._has_come():
                step = self._pulse_ms
                self._level(_DIM)
            await clock.sleep_ms(step)
            if dark:
                self._level(0)
            ms -= step

    async def send(self, code: str) -> None:
        """Morse code; a dash is three dots, a gap between letters as well."""
        self._level(0)
        await clock.sleep_ms(5 * _DOT_MS)
        for sign in code:
            if sign != " ":
                self._level(_BRIGHT)
                await clock.sleep_ms(_DOT_MS if sign == "." else 3 * _DOT_MS)
                self._level(0)
            await clock.sleep_ms(_DOT_MS if sign != " " else 2 * _DOT_MS)
        await clock.sleep_ms(4 * _DOT_MS)
        self._morse_ms = clock.uptime_ms() + _MORSE_EVERY_MS
        self._has_come()

    def _has_come(self) -> bool:
        """Whether a telegram has come since this was asked last, and is to be seen."""
        before = self._count
        self._count = self.latest.count if self.latest and not self._quiet else 0
        return self._count != before

    def _level(self, level: int) -> None:
        """0 to 65535; a plain pin is on or off."""
        if self._pwm:
            self._pwm.duty_u16(level if self._active else _FULL - level)
        elif self._pin:
            self._pin.value(self._active if level else 1 - self._active)


class Service:
    """The board's LED shows what the app does."""

    name = "led"

    def __init__(self, section: dict, board, app_clock, network, queue) -> None:
        global of_app
        self._led = of_app = led = Led(board.LED, section["quiet"])
        self.run = led.run
        led.show("setup")
        app_clock.asking = self._asking
        network.changed = self._changed
        led.latest = queue.latest
        net.on_answer = self._answered

    def _asking(self, now: bool) -> None:
        if now:
            self._led.show("sync", 10000)
        else:
            self._led.clear("sync")

    def _changed(self, up: bool) -> None:
        self._led.show("connected" if up else "offline")

    def _answered(self) -> None:
        self._led.show("busy", 300)
