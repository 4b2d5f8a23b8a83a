"""Check the board folders, and configs against their boards: `make boards`.

    python3 -m tools.boards                               # every folder, every example config
    python3 -m tools.boards boards/MY_BOARD               # one folder; also --board MY_BOARD
    python3 -m tools.boards --config config.py            # a config (BOARD by its `board`)
    python3 -m tools.boards --config config.py --board WEMOS_D1_MINI --features "dsmr mqtt"

A folder is checked for what its chip has (pins, UARTS, input-only and strapping pins, flash), for
pins with two jobs, for a flash plan that adds up, and for a log that fits into it. A config is
checked as on the board: by the board's own code, with the board's own data. So is the heap that it
needs, in each way to install; one that does not fit even as an image is a problem.
--features: as on an image that was built with these.

What the chips have is what Espressif's data sheets list.
Exit status: 0 fine, 1 problems (one per line), 2 wrong arguments.
"""

import argparse
import json
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, user_config
from tools.images import features

FOLDERS = ROOT / "boards"
EXAMPLES = ROOT / "examples/configs"
_SHARED = "common"


@dataclass(frozen=True)
class Chip:
    """What a chip has, whatever board it sits on."""

    pins: frozenset[int]  # that exist
    flash_pins: frozenset[int]  # that the flash may take, by module
    input_only: frozenset[int]
    strapping: dict[int, str]  # a level in a reset that keeps the firmware from starting
    uarts: frozenset[int]  # that can receive
    console: frozenset[int]  # REPL's UART pins
    can_invert: bool


def _pins(*ranges: tuple[int, int]) -> frozenset[int]:
    return frozenset(pin for low, high in ranges for pin in range(low, high + 1))


_DOWNLOAD = "low: download mode"
_VOLTAGE = "high: flash at 1.8 V, no start"
CHIPS = {
    "esp32": Chip(
        pins=_pins((0, 19), (21, 23), (25, 27), (32, 39)),
        flash_pins=_pins((6, 11)),
        input_only=_pins((34, 39)),
        strapping={0: _DOWNLOAD, 12: _VOLTAGE},
        uarts=frozenset((0, 1, 2)),
        console=frozenset((1, 3)),
        can_invert=True,
    ),
    "esp32s2": Chip(
        pins=_pins((0, 21), (26, 46)),
        flash_pins=_pins((26, 32)),
        input_only=frozenset((46,)),
        strapping={0: _DOWNLOAD, 45: _VOLTAGE},
        uarts=frozenset((0, 1)),
        console=frozenset((43, 44)),
        can_invert=True,
    ),
    "esp32s3": Chip(
        pins=_pins((0, 21), (26, 48)),
        flash_pins=_pins((26, 37)),  # 33 to 37: octal flash or PSRAM
        input_only=frozenset(),
        strapping={0: _DOWNLOAD, 45: _VOLTAGE},
        uarts=frozenset((0, 1, 2)),
        console=frozenset((43, 44)),
        can_invert=True,
    ),
    "esp32c3": Chip(
        pins=_pins((0, 21)),
        flash_pins=_pins((11, 17)),
        input_only=frozenset(),
        strapping={2: "low: may not start", 9: _DOWNLOAD},
        uarts=frozenset((0, 1)),
        console=frozenset((20, 21)),
        can_invert=True,
    ),
    "esp8266": Chip(
        pins=_pins((0, 16)),
        flash_pins=_pins((6, 11)),
        input_only=frozenset(),
        strapping={0: _DOWNLOAD, 2: "low: no start", 15: "high: no start from flash"},
        uarts=frozenset((0,)),
        console=frozenset(),  # the meter takes it over
        can_invert=False,
    ),
}

# name -> type; what every board.py has. HOST, which has no pins, has the first part.
_KEYS: dict[str, type | tuple] = {
    "NAME": str,
    "CHIP": str,
    "UARTS": dict,
    "RX_BUFFER": int,
    "LINE_BUFFER": int,
    "CAN_INVERT": bool,
    "LOG_DIRECTORY": str,
    "GC_THRESHOLD": int,
    "DEFAULTS": dict,
}
_CHIP_KEYS: dict[str, type | tuple] = {
    "FLASH_KB": int,
    "GPIO": tuple,
    "INPUT_ONLY": tuple,
    "STRAPPING": tuple,
    "LED": (dict, type(None)),
    "BUTTON": (dict, type(None)),
    "REQUEST": (int, type(None)),
    "SD": (dict, type(None)),
    "CAN_PULL": bool,
}
_OPTIONAL: dict[str, type | tuple] = {
    "UART_PAIRS": tuple,
    "LOG_UART": int,
    "LOG_BUFFER": int,
    "SEND_BUFFER": int,
    "SPARES_NTP": bool,
    "WATCHDOG_MS": int,
    "RESET_STATE": int,
    "FEATURES": tuple,
}

_PLAN = ("application", "spill", "logs", "history", "free")
_PLAN_FILES = (40, 30, 10, 10, 10)  # percent; the application lies among the files
_DEFAULT_LOG_KB = 500
_WAYS = {"frozen": "as an image", "romfs": "from ROMFS", "files": "from files"}
_SMALL_WAYS = {"small-frozen": "as an image"}  # nothing fits otherwise
_FACTS = ("title", "chip", "usb", "download_mode", "notes")


def names() -> list[str]:
    """The boards there are."""
    return sorted(f.name for f in FOLDERS.iterdir() if f.is_dir() and f.name != _SHARED)


def load(folder: Path) -> types.ModuleType:
    """Run a board.py and return it as a module."""
    module = types.ModuleType("board")
    module.__file__ = str(folder / "board.py")
    exec(compile((folder / "board.py").read_text(), module.__file__, "exec"), module.__dict__)
    return module


def facts(folder: Path) -> dict:
    """What board.json says: facts for people and tools, not for the firmware."""
    return json.loads((folder / "board.json").read_text())


def folder_problems(folder: Path) -> Iterator[str]:
    """Yield what is wrong with a board's folder."""
    for name in ("board.py", "board.json"):
        if not (folder / name).exists():
            yield f"{name} is missing"
            return
    try:
        board = load(folder)
    except Exception as error:
        yield f"board.py does not run: {error!r}"
        return
    try:
        told = facts(folder)
    except ValueError as error:
        yield f"board.json is no JSON: {error}"
        return
    known = dict(_KEYS) if folder.name == "HOST" else {**_KEYS, **_CHIP_KEYS}
    wrong = list(_key_problems(board, known))
    for key in _FACTS:
        if key not in told:
            wrong.append(f"board.json has no `{key}`")
    yield from wrong
    if wrong:
        return
    if folder.name != board.NAME:
        yield f"NAME is {board.NAME!r}; allowed is the folder's name, {folder.name!r}"
    if told["chip"] != board.CHIP:
        yield f"board.json has the chip {told['chip']!r}, board.py {board.CHIP!r}"
    if folder.name == "HOST":
        return
    if board.CHIP not in CHIPS:
        yield f"CHIP is {board.CHIP!r}; allowed: {', '.join(CHIPS)}"
        return
    yield from _feature_problems(board)
    yield from _pin_problems(board, CHIPS[board.CHIP], told)
    yield from _flash_problems(board, folder, told)
    yield from _build_problems(board, folder)


def _feature_problems(board: types.ModuleType) -> Iterator[str]:
    try:
        features.check(getattr(board, "FEATURES", ()))
    except ValueError as error:
        yield f"FEATURES: {error}"


def _key_problems(board: types.ModuleType, known: dict) -> Iterator[str]:
    for key, kind in known.items():
        if not hasattr(board, key):
            yield f"board.py has no {key}"
        elif not isinstance(getattr(board, key), kind):
            yield f"{key} is {getattr(board, key)!r}: the wrong type"
    for key in vars(board):
        if key.isupper() and key not in {**_KEYS, **_CHIP_KEYS, **_OPTIONAL}:
            yield f"{key} is unknown; what every board has: {', '.join(known)}"


def jobs(board: types.ModuleType) -> Iterator[tuple[int, str, bool]]:
    """Yield (pin, what for, whether the chip drives it) of all that the board itself uses."""
    for number, pins in board.UARTS.items():
        yield pins["rx"], f"RX of UART {number}", False
        yield pins["tx"], f"TX of UART {number}", True
    if board.REQUEST is not None:
        yield board.REQUEST, "REQUEST", True
    if board.LED:
        yield board.LED["pin"], "LED", True
    if board.BUTTON:
        yield board.BUTTON["pin"], "BUTTON", False
    for key, pin in (board.SD or {}).items():
        yield pin, f"SD {key}", key != "miso"


def _pin_problems(board: types.ModuleType, chip: Chip, told: dict) -> Iterator[str]:
    for pin in sorted(set(board.GPIO) - chip.pins):
        yield f"GPIO has {pin}, which the chip has not"
    for pin in sorted(set(board.GPIO) & _flash_pins(chip, told)):
        yield f"GPIO has {pin}, which belongs to the flash"
    for pin in sorted(set(board.GPIO) & chip.console):
        yield f"GPIO has {pin}, which belongs to the REPL"
    if tuple(sorted(set(board.GPIO))) != board.GPIO:
        yield "GPIO is not in order, or has a pin twice"
    expected = tuple(sorted(chip.input_only & set(board.GPIO)))
    if expected != board.INPUT_ONLY:
        yield f"INPUT_ONLY is {board.INPUT_ONLY}; of GPIO these can only receive: {expected}"
    expected = tuple(p for p in sorted(chip.strapping.items()) if p[0] in board.GPIO)
    if expected != board.STRAPPING:
        yield f"STRAPPING is {board.STRAPPING}; of GPIO these keep it from starting: {expected}"
    for number, pins in board.UARTS.items():
        if number not in chip.uarts:
            yield f"UARTS has {number}; UARTs of the chip that can receive: {sorted(chip.uarts)}"
        if sorted(pins) != ["rx", "tx"]:
            yield f"UARTS[{number}] has {sorted(pins)}; allowed: rx, tx"
            return
    if chip.can_invert != board.CAN_INVERT:
        yield f"CAN_INVERT is {board.CAN_INVERT}, but for the chip it is {chip.can_invert}"
    for pin, active in [(x["pin"], x["active"]) for x in (board.LED, board.BUTTON) if x]:
        if active not in (0, 1):
            yield f"`active` of GPIO {pin} is {active!r}; allowed: 0, 1"
    yield from _job_problems(board, chip, told)


def _flash_pins(chip: Chip, told: dict) -> set[int]:
    """Without those that a module with the flash inside leaves free, as board.json tells."""
    return set(chip.flash_pins) - {int(pin) for pin in told.get("free_flash_pins", {})}


def _job_problems(board: types.ModuleType, chip: Chip, told: dict) -> Iterator[str]:
    own = told.get("own_strapping_pins", {})
    strapping = dict(chip.strapping)
    taken: dict[int, str] = {}
    for pin, job, drives in jobs(board):
        if pin not in chip.pins:
            yield f"{job} is GPIO {pin}, which the chip has not"
        elif pin in _flash_pins(chip, told):
            yield f"{job} is GPIO {pin}, which belongs to the flash"
        elif pin not in board.GPIO and job not in ("BUTTON", "LED"):
            yield f"{job} is GPIO {pin}, which is not in GPIO"
        if drives and pin in chip.input_only:
            yield f"{job} is GPIO {pin}, which can only receive"
        if pin in taken:
            yield f"{job} and {taken[pin]} are both GPIO {pin}"
        taken[pin] = job
        if pin in strapping and job not in ("BUTTON", "LED") and str(pin) not in own:
            text = "say in board.json under `own_strapping_pins` why that works, or take another"
            yield f"{job} is GPIO {pin} ({strapping[pin]}): {text}"
    for key in ("own_strapping_pins", "free_flash_pins"):
        for pin, reason in told.get(key, {}).items():
            if not reason:
                yield f"`{key}` gives no reason for GPIO {pin}"


def partitions(text: str) -> list[tuple[str, str, int, int]]:
    """The rows of a partition table: (name, type, offset, size)."""
    rows = []
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        if line:
            name, kind, _, offset, size = [part.strip() for part in line.split(",")][:5]
            rows.append((name, kind, int(offset, 0), int(size, 0)))
    return rows


def partition_file(folder: Path) -> Path:
    """The table of an ESP32's frozen image: the board's own, or the one for 4 MiB."""
    own = folder / "partitions.csv"
    return own if own.exists() else FOLDERS / _SHARED / "partitions-4MiB.csv"


def _flash_problems(board: types.ModuleType, folder: Path, told: dict) -> Iterator[str]:
    flash = told.get("flash", {})
    if flash.get("kb") != board.FLASH_KB:
        yield f"flash: kb is {flash.get('kb')}, FLASH_KB {board.FLASH_KB}"
    layouts = flash.get("layouts", {})
    if "frozen" not in layouts:
        yield "flash: there is no layout `frozen`"
        return
    log_kb = board.DEFAULTS.get("log", {}).get("size_kb", _DEFAULT_LOG_KB)
    for name, layout in layouts.items():
        where = f"flash: layout {name}"
        firmware = layout["firmware_kb"] * layout.get("slots", 1)
        total = firmware + layout.get("romfs_kb", 0) + layout["filesystem_kb"]
        if total > board.FLASH_KB:
            yield f"{where}: {total} kB do not fit into {board.FLASH_KB} kB"
        plan = layout["plan"]
        if sorted(plan) != sorted(_PLAN):
            yield f"{where}: the plan has {sorted(plan)}; allowed: {', '.join(_PLAN)}"
            continue
        if sum(plan.values()) != 100:
            yield f"{where}: the plan's shares add up to {sum(plan.values())} %, not 100"
        if name == "files" and tuple(plan[key] for key in _PLAN) != _PLAN_FILES:
            yield f"{where}: shares are {plan}; the plan with files is {_PLAN_FILES}"
        if name != "files" and plan["application"]:
            yield f"{where}: the application is in the image, so its share of the files is 0"
        room_kb = layout["filesystem_kb"] * 1024 * plan["logs"] // 100 // 1000
        if log_kb > room_kb:
            yield f"{where}: the log takes {log_kb} kB, its share is {room_kb} kB (DEFAULTS)"
    if board.CHIP != "esp8266":
        yield from _partition_problems(board, layouts["frozen"], partition_file(folder))


def _partition_problems(board: types.ModuleType, layout: dict, table: Path) -> Iterator[str]:
    rows = partitions(table.read_text())
    where = table.name
    end = 0x9000  # bootloader and this table
    for name, kind, offset, size in rows:
        if offset < end:
            yield f"{where}: {name} begins at {offset:#x}, inside of what is before it"
        if offset % (0x10000 if kind == "app" else 0x1000) or size % 0x1000:
            yield f"{where}: {name} is not aligned (app: 64 kB, else 4 kB)"
        end = offset + size
    if end > board.FLASH_KB * 1024:
        yield f"{where}: ends at {end:#x}, the flash at {board.FLASH_KB * 1024:#x}"
    slots = [size for _, kind, _, size in rows if kind == "app"]
    if slots != [layout["firmware_kb"] * 1024] * layout.get("slots", 1):
        yield f"{where}: slots {slots}; the layout says {layout.get('slots', 1)} of firmware_kb"
    files = [size for name, _, _, size in rows if name == "vfs"]
    if files != [layout["filesystem_kb"] * 1024]:
        yield f"{where}: vfs {files}; the layout says {layout['filesystem_kb']} kB"


def _build_problems(board: types.ModuleType, folder: Path) -> Iterator[str]:
    suffix = "mk" if board.CHIP == "esp8266" else "cmake"
    for name in ("manifest.py", "mpconfigboard.h", f"mpconfigboard.{suffix}"):
        if not (folder / name).exists():
            yield f"{name} is missing: MicroPython's build needs it"
    cmake = folder / "mpconfigboard.cmake"
    target = f"set(IDF_TARGET {board.CHIP})"
    if suffix == "cmake" and cmake.exists() and target not in cmake.read_text():
        yield f"{cmake.name} does not set IDF_TARGET to {board.CHIP}"


def config_problems(
    config: Path, board_name: str | None = None, wanted: tuple[str, ...] | None = None
) -> Iterator[str]:
    """Yield what the board, or its image with these features, would say about a config."""
    from joulelog import registry
    from joulelog.config import fits, schema
    from joulelog.errors import ConfigError

    try:
        settings = user_config.read(config)
    except user_config.Broken as problem:
        yield str(problem)
        return
    settings = {key: value for key, value in settings.items() if key[:1] != "_"}
    name = board_name or settings.get("board", "HOST")
    name = "HOST" if name == "auto" else name
    if not isinstance(name, str) or name not in names():
        yield f"`board` is {name!r}; allowed: {', '.join(names())}"
        return
    board = load(FOLDERS / name)
    if wanted is not None:
        board.FEATURES = wanted  # type: ignore[attr-defined]
    try:
        for text in schema.check(settings, board, registry).warnings:
            print(f"{config.name}: warning: {text}")
    except ConfigError as error:
        yield from str(error).split("\n")
        return
    heap_kb = facts(FOLDERS / name).get("micropython", {}).get("heap_kb")
    if heap_kb is None:
        return
    ways = _SMALL_WAYS if board.CHIP == "esp8266" else _WAYS
    needs = [(fits.needed(settings, board, way), text) for way, text in ways.items()]
    told = ", ".join([f"{-(-need // 1000)} kB {text}" for need, text in needs])
    print(f"{config.name}: needs {told}; {name} has {heap_kb * 1024 // 1000} kB")
    wrong = fits.problem(settings, board, next(iter(ways)), heap_kb * 1024)
    if wrong:
        yield from wrong.split("\n")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--config", action="append", type=Path, default=[])
    parser.add_argument("--board", choices=names())
    parser.add_argument("--features", help="of the image, in the place of the board's own")
    given = parser.parse_args(arguments)
    folders, configs = given.folders, given.config
    try:
        wanted = features.named(given.features) if given.features else None
    except ValueError as error:
        parser.error(f"FEATURES: {error}")
    if given.board and not configs:
        folders.append(FOLDERS / given.board)
    if not folders and not configs:
        folders = [FOLDERS / name for name in names()]
        configs = sorted(EXAMPLES.glob("*.py"))
    found = 0
    for folder in folders:
        for problem in folder_problems(folder.resolve()):
            print(f"{folder.name}: {problem}")
            found += 1
    for config in configs:
        for problem in config_problems(config, given.board, wanted):
            print(f"{config.name}: {problem}")
            found += 1
    print(f"{len(folders)} boards, {len(configs)} configs, {found} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
