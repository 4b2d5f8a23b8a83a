"""Every board folder and example config is fine, and the check finds what is wrong in one."""

import sys
import unittest

if sys.implementation.name == "micropython":  # a tool of the computer's
    raise unittest.SkipTest("the check of board folders runs on a computer")

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import ROOT, boards
from tools.images import features


class TestBoards(unittest.TestCase):
    def setUp(self) -> None:
        self.work = Path(tempfile.mkdtemp())
        shutil.copytree(boards.FOLDERS / "common", self.work / "common")

    def tearDown(self) -> None:
        shutil.rmtree(self.work)

    def changed(self, name: str, old: str, new: str, file: str = "board.py") -> list[str]:
        """The problems of a copy of that board in which one text is another."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(boards.FOLDERS / name, folder)
        text = (folder / file).read_text()
        self.assertIn(old, text)
        (folder / file).write_text(text.replace(old, new, 1))
        return list(boards.folder_problems(folder))

    def finds(self, name: str, old: str, new: str, *parts: str, file: str = "board.py") -> None:
        found = self.changed(name, old, new, file)
        matching = [text for text in found if all(part in text for part in parts)]
        self.assertEqual(len(matching), 1, found)

    def facts(self, name: str, change) -> list[str]:
        """The problems of a copy of that board whose board.json was changed."""
        told = boards.facts(boards.FOLDERS / name)
        change(told)
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(boards.FOLDERS / name, folder)
        (folder / "board.json").write_text(json.dumps(told))
        return list(boards.folder_problems(folder))

    def test_all_that_is_shipped_is_fine(self):
        self.assertTrue(len(boards.names()) >= 10)
        readme = (boards.FOLDERS / "README.md").read_text()
        for name in boards.names():
            self.assertIn("| `%s` |" % name, readme)
            self.assertEqual(list(boards.folder_problems(boards.FOLDERS / name)), [], name)
        configs = sorted(boards.EXAMPLES.glob("*.py"))
        self.assertTrue(len(configs) >= 7)
        for config in configs:
            self.assertEqual(list(boards.config_problems(config)), [], config.name)

    def test_names_and_keys(self):
        self.finds("WEMOS_D1_MINI", 'NAME = "WEMOS', 'NAME = "WIMOS', "folder's name")
        self.finds("WEMOS_D1_MINI", "BUTTON = None\n", "", "no BUTTON")
        self.finds("WEMOS_D1_MINI", "BUTTON = None", "BUTTONS = None\nBUTTON = 0", "BUTTON is 0")
        self.finds("ESP32_GENERIC", "SD = None", "SD = None\nCOLOUR = 1", "COLOUR is unknown")
        self.finds("ESP32_GENERIC", 'CHIP = "esp32"', 'CHIP = "esp31"', "allowed: esp32, esp32s2")
        self.finds("ESP32_GENERIC", "UARTS = {", "UARTS = (", "does not run")
        self.finds("ESP32_GENERIC", '"title"', '"name"', "no `title`", file="board.json")

    def test_files_and_chip(self):
        for file in ("board.py", "board.json"):
            self.changed("HOST", "NAME", "NAME")
            (self.work / "HOST" / file).unlink()
            found = list(boards.folder_problems(self.work / "HOST"))
            self.assertEqual(found, [file + " is missing"])
        found = self.facts("ESP32_GENERIC", lambda told: told.update(chip="esp32s2"))
        self.assertEqual(found, ["board.json has the chip 'esp32s2', board.py 'esp32'"])

    def test_pins_of_the_chip(self):
        self.finds("ESP32_GENERIC", "18, 19, 21", "18, 19, 20, 21", "GPIO has 20", "has not")
        self.finds("ESP32_GENERIC", "4, 5, 12", "4, 5, 6, 12", "GPIO has 6", "flash")
        self.finds("ESP32_GENERIC", "GPIO = (0, 2", "GPIO = (0, 1, 2", "GPIO has 1", "REPL")
        self.finds("ESP32_GENERIC", "GPIO = (0, 2", "GPIO = (2, 0", "not in order")
        self.finds("ESP32_GENERIC", "(34, 35, 36, 39)\nS", "(34, 35, 36)\nS", "INPUT_ONLY is")
        self.finds("ESP32_GENERIC", '    (0, "low: download mode"),\n', "", "STRAPPING is")
        self.finds("M5STICKC_PLUS", '"10"', '"9"', "GPIO has 10", "flash", file="board.json")

    def test_uarts_of_the_chip(self):
        self.finds("LILYGO_T8_C3", "UARTS = {1:", "UARTS = {2:", "UARTS has 2", "[0, 1]")
        self.finds("WEMOS_D1_MINI", "UARTS = {0:", "UARTS = {1:", "UARTS has 1", "[0]")
        self.finds("ESP32_GENERIC", '"tx": 25', '"sx": 25', "allowed: rx, tx")
        self.finds(
            "WEMOS_D1_MINI", "CAN_INVERT = False", "CAN_INVERT = True", "CAN_INVERT is True"
        )

    def test_every_pin_has_one_job(self):
        self.finds("LILYGO_T8_C3", '"pin": 3', '"pin": 4', "SD sck and LED are both GPIO 4")
        self.finds("LILYGO_T8_C3", "REQUEST = 8", "REQUEST = 2", "REQUEST and RX of UART 1")
        self.finds("ESP32_GENERIC", "REQUEST = 4", "REQUEST = 34", "can only receive")
        self.finds("ESP32_GENERIC", '"tx": 25', '"tx": 35', "TX of UART 1 is GPIO 35", "receive")
        self.finds("ESP32_GENERIC", '"rx": 26', '"rx": 40', "which the chip has not")
        self.finds("ESP32_GENERIC", '"rx": 26', '"rx": 7', "which belongs to the flash")
        self.finds("M5STICKC_PLUS", '"rx": 33', '"rx": 27', "which is not in GPIO")
        self.finds("M5STICKC_PLUS", '{"pin": 37', '{"pin": 36', "BUTTON and RX of UART 1 are both")
        self.finds("M5STICKC_PLUS", '"active": 0, "pwm"', '"active": 2, "pwm"', "GPIO 10 is 2")

    def test_strapping_pins_need_a_reason(self):
        """What bricked boards of this kind: the meter pulls GPIO 9 low, and they do not start."""
        self.finds("LILYGO_T8_C3", "REQUEST = 8", "REQUEST = 9", "REQUEST is GPIO 9", "download")
        found = self.facts("LILYGO_T8_C3", lambda told: told["own_strapping_pins"].pop("2"))
        self.assertEqual(len(found), 1)
        self.assertIn("RX of UART 1 is GPIO 2", found[0])
        found = self.facts(
            "LILYGO_T8_C3", lambda told: told["own_strapping_pins"].update({"2": ""})
        )
        self.assertEqual(found, ["`own_strapping_pins` gives no reason for GPIO 2"])

    def test_flash_plan(self):
        def layout(name: str, **values):
            return lambda told: told["flash"]["layouts"][name].update(values)

        def share(name: str, **values):
            return lambda told: told["flash"]["layouts"][name]["plan"].update(values)

        def only(found: list[str], *parts: str) -> None:
            self.assertEqual(len(found), 1, found)
            for part in parts:
                self.assertIn(part, found[0])

        board = "ESP32_GENERIC"
        only(self.facts(board, share("frozen", spill=60, history=8)), "add up to 101 %")
        only(self.facts(board, share("files", spill=20, logs=20)), "the plan with files")
        only(self.facts(board, share("frozen", application=10, spill=40)), "its share", "is 0")
        only(self.facts(board, share("frozen", logs=6, spill=60)), "log takes 70 kB", "is 27 kB")
        only(self.facts(board, layout("files", firmware_kb=2100)), "do not fit into 4096 kB")
        only(self.facts(board, lambda told: told["flash"].update(kb=2048)), "FLASH_KB 4096")
        only(self.facts(board, lambda told: told["flash"]["layouts"].pop("frozen")), "no layout")
        only(self.facts(board, share("files", spares=0)), "the plan has", "allowed: application")
        self.finds(board, '"size_kb": 70', '"size_kb": 200', "layout frozen", "its share is 73")

    def test_partition_table(self):
        def table(old: str, new: str) -> list[str]:
            folder = self.work / "ESP32_GENERIC"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(boards.FOLDERS / "ESP32_GENERIC", folder)
            text = (boards.FOLDERS / "common/partitions-4MiB.csv").read_text()
            self.assertIn(old, text)
            (folder / "partitions.csv").write_text(text.replace(old, new, 1))
            return list(boards.folder_problems(folder))

        self.assertEqual(table("nvs,  ", "nvs,"), [])
        self.assertIn("inside of what is before it", table("0xd000", "0xc000")[0])
        self.assertIn("vfs [454656]", table("0x70000", "0x6f000")[0])
        self.assertIn("not aligned", table("0x10000, ", "0x11000, ")[0])
        self.assertIn("ends at 0x410000", table("0x70000", "0x80000")[0])
        self.assertIn(
            "slots [1835008, 1769472]", table("0x1d0000, 0x1c0000", "0x1d0000, 0x1b0000")[0]
        )

    def test_build_files(self):
        for name, file in (
            ("ESP32_GENERIC", "mpconfigboard.cmake"),
            ("ESP32_GENERIC", "manifest.py"),
            ("WEMOS_D1_MINI", "mpconfigboard.mk"),
            ("WEMOS_D1_MINI", "mpconfigboard.h"),
        ):
            self.changed(name, "NAME", "NAME")
            (self.work / name / file).unlink()
            found = list(boards.folder_problems(self.work / name))
            self.assertEqual(found, [file + " is missing: MicroPython's build needs it"])
        file = "mpconfigboard.cmake"
        self.finds("ESP32_GENERIC", "esp32)", "esp32s2)", "does not set IDF_TARGET", file=file)

    def test_a_config_is_checked_as_on_the_board(self):
        def said(reader: dict, board: str) -> str:
            path = self.work / "config.py"
            path.write_text("board = %r\nreaders = [%r]\n" % (board, dict(reader, type="dsmr")))
            found = list(boards.config_problems(path))
            self.assertEqual(len(found), 1, found)
            return found[0]

        text = said({"uart": 1, "request_pin": 9}, "LILYGO_T8_C3")
        self.assertIn("`request_pin` is GPIO 9", text)
        self.assertIn("low: download mode", text)
        self.assertIn("only receive", said({"uart": 2, "request_pin": 34}, "ESP32_GENERIC"))
        self.assertIn("UARTs of this board", said({"uart": 2}, "LILYGO_T8_C3"))
        self.assertIn("uses already", said({"uart": 2, "request_pin": 17}, "ESP32_GENERIC"))
        self.assertIn("LED", said({"uart": 2, "request_pin": 10}, "M5STICKC_PLUS"))
        self.assertIn("`tx` 15 with `rx` 13", said({"uart": 0, "rx": 13}, "WEMOS_D1_MINI"))
        self.assertIn("no pull resistor", said({"uart": 0, "pull": "up"}, "WEMOS_D1_MINI"))
        self.assertIn("GPIO numbers", said({"uart": 2, "rx": 6}, "ESP32_GENERIC"))
        self.assertIn("allowed: ESP32_GENERIC,", said({"uart": 2}, "ESP33"))

    def test_an_esp8266_with_a_meter_of_the_network(self):
        """With the features that docs/install.md tells; without them it says which to build."""
        page = (ROOT / "docs/install.md").read_text()
        (line,) = re.findall(r'make firmware BOARD=(\S+) FEATURES="(http_json.*)"', page)
        wanted = features.named(line[1])
        webhook = {"type": "webhook", "url": "http://example.org/log.php", "key": "k"}
        plug = {"type": "http_json", "name": "one", "device": "shelly", "host": "192.0.2.1"}
        dect = {"type": "fritz", "name": "one", "password": "p", "ain": "1"}
        for reader in (plug, dect):
            path = self.work / "config.py"
            sinks = [dict(webhook, values=["one.power"])]
            path.write_text(f"board = {line[0]!r}\nreaders = [{reader!r}]\nsinks = {sinks!r}\n")
            self.assertEqual(list(boards.config_problems(path, None, wanted)), [])
            said = " ".join(boards.config_problems(path))
            self.assertIn(f"this image has no {reader['type']}", said)
            self.assertIn("make firmware BOARD=", said)

    def test_exit_status(self):
        """Of the command that `make boards` runs."""

        def run(*arguments: str) -> tuple[int, str]:
            command = [sys.executable, "-m", "tools.boards"] + list(arguments)
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            return done.returncode, done.stdout.splitlines()[-1]

        configs = len(list(boards.EXAMPLES.glob("*.py")))
        everything = "%d boards, %d configs, 0 problems" % (len(boards.names()), configs)
        self.assertEqual(run(), (0, everything))
        self.assertEqual(run("--board", "HOST"), (0, "1 boards, 0 configs, 0 problems"))
        path = self.work / "config.py"
        path.write_text('readers = [{"type": "dsmr", "uart": 3}]')
        told = "0 boards, 1 configs, 1 problems"
        self.assertEqual(run("--config", str(path), "--board", "ESP32_GENERIC"), (1, told))


if __name__ == "__main__":
    unittest.main()
