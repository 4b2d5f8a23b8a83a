"""The simulated meter of an http_json reader: `"host": "sim"`.

    start({"type": "http_json", "device": "shelly", …}, speed)      # "127.0.0.1:40123"

A known device is that of lan_devices.py (a Shelly is a Pro 3EM); one with rows of its own has
numbers wherever its rows look for one, which grow.
"""

import argparse
import json
import sys
import time

from jsonmeter.table import Table
from jsonpick.paths import steps_of

from tools.sim import child, lan_devices
from tools.sim.lan import Device

_KINDS = {"shelly": "shelly-pro3em"}


def start(entry: dict, speed: int) -> str:
    """Start the meter of a reader's entry; its host and port."""
    about = {key: entry.get(key) for key in ("device", "path", "rows", "unit")}
    return child.start("tools.sim.http_json", (json.dumps(about), "--speed", str(speed)))


def page(rows, second: int) -> str:
    """JSON that has a number at each place where these rows look for one."""
    table = Table(rows)
    wanted: dict[int, object] = {}
    for terms, places, tests, *_ in table._fields:
        for path, *_ in terms:
            wanted.setdefault(path, len(wanted) + 1 + second)
        if places is not None:
            wanted[places] = 0
        for path, sign, limit, is_age in tests:
            now = int(time.time())
            number = lan_devices.decimal(limit[0], limit[1]) if limit else None
            wanted[path] = now if is_age else number if sign else True
    whole: list = [None]
    for path, value in wanted.items():
        place: dict | list = whole
        key: str | int = 0
        for step in steps_of(table.paths[path], {}):
            place, key = _inside(place, key, step)
        place[key] = value  # type: ignore[index]
    return lan_devices.as_json(whole[0])


def _inside(place, key, step):
    """The container at place[key], made where there is none, and the key of this step in it."""
    if isinstance(step, bytes):
        if not isinstance(place[key], dict):
            place[key] = {}
        place[key].setdefault(step.decode(), None)
        return place[key], step.decode()
    if not isinstance(place[key], list):
        place[key] = []
    elements = place[key]
    if isinstance(step, int):
        elements.extend([None] * (step + 1 - len(elements)))
        return elements, step
    name, told = (part.decode() for part in step)
    for index, one in enumerate(elements):
        if isinstance(one, dict) and one.get(name) == told:
            return elements, index
    elements.append({name: told})
    return elements, len(elements) - 1


def _device(about: dict, speed: int) -> Device:
    began = time.monotonic()

    def second() -> int:
        return int((time.monotonic() - began) * speed)

    if about.get("device"):
        kind = str(_KINDS.get(about["device"], about["device"]))
        made = lan_devices.start(kind, now=second)
        inner = made.answer
        # Whichever inverter is asked for, and whoever asks.
        unit = str(about.get("unit") or "")
        known = {"opendtu": "116180000001", "ahoydtu": "0"}.get(str(kind), "")
        made.answer = lambda method, target, body: inner(
            method,
            (target.replace(unit, known) if unit else target).split("&user=")[0],
            body,
        )
        return made

    def answer(method: str, target: str, body: bytes):
        if target != about.get("path"):
            return None
        return 200, "application/json", page(about.get("rows") or [], second()).encode()

    return Device(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("about", type=json.loads, help="device, path, rows and unit, as JSON")
    parser.add_argument("--speed", type=int, default=1)
    parser.add_argument("--child", action="store_true", help="end with the parent")
    options = parser.parse_args()
    try:
        device = _device(options.about, options.speed)
    except ValueError as problem:
        sys.exit(str(problem))
    print(f"127.0.0.1:{device.port}", flush=True)
    child.until_the_end(options.child)
    device.close()


if __name__ == "__main__":
    main()
