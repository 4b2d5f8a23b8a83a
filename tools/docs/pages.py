"""The pages of docs/, and the parts in them that are generated.

for page, text in pages.stale().items():
    page.write_text(text)
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tools import ROOT
from tools.docs import tables

DOCS = ROOT / "docs"
_PART = re.compile(r"(<!-- made by make docs: (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def pages() -> Iterator[Path]:
    """The pages, by name, and that of the boards."""
    return iter([*sorted(DOCS.glob("*.md")), ROOT / "boards/README.md"])


def parts(page: Path) -> list[str]:
    """What a page wants generated: "config dsmr"."""
    return [found[2] for found in _PART.finditer(page.read_text())]


def filled(text: str) -> str:
    """The text of a page with its generated parts as they should be; KeyError: no such part."""
    return _PART.sub(lambda found: f"{found[1]}\n{tables.table(found[2])}\n\n{found[4]}", text)


def stale() -> dict[Path, str]:
    """Pages that are not what they should be -> what they should be."""
    wanted = {page: filled(page.read_text()) for page in pages()}
    return {page: text for page, text in wanted.items() if text != page.read_text()}
