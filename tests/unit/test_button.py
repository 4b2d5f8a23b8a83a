"""The board's button while the app runs, by a clock that moves only when told."""

import asyncio
import unittest

from virtual_clock import VirtualClock

from joulelog.device import button


class Board:
    BUTTON = {"pin": 0, "active": 0}


class TestButton(unittest.TestCase):
    def play(self, *presses, board=Board, until_ms=200000):
        """What was done; presses: (from ms, to ms)."""
        virtual = VirtualClock()
        done: list = []
        real = button.held
        button.held = lambda _: any([begin <= virtual.ms < end for begin, end in presses])

        async def story():
            pressed = button.Button(board, lambda why: done.append((why, virtual.ms)))
            task = asyncio.create_task(pressed.run())
            await virtual.advance(until_ms)
            self.ended = task.done()
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        try:
            virtual.play(story())
        finally:
            virtual.restore()
            button.held = real
        return done

    def test_five_seconds_and_twenty(self):
        for ms, why in ((4800, None), (5200, "button"), (19800, "button"), (20300, "erase")):
            done = self.play((10000, 10000 + ms))
            self.assertEqual([one for one, _ in done], [why] if why else [], str(ms))
            for _, at in done:
                self.assertTrue(at >= 10000 + ms, "it was not let go yet")

    def test_short_presses_do_not_add_up(self):
        self.assertEqual(self.play(*[(n * 5000, n * 5000 + 4500) for n in range(1, 20)]), [])

    def test_a_pin_that_is_never_high_is_no_persons(self):
        self.assertEqual(self.play((0, 150000)), [])
        done = self.play((0, 50000), (60000, 66000))
        self.assertEqual([why for why, _ in done], ["button"])

    def test_without_a_button(self):
        class Bare:
            BUTTON = None

        self.assertEqual(self.play((10000, 20000), board=Bare), [])
        self.assertTrue(self.ended)

    def test_a_reader_may_have_its_pin(self):
        from joulelog import registry
        from joulelog.config import schema
        from joulelog.errors import ConfigError

        class Chip:
            NAME = "ESP32_GENERIC"
            CHIP = "esp32"
            UARTS: dict = {}
            GPIO = (4, 5)
            INPUT_ONLY = ()
            STRAPPING = ()
            REQUEST = None
            LED = None
            SD = None
            BUTTON = {"pin": 4, "active": 0}
            CAN_PULL = True

        pulse = {"type": "pulse", "pin": 4, "pulses_per_kwh": 1000}
        config = {"readers": [pulse], "sinks": []}
        checked = schema.check(config, Chip, registry)
        self.assertTrue(checked.services["button"]["on"] is False)
        config["button"] = {"on": True}
        with self.assertRaises(ConfigError) as caught:
            schema.check(config, Chip, registry)
        self.assertIn("has the button's pin, GPIO 4", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
