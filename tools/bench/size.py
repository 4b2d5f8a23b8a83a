"""How large the firmware is, how much heap it takes, and how long its steps are: `make size`.

    python3 -m tools.bench.size                          # everything
    python3 -m tools.bench.size --only steps             # one figure; it is on the last line
    python3 -m tools.bench.size --only growth --quick    # with fewer telegrams, as the tests do

    mpy        bytes of bytecode, by folder (with -v each module)
    import     heap that the modules of P1 -> MQTT take
    app        heap in use while P1 -> MQTT runs; what is left of the profile's, and in one piece
    smallest   smallest heap in which the pipeline runs
    examples   smallest heap of each config in examples/configs, per profile (some minutes)
    telegram   bytes and objects that are allocated for one telegram
    growth     heap after 10,000 telegrams, in per mille of that after 100
    files      smallest heap of PZEM -> EmonCMS and P1 -> MQTT from .mpy files, without readings on
               the flash, against what a stock image has (size_files.py)
    parts      heap of each reader, sink and other part, by the way it is installed, against the
               table of firmware/joulelog/parts.py that the start believes (parts.py); with --lower
               that is written. Some minutes; with --quick only P1 -> MQTT, as images have it
    wear       erases of the worst block in 20 years, per layout of the flash (wear.py)
    steps      longest step of any task, in milliseconds of chip time (P1 -> MQTT and InfluxDB),
               also while a day's readings leave the flash and new ones are written to it: to a
               folder of this computer, which takes no time, unlike a page in real flash
    spool      heap that the spool adds to P1 -> MQTT, and smallest heap of a drain on an ESP8266
    drain      readings of a P1 meter that leave the flash per second of VM time, by server: queue,
               spool and sink from ROMFS in 100 kB; the whole firmware frozen (--micropython) in
               100 kB, and the smallest heap of that
    frozen     heap of an image on an ESP8266 and on an ESP32, by meter and servers: used, free,
               largest block, smallest heap (--micropython); with -v what each module takes
    lan        the same of meters on the LAN: P1, a Shelly Pro 3EM, a FRITZ!DECT and a Tuya
               clamp to MQTT on an ESP32, a Shelly plug and a FRITZ!DECT each to log.php on an
               ESP8266 (--micropython)
    history    the same of P1 to MQTT with spool, quarter hours, history, peaks and the API on an
               ESP32, while a client asks (history_heaps.py; --micropython)
    setup      heap of set-up mode on an ESP8266 and on an ESP32, and of the access point beside
               P1 to MQTT and InfluxDB, while a client asks for all that there is; longest step of
               set-up mode (setup_heaps.py; --micropython)
    rom        functions, classes and globals of our modules that an image has in RAM all the same,
               for the freezer cannot know them (--micropython); with -v which, and why
    speed      time per telegram, and longest step, with code objects in flash, in percent of the
               same with these in RAM, as ratios of CPU time in one run (--micropython)
    frozen-plain  the same as frozen where functions, classes and globals are in RAM
    chip       an ESP8266's image, linked (--micropython; --esp-sdk where the compiler has no SDK;
               --board one of its boards): static RAM, IRAM, bytes of flash, and what is left for
               the SDK, without which it connects badly

Everything but `mpy` runs on the MicroPython VM (tools/host), P1 -> MQTT with a real mosquitto.
What cannot be had here is named as left out. Chip time is CPU time of this process on the VM x 200
(ESP32) or x 500 (ESP8266); of several runs' longest steps each task's shortest counts
(tools/rig/step_times.py). They are measured on a computer that does nothing else.

The limits are in tools/bench/budgets.json: they only fall; a raise needs its reason in the commit.
With --quick heap may be above its limit by what one run differs from the next (_NOISE_BYTES,
_NOISE_KB): the length of a folder's name and what is under way are on the heap too.
Exit status: 0 when all hold, 1 when one is broken, 3 when nothing could be measured.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path

from tools import ROOT, boards
from tools.bench import frozen_heaps, frozen_speed, history_heaps, lan_heaps, setup_heaps
from tools.bench.least import least
from tools.host import deps
from tools.images import chip as chip_memory
from tools.images import firmware
from tools.rig import frozen, romfs, run_vm, vm, wear
from tools.rig.step_times import Longest
from tools.sim import p1 as simulator

BUDGETS = Path(__file__).with_name("budgets.json")
_SCRIPTS = ROOT / "tools/bench/vm"
_BLOCK = 16
_SPEED = 10  # the clock of a running pipeline; the meter's line is as much faster
_STEP_FACTORS = {"esp32": 200, "esp8266": 500}
_CHIP_TIME = "ms of chip time"
_ROOMY = "220k"
_DRAINING = "170k"  # from ROMFS two sinks that drain do not fit into the profile
_QUICK_RUNS = 3
_ON_A_HEAP = ("allocated", "app", "files", "frozen", "import", "smallest heap", "spool")
_NOISE_BYTES = 640
_NOISE_KB = 2
_LATEST_S = 2  # a new reading beside a backlog, with live_first

Row = tuple[str, int, str]  # name, figure, unit


class LeftOut(Exception):
    """This cannot be measured here; the text says what it needs."""


class Measure:
    """The measurements; each yields its rows."""

    def __init__(
        self,
        budgets: dict[str, int],
        quick: bool,
        verbose: bool,
        micropython: Path | None,
        board: str | None = None,
        sdk: Path | None = None,
    ) -> None:
        self._budgets = budgets
        self._micropython = micropython
        self._board = board
        self._sdk = sdk
        self._quick = quick
        self._verbose = verbose
        self._folder = Path(tempfile.mkdtemp(prefix="joulelog-size-"))
        self._broker: subprocess.Popen | None = None
        self._port = 0
        self.parts_found: dict[str, dict[str, list[int]]] = {}

    def close(self) -> None:
        """Stop the broker, remove the files."""
        if self._broker:
            self._broker.terminate()
            self._broker.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def mpy(self) -> Iterator[Row]:
        """Bytecode of our own modules."""
        tree = romfs.build("esp32", None) / "tree"
        # What is not ours, and the page, which is there where Node has built it.
        others = {Path(place).with_suffix(".mpy") for _, place in deps.from_pypi()}
        others.add(Path("setup_page.mpy"))
        total = 0
        folders: dict[str, int] = {}
        for path in sorted(tree.rglob("*.mpy")):
            if path.relative_to(tree) in others:
                continue
            size = path.stat().st_size
            name = str(path.relative_to(tree))
            if self._verbose:
                print(f"  {size:7d}  {name}")
            folder = os.path.dirname(name) or "board"
            folders[folder] = folders.get(folder, 0) + size
            total += size
        for folder, size in sorted(folders.items()):
            yield f"mpy {folder}", size, "bytes"
        yield "mpy total", total, "bytes"

    def imports(self) -> Iterator[Row]:
        """Heap taken by the modules."""
        for profile in run_vm.PROFILES:
            found = self._run("size_import.py", [str(self._config("mqtt"))], profile, _ROOMY)
            yield f"import {profile}", _last(found, "IMPORT")[0], "bytes"

    def app(self) -> Iterator[Row]:
        """Heap of the running app."""
        for profile, sink in _combinations():
            heap = run_vm.PROFILES[profile][0]
            name = f"app {profile} P1 -> {sink}"
            count, speed = (70, 20) if self._quick else (220, _SPEED)
            text = self._pipeline(profile, sink, heap, count, speed)
            fits = frozen_heaps.delivered(text)
            if not fits:
                text = self._pipeline(profile, sink, _ROOMY, 70, 20)
            used, free = _last(text, "MEM running")
            yield f"{name}, used", used, "bytes"
            if fits:
                largest = int(re.findall(r"max free sz: (\d+)", text)[-1]) * _BLOCK
                yield f"{name}, free", -free, "bytes, less than nothing is more"
                yield f"{name}, largest block", -largest, "bytes, less than nothing is more"
            else:
                print(f"  {name}: does not run in the profile's {heap}")
            if profile == "esp8266":  # from ROMFS: the table doubles behind 1,260, 9 kB more
                names = re.findall(r"n_qstr=(\d+)", text)[-1]
                yield f"{name}, names", int(names), "names"

    def smallest(self) -> Iterator[Row]:
        """Smallest heap in which the ring fills and all is delivered, no task restarted.

        In a hurry only the budget is tried.
        """
        for profile, sink in _combinations():

            def fits(heap: int, profile=profile, sink=sink) -> bool:
                return frozen_heaps.delivered(self._pipeline(profile, sink, f"{heap}k", 70, 20))

            yield self._least(f"smallest heap {profile} P1 -> {sink}", 30, 260, fits)

    def examples(self) -> Iterator[Row]:
        """Smallest heap of each example config; in a hurry only the budgets are tried."""
        try:
            from tools.bench import example_heaps
        except ImportError as reason:
            raise LeftOut(f"what the tests need ({reason})")
        if deps.path() is None:
            raise LeftOut("mqtt_as and micropython-lib (make deps)")

        def measure(one: tuple[str, str]) -> Row:
            name = "smallest heap {1} {0}.py".format(*one)
            budget = self._budgets.get(name, 0) if self._quick else 0
            return name, stage.smallest(*one, budget), "kB"

        for profile in ("esp8266", "esp32"):
            romfs.build(profile, deps.path())  # once, not by all at a time
        folder = Path(tempfile.mkdtemp(prefix="examples-", dir=self._folder))
        with example_heaps.Stage(folder) as stage, ThreadPool(4) as pool:
            yield from pool.imap(measure, stage.runs())  # they wait, mostly

    def files(self) -> Iterator[Row]:
        """Smallest heap from .mpy files."""
        if deps.path() is None:
            raise LeftOut("mqtt_as and micropython-lib (make deps)")
        try:
            from tools.bench import size_files
        except ImportError as reason:
            raise LeftOut(f"what the tests need ({reason})")
        folder = Path(tempfile.mkdtemp(prefix="files-", dir=self._folder))
        yield from size_files.rows(folder, self._budgets, self._quick)

    def parts(self) -> Iterator[Row]:
        """Heap of each part; its budget is the firmware's table."""
        try:
            from tools.bench import parts
        except ImportError as reason:
            raise LeftOut(f"what the tests need ({reason})")
        heaps, slots = parts.table()
        folder = Path(tempfile.mkdtemp(prefix="parts-", dir=self._folder))
        with parts.Stage(folder, self._micropython) as stage:
            for way in parts.FROZEN if self._quick else parts.WAYS:
                try:
                    found = stage.measure(way, self._quick)
                except parts.LeftOut as reason:
                    print(f"parts, {way}: left out: needs {reason}")
                    continue
                for name, figures in found.items():
                    known = heaps[way].get(name, heaps[way]["other"])  # what is new
                    if name.startswith("slot "):
                        known = [slots.get(name.split()[1], slots["other"]), 0]
                    for figure, budget, more in zip(
                        figures, known, ("", ", one more"), strict=True
                    ):
                        if figure > 0:
                            row = f"part {way} {name}{more}"
                            self._budgets[row] = budget + parts.TOLERANCE
                            yield row, figure, "bytes"
                self.parts_found[way] = found

    def telegram(self) -> Iterator[Row]:
        """Allocations for one telegram of 28 channels, from bytes to the queue."""
        count = 40
        text = self._chain("telegram", count, "4M")
        used, _ = _last(text, "TELEGRAM")
        yield "allocated per telegram", used // count, "bytes"
        maps = text.split("GC memory layout")[1:]
        heads = [
            sum(len(line.replace("=", "").replace(".", "")) for line in _map(m)) for m in maps
        ]
        yield "objects per telegram", (heads[1] - heads[0]) // count, "objects"

    def growth(self) -> Iterator[Row]:
        """Heap after many telegrams."""
        count = 2000 if self._quick else 10000
        early, late, sent, telegrams = _last(self._chain("growth", count, None), "GROWTH")
        if not sent == telegrams == count:
            raise SystemExit(f"growth: {telegrams} telegrams of {count} came, {sent} were sent")
        yield (
            "heap growth from 100 to 10,000 telegrams",
            1000 * (late - early) // early,
            "per mille",
        )

    def wear(self) -> Iterator[Row]:
        """Erases of all writers together, counted on littlefs."""
        vm.ensure()
        for size, layout in sorted(wear.layouts().items()):
            days, week = (15, 3) if self._quick else (60, 7)
            figure, _ = wear.in_20_years(layout, days, week)
            yield f"erases in 20 years, {size} kB of files", figure, "of the worst block"

    def steps(self) -> Iterator[Row]:
        """Longest steps of the running pipeline."""
        yield self._step("esp32", "nl50", "plain")
        yield self._step("esp32", "lu", "encrypted")
        self._drain_kinds()  # left out where it cannot be had
        yield self._step("esp32", "nl50", "draining")

    def steps_esp8266(self) -> Iterator[Row]:
        """The same by the ESP8266's factor, which has no limit of its own."""
        yield self._step("esp8266", "nl50", "plain")

    def spool(self) -> Iterator[Row]:
        """Heap of the flash behind the queue: at rest, and as small as a drain runs in."""
        for profile in ("esp8266", "esp32"):
            used = []
            for flash_kb in (0, 100):
                text = self._pipeline(profile, "mqtt", _ROOMY, 70, 20, flash_kb)
                used.append(_last(text, "MEM running")[0])
            yield f"spool {profile}, added to P1 -> mqtt", used[1] - used[0], "bytes"
        for kind in self._drain_kinds():

            def fits(heap: int, kind=kind) -> bool:
                how = {"profile": "esp8266", "heap": f"{heap}k", "page": 256, "slots": 8}
                how["entry"] = {"batch": 1024}
                return self._drains(kind, 300, **how)

            yield self._least(f"smallest heap esp8266 drain -> {kind}", 50, 120, fits)

    def drain(self) -> Iterator[Row]:
        """How fast a day's backlog goes out in 100 kB of heap."""
        count = 1500 if self._quick else 8640
        unit = "readings per second of VM time, less than nothing is more"
        for kind in self._drain_kinds():
            yield f"drain P1 -> {kind}", -self._rate(kind, count, "live_first"), unit
        try:
            program = frozen.build(self._micropython, "esp32")
        except frozen.LeftOut as reason:
            print(f"drain of the whole firmware: left out: needs {reason}")
            return
        how = {"runtime": "frozen", "program": program}
        for kind in self._drain_kinds():
            orders = ("live_first",) if kind == "emoncms" else ("live_first", "in_order")
            slowest = min([self._rate(kind, count, order, **how) for order in orders])
            yield f"drain frozen P1 -> {kind}", -slowest, unit

            def fits(heap: int, kind=kind) -> bool:
                return self._drains(kind, 1500, heap=f"{heap}k", **how)

            yield self._least(f"smallest heap frozen drain -> {kind}", 50, 120, fits)

    def _rate(self, kind: str, count: int, backfill: str, **how) -> int:
        """Readings per second of VM time; what came late, wrong or in disorder is an error."""
        with self._drain(kind, count, backfill, **how) as one:
            one.run()
            one.check()
            if kind == "emoncms" or backfill == "in_order":
                one.check_order()
            elif max(one.lateness_s) > _LATEST_S:
                raise SystemExit(f"{kind}: a new reading came after {max(one.lateness_s):.1f} s")
        return int(one.rate)

    def _drain_kinds(self) -> tuple[str, ...]:
        if deps.path() is None:
            raise LeftOut("mqtt_as and micropython-lib (make deps)")
        try:
            from tests.servers import drain
        except ImportError as reason:
            raise LeftOut(f"what the tests need ({reason})")
        return drain.KINDS

    def _drain(self, kind: str, count: int, backfill: str, **how):
        from tests.servers import drain

        folder = Path(tempfile.mkdtemp(prefix=kind, dir=self._folder))
        return drain.Drain(folder, kind, count, "" if kind == "emoncms" else backfill, **how)

    def _drains(self, kind: str, count: int, **how) -> bool:
        """Whether so many readings leave the flash, and no task fails."""
        try:
            with self._drain(kind, count, "live_first", **how) as one:
                one.run(20)
                one.check()
        except AssertionError:
            return False
        return True

    def _least(self, name: str, low: int, high: int, fits: Callable[[int], bool]) -> Row:
        """The smallest heap in kB that fits; low does not. In a hurry only the budget is tried."""
        budget = self._budgets.get(name, 0) if self._quick else 0
        return name, least(fits, low, high, budget), "kB"

    def frozen(self) -> Iterator[Row]:
        """Heap of frozen code with code objects in flash, as images have it."""
        yield from self._frozen("frozen", True)

    def frozen_plain(self) -> Iterator[Row]:
        """The same with code objects in RAM, as MicroPython itself freezes, to compare."""
        yield from self._frozen("plain frozen", False)

    def _frozen(self, what: str, rom_code: bool) -> Iterator[Row]:
        port = self._mosquitto()
        for chip, targets in frozen_heaps.TARGETS.items():
            try:
                program = frozen.build(self._micropython, chip, rom_code)
            except frozen.LeftOut as reason:
                raise LeftOut(str(reason))
            with frozen_heaps.Heaps(self._folder, program, chip, port) as heaps:
                for target in targets:
                    if not (self._quick and target.covered):
                        name = f"{what} {chip} {target.name}"
                        yield from self._target(name, heaps, chip, target)

    def lan(self) -> Iterator[Row]:
        """The same of meters on the LAN, with their simulators."""
        for chip in lan_heaps.TARGETS:
            yield from self._heaps(lan_heaps.LanHeaps, lan_heaps.TARGETS, chip)

    def history(self) -> Iterator[Row]:
        """The same of an ESP32 that remembers, while a client asks its API."""
        for chip in history_heaps.TARGETS:
            yield from self._heaps(history_heaps.HistoryHeaps, history_heaps.TARGETS, chip)

    def _heaps(self, kind, targets: dict, chip: str) -> Iterator[Row]:
        port = self._mosquitto()
        try:
            program = frozen.build(self._micropython, chip, wanted=lan_heaps.FEATURES[chip])
        except frozen.LeftOut as reason:
            raise LeftOut(str(reason))
        with kind(self._folder, program, chip, port) as heaps:
            for target in targets[chip]:
                yield from self._target(f"frozen {chip} {target.name}", heaps, chip, target)

    def setup(self) -> Iterator[Row]:
        """Set-up mode, and the access point beside the app."""
        try:
            with setup_heaps.Setup(self._folder, self._mosquitto()) as setup:
                for way in setup_heaps.WAYS:
                    yield from self._set_up(setup, way)
                for way in (
                    () if self._quick else setup_heaps.WAYS
                ):  # other tests would lengthen it
                    yield from self._set_up_steps(setup, way)
        except frozen.LeftOut as reason:
            raise LeftOut(str(reason))

    def _set_up_steps(self, setup: setup_heaps.Setup, way: setup_heaps.Way) -> Iterator[Row]:
        steps = setup.steps(way, 5)
        name = f"longest step {way.name}"
        for task, ms in list(steps.items())[:4]:
            print(f"  {name}: {task} {ms} ms")
        yield name, max(steps.values()), _CHIP_TIME

    def _set_up(self, setup: setup_heaps.Setup, way: setup_heaps.Way) -> Iterator[Row]:
        name = f"frozen {way.name}"
        run = setup.run(way, frozen.HEAPS[way.chip])
        for _ in range(2):  # a busy computer is late with a request
            if run.delivered and run.used <= self._budgets.get(f"{name}, used", 1 << 30):
                break
            again = setup.run(way, frozen.HEAPS[way.chip])
            run = again if again.delivered else run
        if not run.delivered:
            raise SystemExit(f"{way.name} does not run:\n" + run.text[-1500:])
        yield f"{name}, used", run.used, "bytes"
        yield f"{name}, used at most", run.most, "bytes"
        yield f"{name}, free", -run.free, "bytes, less than nothing is more"
        yield f"{name}, largest block", -run.largest, "bytes, less than nothing is more"

        if way.beside:  # in less heap than Beside wants the point stays closed
            return

        def fits(heap: int) -> bool:
            return setup.run(way, heap * 1024).delivered

        low, high = run.used // 1024, frozen.HEAPS[way.chip] // 1024
        yield self._least(f"{name}, smallest heap", low, high, fits)

    def rom(self) -> Iterator[Row]:
        """What the freezer leaves in RAM of our own modules."""
        try:
            program = frozen.build(self._micropython, "esp32")  # with all features
        except frozen.LeftOut as reason:
            raise LeftOut(str(reason))
        kinds = {"class": 0, "function": 0, "global": 0}
        for kind, name, place, why in frozen.in_ram(program):
            if self._verbose:
                print(f"  {place}: {kind} {name}: {why}")
            kinds[kind] += 1
        for kind, count in kinds.items():
            yield f"left in RAM by the freezer, of kind {kind}", count, "of ours"

    def speed(self) -> Iterator[Row]:
        """What code objects in flash cost in time, as ratios."""
        try:
            programs = {
                in_flash: frozen.build(self._micropython, "esp32", in_flash)
                for in_flash in (False, True)
            }
        except frozen.LeftOut as reason:
            raise LeftOut(str(reason))
        speed = frozen_speed.Speed(self._folder, programs, self._mosquitto())
        yield "time per telegram, code in flash", speed.telegrams(), "percent of code in RAM"
        yield "longest step, code in flash", speed.steps(), "percent of code in RAM"

    def _target(self, name: str, heaps, chip: str, target) -> Iterator[Row]:
        """Heap in use where there is plenty, what the chip's has left, the smallest that does.

        In a hurry what is in use is that of the chip's.
        """
        heap_bytes = frozen.HEAPS[chip]
        run = heaps.measure(target, heap_bytes)
        if -run.largest > self._budgets.get(f"{name}, largest block", 0):  # cut by what came along
            run = max(run, heaps.measure(target, heap_bytes), key=lambda one: one.largest)
        hurry = self._quick and run.delivered
        roomy = run if hurry else heaps.measure(target, 2 * heap_bytes)
        for _ in range(2):  # an answer that is just being read comes on top
            if roomy.delivered and roomy.used > self._budgets.get(f"{name}, used", 1 << 30):
                again = heaps.measure(target, 2 * heap_bytes)
                roomy = min(roomy, again, key=lambda one: one.used) if again.delivered else roomy
        if not roomy.delivered:
            raise SystemExit(f"{name} does not run:\n" + roomy.text[-1500:])
        yield f"{name}, used", roomy.used, "bytes"
        if run.delivered:
            yield f"{name}, free", -run.free, "bytes, less than nothing is more"
            yield f"{name}, largest block", -run.largest, "bytes, less than nothing is more"
        else:
            print(f"  {name}: does not run in {heap_bytes // 1024} kB")
        if self._verbose:
            modules = heaps.measure(target, 4 * heap_bytes, "size_modules.py").text
            for line in sorted(re.findall(r"^MODULE (.*)", modules, re.M), key=_first_number):
                print(f"  {name}: {line}")

        def fits(heap: int) -> bool:
            return heaps.measure(target, heap * 1024).delivered

        low = roomy.used // 1024
        yield self._least(f"{name}, smallest heap", low, 2 * heap_bytes // 1024, fits)

    def chip(self) -> Iterator[Row]:
        """What the linked image of each ESP8266 board takes."""
        names = [n for n in boards.names() if boards.load(boards.FOLDERS / n).CHIP == "esp8266"]
        if self._board and self._board not in names:
            raise LeftOut(f"an ESP8266: BOARD={' or '.join(names)}")
        firmware.use_own_tools()
        named = self._micropython
        checkout = named.expanduser().resolve() if named else deps.micropython()
        for board in [self._board] if self._board else names:
            problems = list(firmware.missing(board, checkout, self._sdk))
            if problems:
                raise LeftOut("what `make firmware` needs: " + "; ".join(problems))
            log = self._folder / f"{board}.log"
            with log.open("w") as file:
                try:
                    output = firmware.output_of(board, checkout, [], self._sdk, log=file)
                except firmware.romcode.Unknown as reason:
                    raise LeftOut(str(reason))
            if output is None:
                raise SystemExit(f"chip {board}: this failed:\n" + log.read_text()[-2000:])
            yield from chip_memory.rows(board, chip_memory.figures(output / "firmware.elf"))

    def _step(self, profile: str, model: str, what: str) -> Row:
        from tests.servers.influxdb_v2 import InfluxDb2

        longest = Longest()
        name = f"longest step {profile} {what}"
        limit_us = self._budgets.get(name, 100) * 1000
        drains = what == "draining"
        # The meters speak every 1 and every 10 seconds; while it drains, a page fills in 64 s.
        speed = 40 if model == "lu" or drains else _SPEED
        with InfluxDb2() as influxdb:
            sinks = "mqtt" if profile == "esp8266" else "mqtt, influxdb"
            config = self._config(sinks, influxdb.url, model == "lu", speed)
            spool = self._folder / "backlog"
            if drains:
                with config.open("a") as file:
                    file.write(f'queue = {{"flash_kb": 120, "directory": "{spool}"}}\n')
            for _ in range(7):
                if drains:
                    self._fill(spool)
                telegrams = "200" if drains else "20"
                arguments = [str(config), simulator.start(model, speed), telegrams]
                heap = _ROOMY if profile == "esp8266" else _DRAINING if drains else None
                text = self._run("size_steps.py", arguments, profile, heap)
                if not frozen_heaps.delivered(text):
                    raise SystemExit("steps: the pipeline did not run:\n" + text[-1500:])
                longest.add(text)
                if self._quick and longest.us() * _STEP_FACTORS[profile] <= limit_us:
                    break
        factor = _STEP_FACTORS[profile]
        for task, us in longest.by_task()[:4]:
            print(f"  {profile} {what}: {task} {us * factor // 1000} ms")
        return name, -(-longest.us() * factor // 1000), _CHIP_TIME

    def _fill(self, spool: Path) -> None:
        """A day of readings that MQTT and InfluxDB miss; its last segment is full."""
        from tests.servers import drain

        shutil.rmtree(spool, ignore_errors=True)
        drain.write_backlog(spool, 8640, int(time.time()) - 60, ("mqtt", "influxdb"))

    def _pipeline(
        self,
        profile: str,
        sink: str,
        heap: str,
        telegrams: int,
        speed: int = _SPEED,
        flash_kb: int | None = None,
    ) -> str:
        config = self._config(sink, speed=speed)
        if flash_kb is not None:
            with config.open("a") as file:
                file.write(f'queue = {{"flash_kb": {flash_kb}}}\n')
        arguments = [str(config), simulator.start("nl50", speed), str(telegrams)]
        return self._run("size_run.py", arguments, profile, heap)

    def _chain(self, mode: str, count: int, heap: str | None) -> str:
        telegrams = self._folder / "telegrams"
        now = [1795000000]
        meter = simulator.Meter("nl50", clock=lambda: now[0])
        with telegrams.open("wb") as file:
            for _ in range(10):
                file.write(meter.telegram())
                now[0] += 10
        return self._run("size_chain.py", [mode, str(telegrams), str(count)], "esp32", heap)

    def _run(self, script: str, arguments: list[str], profile: str, heap: str | None) -> str:
        if deps.path() is None:
            raise LeftOut("mqtt_as and micropython-lib (make deps)")
        command = run_vm.command(_SCRIPTS / script, arguments, profile, heap)
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            cwd=ROOT,
            check=False,
        )
        return done.stdout.decode(errors="replace")

    def _config(
        self, sinks: str, url: str = "", encrypted: bool = False, speed: int = _SPEED
    ) -> Path:
        """Write a config for these sinks; return its path."""
        entries = {
            "console": '{"type": "console", "style": "lines"}',
            "mqtt": '{"type": "mqtt", "host": "127.0.0.1", "port": %d}' % self._mosquitto()
            if "mqtt" in sinks
            else "",
            "influxdb": '{"type": "influxdb", "url": "%s", "org": "home", "bucket": "energy", '
            '"token": "t0ken-of-the-test=="}' % url,
        }
        keys = ""
        if encrypted:
            from tools.sim import telegrams

            keys = ', "key": "%s", "auth_key": "%s"' % (
                telegrams.DEMO_KEY,
                telegrams.DEMO_AUTH_KEY,
            )
        path = self._folder / ("config_%s.py" % re.sub(r"\W+", "_", sinks + keys[-4:]))
        path.write_text(
            f'SPEED = {speed}\ndevice = "size"\nlog = {{"directory": "{self._folder}"}}\n'
            f'readers = [{{"type": "dsmr", "uart": "sim"{keys}}}]\n'
            f"sinks = [{', '.join(entries[name] for name in sinks.split(', '))}]\n"
        )
        return path

    def _mosquitto(self) -> int:
        """The port of the broker, started when it is needed first."""
        if self._broker:
            return self._port
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            raise LeftOut("mosquitto (apt install mosquitto)")
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        settings = self._folder / "mosquitto.conf"
        settings.write_text(f"listener {self._port} 127.0.0.1\nallow_anonymous true\n")
        self._broker = subprocess.Popen(
            [program, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self._port
            time.sleep(0.05)
        raise LeftOut("a mosquitto that starts")


def _combinations() -> list[tuple[str, str]]:
    return [("esp8266", "console"), *((profile, "mqtt") for profile in run_vm.PROFILES)]


def _last(text: str, key: str) -> list[int]:
    found = re.findall(rf"^{key} ([\d ]+)", text, re.M)
    if not found:
        raise SystemExit(f"the script did not say {key}:\n" + text[-1500:])
    return [int(word) for word in found[-1].split()]


def _first_number(line: str) -> int:
    return int(line.split()[0])


def _map(text: str) -> list[str]:
    """The lines of a heap map without their addresses."""
    return re.findall(r"^[0-9a-f]+: (\S+)", text, re.M)


_FIGURES: dict[str, Callable[[Measure], Iterator[Row]]] = {
    "mpy": Measure.mpy,
    "import": Measure.imports,
    "app": Measure.app,
    "smallest": Measure.smallest,
    "examples": Measure.examples,
    "files": Measure.files,
    "telegram": Measure.telegram,
    "growth": Measure.growth,
    "steps": Measure.steps,
    "steps-esp8266": Measure.steps_esp8266,
    "spool": Measure.spool,
    "drain": Measure.drain,
    "frozen": Measure.frozen,
    "frozen-plain": Measure.frozen_plain,
    "lan": Measure.lan,
    "history": Measure.history,
    "setup": Measure.setup,
    "rom": Measure.rom,
    "speed": Measure.speed,
    "chip": Measure.chip,
    "parts": Measure.parts,
    "wear": Measure.wear,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", help="some of: " + ", ".join(_FIGURES))
    parser.add_argument("--quick", action="store_true", help="fewer telegrams and runs")
    parser.add_argument("--verbose", "-v", action="store_true", help="each module's size")
    parser.add_argument("--lower", action="store_true", help="lower budgets to what was measured")
    parser.add_argument("--budgets", type=Path, default=BUDGETS, help="another file of budgets")
    parser.add_argument(
        "--micropython",
        type=Path,
        help="a checkout, for frozen, lan, history, setup, drain and chip",
    )
    parser.add_argument("--board", help="for chip: one of the ESP8266's")
    parser.add_argument("--esp-sdk", type=Path, help="for chip: a folder with an ESP8266's SDK")
    options = parser.parse_args()
    if options.lower and options.quick:
        parser.error("--lower needs a whole run, without --quick")
    wanted = options.only.split(",") if options.only else list(_FIGURES)
    unknown = [name for name in wanted if name not in _FIGURES]
    if unknown:
        parser.error(f"there is no {unknown[0]}; there are: " + ", ".join(_FIGURES))
    budgets = json.loads(options.budgets.read_text()) if options.budgets.exists() else {}
    if options.quick:
        budgets = {name: _in_a_hurry(name, limit) for name, limit in budgets.items()}
    sdk = options.esp_sdk and options.esp_sdk.expanduser().resolve()
    measure = Measure(
        budgets, options.quick, options.verbose, options.micropython, options.board, sdk
    )
    rows: list[Row] = []
    try:
        for name in wanted:
            try:
                for row in _least(name, measure, budgets, options.quick):
                    rows.append(row)
                    _print(row, budgets.get(row[0]))
            except (LeftOut, vm.Unavailable) as reason:
                print(f"{name}: left out: needs {reason}")
    finally:
        measure.close()
    if not rows:
        print("nothing could be measured here")
        return 3
    if options.lower and measure.parts_found:
        from tools.bench import parts

        parts.write(measure.parts_found)
    if options.lower:
        for name, figure, _ in rows:
            if name.startswith("part "):
                continue
            budgets[name] = min(_with_room(name, figure), budgets.get(name, 1 << 30))
        kept = {name: limit for name, limit in budgets.items() if not name.startswith("part ")}
        options.budgets.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
    broken = [row for row in rows if row[1] > budgets.get(row[0], row[1])]
    for row in broken:
        print(f"over its budget: {row[0]} is {abs(row[1])}, allowed {abs(budgets[row[0]])}")
    if options.only:
        print(
            "; ".join(f"{name}: {abs(figure)} {unit.split(',')[0]}" for name, figure, unit in rows)
        )
    else:
        print(f"{len(rows)} figures, {len(broken)} over their budget")
    return 1 if broken else 0


def _least(name: str, measure: Measure, budgets: dict, quick: bool) -> Iterator[Row]:
    """The rows; in a hurry each its least of several runs, until all keep their budgets.

    What is under way on a busy machine takes heap, and never gives any.
    """
    if not quick:
        yield from _FIGURES[name](measure)
        return
    least: dict[str, Row] = {}
    for _ in range(_QUICK_RUNS):
        for row in _FIGURES[name](measure):
            least[row[0]] = min(row, least.get(row[0], row), key=lambda one: one[1])
        if all(row[1] <= budgets.get(row[0], row[1]) for row in least.values()):
            break
    yield from least.values()


def _in_a_hurry(name: str, limit: int) -> int:
    """The limit of a quick run."""
    if not name.startswith(_ON_A_HEAP) or name.endswith("names"):
        return limit
    return limit + (_NOISE_KB if "smallest" in name else _NOISE_BYTES)


def _with_room(name: str, figure: int) -> int:
    """A budget for this figure: heap in use differs a little from run to run."""
    if name == "longest step esp32 plain":
        return 100
    if name.startswith("heap growth"):
        return 10
    if name.startswith("smallest") or name.startswith("files"):
        return figure + 3
    if name.endswith("left for the SDK"):
        return -chip_memory.SDK_BYTES
    if name.startswith("drain"):
        return -100  # what is promised; the figure itself depends on the computer
    return figure + abs(figure) // 20


def _print(row: Row, budget: int | None) -> None:
    name, figure, unit = row
    limit = "no budget" if budget is None else f"budget {abs(budget)}"
    mark = "" if budget is None or figure <= budget else "  <-- over"
    print(f"{name:44s} {abs(figure):8d} {unit.split(',')[0]:16s} {limit}{mark}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
