"""The licences of what an image contains: their texts, taken from what it was built of.

    texts, problems = licences.collect("esp32c3", {"micropython": tree, "idf": Path(…), …})
    path.write_text(licences.written(texts))          # beside the image: `make firmware`
    texts, problems = licences.merged({"ESP32_GENERIC_C3": path.read_text()}, chips)
    licences.overview()                               # the table, for people: `make dist`

licences.json names the parts: what, licence, where it is written, and as `texts` the files
that have the words. Such a file is PLACE:PATH, or several of those with | between them, of which
the first that is there counts. A file of C has them in the comment that it begins with. No text
of others lies in this repository.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tools import ROOT
from tools.images import stage

_SECTIONS = {
    "all": "In every image",
    "esp32": "In images for the ESP32, S2, S3 and C3",
    "esp8266": "In images for the ESP8266",
    "installer": "In the installer page (the folder web)",
    "computer": "What the tools use on a computer, and nothing here contains",
}
_RULE = "=" * 80
_HEADING = re.compile(rf"^{_RULE}\n(.+)\n{_RULE}\n", re.M)
_COMMENTS = re.compile(r"\s*(?:/\*.*?\*/\s*|//[^\n]*\n\s*)*", re.S)
_FIRST = """\
What this contains, and under which licences. Where a part only names a BSD licence, its terms are
the three clauses that stand under lwIP, with the holders of the copyright that the part names.

"""


def table() -> dict[str, list[dict]]:
    """{section: parts}."""
    return json.loads((ROOT / "tools/images/licences.json").read_text())


def parts(chip: str) -> list[dict]:
    """What an image for this chip contains."""
    rows = table()
    family = "esp8266" if chip == "esp8266" else "esp32"
    return [row for row in rows["all"] + rows[family] if chip in row.get("chips", (chip,))]


def collect(chip: str, places: Mapping[str, Path]) -> tuple[dict[str, str], list[str]]:
    """({part: text}, what is missing) of an image that was built of these folders."""
    return collect_parts(parts(chip), places)


def collect_parts(
    rows: list[dict], places: Mapping[str, Path]
) -> tuple[dict[str, str], list[str]]:
    """The same of any rows of the table."""
    texts, problems = {}, []
    for row in rows:
        found = [_text(alternatives, places) for alternatives in row["texts"]]
        for text, alternatives in zip(found, row["texts"], strict=True):
            if not text:
                looked_for = " or ".join(_shown(one, places) for one in alternatives.split("|"))
                problems.append(f"the licence of {row['what']} is missing: no {looked_for}")
        if row["texts"] and all(found):
            texts[row["what"]] = "\n\n".join(found)
    return texts, problems


def _text(alternatives: str, places: Mapping[str, Path]) -> str:
    """The words of the first file that is there; "" where none is."""
    for one in alternatives.split("|"):
        place, _, path = one.partition(":")
        file = places[place] / path if place in places else None
        if file and file.is_file():
            text = file.read_text("utf-8", "replace").replace("\r\n", "\n")
            if file.suffix in (".c", ".h"):
                text = (_COMMENTS.match(text) or [""])[0]
            return text.strip()
    return ""


def _shown(one: str, places: Mapping[str, Path]) -> str:
    place, _, path = one.partition(":")
    return str(places[place] / path) if place in places else one


def written(texts: Mapping[str, str], first: str = _FIRST) -> str:
    """All of them as one text, in which `read` finds them again."""
    found = [f"{_RULE}\n{what}\n{_RULE}\n\n{text}\n" for what, text in texts.items()]
    return first + "\n".join(found)


def read(text: str) -> dict[str, str]:
    """{part: text} of what `written` has made."""
    pieces = _HEADING.split(text)[1:]
    return {what: words.strip() for what, words in zip(pieces[::2], pieces[1::2], strict=True)}


def merged(files: Mapping[str, str], chips: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """({part: text} of all images, what is missing or contradicts), by the images' boards."""
    texts: dict[str, str] = {}
    first: dict[str, str] = {}
    problems = []
    for board, file in files.items():
        there = read(file)
        for row in parts(chips[board]):
            what = row["what"]
            if not row["texts"]:
                continue
            if not there.get(what):
                problems.append(f"{board}'s licences have no text for {what}")
            elif texts.setdefault(what, there[what]) != there[what]:
                problems.append(
                    f"{board} and {first[what]} were built of two versions of {what}: its licence"
                    " differs"
                )
            else:
                first.setdefault(what, board)
    return texts, problems


def overview() -> str:
    """What images and tools contain, and under which licences."""
    lines = [f"# Licences of what is in JouleLog {stage.version()}", ""]
    lines += ["Their texts, for what the images contain, are in LICENCES.txt.", ""]
    for section, rows in table().items():
        lines += [f"## {_SECTIONS[section]}", "", "| what | licence | where it is written |"]
        lines.append("|---|---|---|")
        for row in rows:
            only = f" ({', '.join(row['chips'])})" if "chips" in row else ""
            lines.append(f"| {row['what']}{only} | {row['licence']} | {row['where']} |")
        lines.append("")
    return "\n".join(lines)
