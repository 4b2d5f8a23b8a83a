"""Boot an image in an emulator of the whole chip, and see it deliver: `make boot-image`.

    make boot-image IMAGE=build/images/joulelog-0.1.0-ESP32_GENERIC_C3.bin \\
        QEMU=~/qemu/build/qemu-system-riscv32
    python3 -m tools.images.boot_image --image … --qemu … [--minutes 60]

The image starts with empty files and has to say that it is not configured. Then it gets a telegram
and a config by its REPL, starts again, joins the emulated Wi-Fi and has to deliver the telegram's
numbers to a real mosquitto, digit for digit. The heap is told before, and every five minutes while
it runs: the last line says whether it shrinks.

QEMU is a program that emulates chip and Wi-Fi: lcgamboa's fork of Espressif's QEMU, for the ESP32
and the ESP32-C3. Espressif's own has no Wi-Fi. Nothing that builds one is in this repository.

Exit status 1: the image does not do it. 3: cannot be shown here, and why.
"""

import argparse
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho

from tools import boards
from tools.flash import FlashError
from tools.flash.link import Link
from tools.images import espimage, releases
from tools.sim.p1 import Meter

_NETWORK = "192.168.4.0/24"  # of the emulated Wi-Fi; this computer is .2 in there
_HERE = "192.168.4.2"
_SSID = "PICSimLabWifi"  # an open network that the emulator has
_DEVICE = "emulated"
_START_S = 20  # of the emulator itself
_BOOT_S = 120
_DELIVERY_S = 180
_LOST_PER_HOUR = 2048  # bytes of heap: what is less cannot be told from noise within an hour
_CONFIG = """\
device = "{device}"
wifi = {{"ssid": "{ssid}", "password": ""}}
clock = {{"ntp": []}}
readers = [
    {{"type": "replay", "name": "meter", "file": "/telegram.txt", "pause_ms": 10000}},
    {{"type": "health", "name": "health", "interval": 10}},
]
sinks = [{{"type": "mqtt", "host": "{host}", "port": {port}, "layout": "topics"}}]
"""
# A number of the telegram, and the value that it becomes.
_OBIS, _KEY = "1-0:1.8.1", "energy_import_t1"


class LeftOut(Exception):
    """Cannot be shown here; the text says what is missing."""


class Failed(Exception):
    """The image does not do what it has to."""


@dataclass(frozen=True)
class Machine:
    """How an emulator is to be called for a chip."""

    name: str
    nic: str
    fuses: int  # bytes
    revision: dict[int, int]  # place in the fuses -> byte: a chip that current images run on
    options: tuple[str, ...] = ()


# From the emulator's own text, and from the IDF's `idf.py qemu` for the fuses.
MACHINES = {
    "esp32": Machine("esp32-picsimlab", "esp32_wifi", 124, {13: 0x80, 22: 0x10}),
    "esp32c3": Machine(
        "esp32c3-picsimlab",
        "esp32c3_wifi",
        1024,
        {38: 0x0C},
        ("-icount", "shift=3,align=off,sleep=on"),
    ),
}


def board_of(image: Path) -> str:
    """The board that an image is for; LeftOut where it is none that can be booted."""
    if not image.is_file():
        raise LeftOut(f"IMAGE={image} is no file; make firmware makes one, in build/images")
    data = image.read_bytes()
    told = espimage.told(data)
    if told is None or told.board not in releases.image_boards():
        raise LeftOut(f"{image.name} does not say for which board it is: make firmware makes one")
    facts = boards.facts(boards.FOLDERS / told.board)
    if facts["chip"] not in MACHINES:
        raise LeftOut(
            f"no emulator of a whole {facts['chip']} with Wi-Fi is known; there are some for: "
            + ", ".join(MACHINES)
        )
    try:
        espimage.read(data, int(facts["micropython"]["offset"], 0), facts["chip"])
    except espimage.ImageError as problem:
        raise LeftOut(f"{image.name} {problem}") from None
    return told.board


def check_emulator(qemu: str, machine: Machine) -> str:
    """The path of the emulator; LeftOut where it is none for this chip."""
    program = shutil.which(str(Path(qemu).expanduser())) if qemu else None
    if not program:
        raise LeftOut(
            f"QEMU={qemu} is no program: give one that has the machine {machine.name}"
            " (github.com/lcgamboa/qemu)"
        )
    told = subprocess.run([program, "-machine", "help"], capture_output=True, text=True)
    names = [line.split()[0] for line in told.stdout.splitlines()[1:] if line.strip()]
    if machine.name not in names:
        raise LeftOut(
            f"{program} has no machine {machine.name} (github.com/lcgamboa/qemu has); it has: "
            + ", ".join(names)
        )
    return program


def command(program: str, board: str, image: Path, folder: Path) -> list[str]:
    """Write flash and fuses into the folder; the emulator's command line."""
    facts = boards.facts(boards.FOLDERS / board)
    chip, machine = facts["chip"], MACHINES[facts["chip"]]
    offset = int(facts["micropython"]["offset"], 0)
    flash, fuses = folder / "flash.bin", folder / "fuses.bin"
    whole = b"\xff" * offset + image.read_bytes()
    flash.write_bytes(whole.ljust(facts["flash"]["kb"] * 1024, b"\xff"))
    burnt = bytearray(machine.fuses)
    for place, value in machine.revision.items():
        burnt[place] = value
    fuses.write_bytes(burnt)
    return [
        *(program, "-M", machine.name, "-display", "none", "-monitor", "none", "-serial", "pty"),
        *("-drive", f"file={flash},if=mtd,format=raw"),
        *("-drive", f"file={fuses},if=none,format=raw,id=efuse"),
        *("-global", f"driver=nvram.{chip}.efuse,property=drive,value=efuse"),
        *("-global", f"driver=timer.{chip}.timg,property=wdt_disable,value=true"),
        *("-nic", f"user,model={machine.nic},net={_NETWORK}"),
        *machine.options,
    ]


@contextmanager
def running(line: list[str]) -> Iterator[str]:
    """The emulator; its serial port."""
    process = subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said: list[str] = []

    def listen() -> None:
        for text in process.stdout or ():
            said.append(text)

    threading.Thread(target=listen, daemon=True).start()
    try:
        end = time.monotonic() + _START_S
        while True:
            found = re.search(r"redirected to (\S+)", "".join(said))
            if found:
                break
            if process.poll() is not None or time.monotonic() > end:
                raise LeftOut("the emulator does not start: " + "".join(said)[-500:].strip())
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()


class Broker:
    """A real mosquitto, and what arrives there: `messages` has the newest text of each topic."""

    def __init__(self, folder: Path) -> None:
        places = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin"
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path=places)
        if not program:
            raise LeftOut("mosquitto is missing: apt install mosquitto")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        settings = folder / "mosquitto.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process = subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL)
        self.messages: dict[str, str] = {}
        self.count = 0
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{_DEVICE}/#", 1)
        self._client.on_message = self._message

    def __enter__(self) -> "Broker":
        end = time.monotonic() + 10
        while True:
            try:
                self._client.connect("127.0.0.1", self.port)
                break
            except OSError as problem:
                if time.monotonic() > end:
                    self._process.kill()
                    raise LeftOut(f"mosquitto does not start: {problem}") from None
                time.sleep(0.05)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.loop_stop()
        self._process.terminate()
        self._process.wait(10)

    def _message(self, _client, _data, message) -> None:
        self.messages[message.topic] = message.payload.decode("utf-8", "replace")
        self.count += 1


def first_start(link: Link) -> tuple[int, list]:
    """It says that it is not configured; the heap at its prompt."""
    text = link.watch(_BOOT_S)
    if "is not configured yet" not in text:
        raise Failed("a fresh image does not say that it is not configured")
    link.attach()
    return link.heap()


def configure(link: Link, port: int, host: str) -> str:
    """Give it a telegram and a config, and start it; the number that has to arrive."""
    meter = Meter("nl50", clock=lambda: 1795000000)
    link.write("/telegram.txt", meter.telegram())
    config = _CONFIG.format(device=_DEVICE, ssid=_SSID, host=host, port=port)
    link.write("/config.py", config.encode())
    link.restart()
    if "INFO start: JouleLog" not in link.watch(_BOOT_S):
        raise Failed("with a config it does not start")
    return meter.values[_OBIS]


def watch(link: Link, broker: Broker, wanted: str, seconds: float) -> list[tuple[float, int]]:
    """Let it run; (seconds, free bytes of heap) of each look that it took at its heap."""
    begun = time.monotonic()
    delivered = False
    samples: list[tuple[float, int]] = []
    while True:
        passed = time.monotonic() - begun
        found = broker.messages.get(f"{_DEVICE}/meter/{_KEY}")
        if found is not None and found != wanted:
            raise Failed(f"{_KEY} is {found}, and {wanted} in the telegram")
        if found and not delivered:
            delivered = True
            print(f"delivered after {passed:.0f} s: {_KEY} {found}", flush=True)
        if not delivered and passed > _DELIVERY_S:
            raise Failed(f"nothing was delivered within {_DELIVERY_S} s")
        free = broker.messages.get(f"{_DEVICE}/health/heap_free", "")
        if free.isdigit() and (not samples or samples[-1][1] != int(free)):
            samples.append((passed, int(free)))
            print(f"after {passed / 60:.1f} minutes: {free} bytes of heap free", flush=True)
        if passed >= seconds and delivered and samples:
            return samples
        if passed > seconds + _DELIVERY_S:
            raise Failed("it tells nothing of its heap")
        if link.watch(1).rstrip().endswith(">>>"):
            raise Failed("it ended")


def lost_per_hour(samples: list[tuple[float, int]]) -> float | None:
    """Bytes of heap, by a line through what was seen after the first third; None: too little."""
    last = samples[-1][0]
    rows = [(at, free) for at, free in samples if at >= last / 3]
    if len(rows) < 4:
        return None
    at_mean = sum(at for at, _ in rows) / len(rows)
    free_mean = sum(free for _, free in rows) / len(rows)
    above = sum((at - at_mean) * (free - free_mean) for at, free in rows)
    return -3600 * above / sum((at - at_mean) ** 2 for at, _ in rows)


def boot(image: Path, qemu: str, seconds: float, host: str) -> str:
    """Boot it and let it run; the line that says how the heap did."""
    board = board_of(image)
    program = check_emulator(qemu, MACHINES[boards.facts(boards.FOLDERS / board)["chip"]])
    with tempfile.TemporaryDirectory() as name, Broker(Path(name)) as broker:
        line = command(program, board, image, Path(name))
        print("+ " + " ".join(line), flush=True)
        with running(line) as port, Link(port) as link:
            free, parts = first_start(link)
            shown = " / ".join(str(part[1]) for part in parts)
            print(f"heap at the prompt: {free} bytes free; the IDF's: {shown or 'not told'}")
            wanted = configure(link, broker.port, host)
            samples = watch(link, broker, wanted, seconds)
    lost = lost_per_hour(samples)
    told = f"{broker.count} messages; heap free: {free} before, {samples[0][1]} at first,"
    told += f" {min(free for _, free in samples)} least, {samples[-1][1]} at last"
    if lost is None:
        return told + "; too short to say whether it shrinks (MINUTES=60)"
    if lost > _LOST_PER_HOUR:
        raise Failed(f"{told}; it shrinks by {lost:.0f} bytes per hour")
    return f"{told}; it does not shrink ({lost:.0f} bytes per hour)"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--image", type=Path, default=Path())
    parser.add_argument("--qemu", default="", help="a program that emulates the whole chip")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument(
        "--host", default=_HERE, help="this computer, as the emulated chip sees it"
    )
    given = parser.parse_args(arguments)
    try:
        print(boot(given.image, given.qemu, given.minutes * 60, given.host))
    except LeftOut as problem:
        print(f"boot-image: left out: {problem}", file=sys.stderr)
        return 3
    except (Failed, FlashError) as problem:
        print(f"boot-image: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
