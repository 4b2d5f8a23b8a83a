"""What a board's image has: features by name, and the modules and packages that each needs.

    features.left_out(("dsmr", "mqtt"))        # {"joulelog/sinks/influxdb.py", …}: not frozen
    features.packages(("dsmr", "mqtt"))        # {"mqtt_as"}
    features.named("dsmr mqtt")                # ("dsmr", "mqtt"), or ValueError

The table is boards/common/features.json, which the manifests read as well; None for the wanted
ones means all. A module that no feature names is in every image. A reader or sink is in an image
where the feature of its name is.
"""

import json
import re
from collections.abc import Iterable

from tools import ROOT

TABLE: dict[str, dict] = json.loads((ROOT / "boards/common/features.json").read_text())
_CONSTANT = re.compile(r"^FEATURES = \([^)]*\)$", re.M)


def named(text: str) -> tuple[str, ...]:
    """The features that somebody has written with spaces or commas between them."""
    found = tuple(dict.fromkeys(re.findall(r"[^\s,]+", text)))
    check(found)
    return found


def check(wanted: Iterable[str]) -> None:
    """Raise ValueError with what is allowed, where a name is none of the table's."""
    unknown = [name for name in wanted if name not in TABLE]
    if unknown:
        raise ValueError(f"there is no feature {unknown[0]!r}; there are: {', '.join(TABLE)}")


def left_out(wanted: Iterable[str] | None) -> set[str]:
    """Files below firmware/ and lib/ that an image with these features has not."""
    return _needed("modules", None) - _needed("modules", wanted)


def packages(wanted: Iterable[str] | None) -> set[str]:
    """Packages of others that these features need."""
    return _needed("packages", wanted)


def _needed(key: str, wanted: Iterable[str] | None) -> set[str]:
    return {one for name in (TABLE if wanted is None else wanted) for one in TABLE[name][key]}


def in_board(source: str, wanted: tuple[str, ...]) -> str:
    """A board.py that says these FEATURES in the place of its own."""
    line = f"FEATURES = {wanted!r}"
    changed, count = _CONSTANT.subn(line, source)
    return changed if count else f"{source.rstrip()}\n{line}\n"
