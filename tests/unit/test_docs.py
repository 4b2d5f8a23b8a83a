"""The documentation is what the code says, and what it names is there. On CPython only."""

import sys
import unittest

if sys.implementation.name == "micropython":
    raise unittest.SkipTest("reads the sources with ast, which only CPython has")

import re
import subprocess
from pathlib import Path

from dsmr import obis
from modbus.registers import Table

from tools import ROOT
from tools.docs import pages, picture, tables

_README_LINES = 150
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TARGET = re.compile(r"\bmake ((?:[A-Z_]+=\S+ )*)([a-z][a-z-]*)")
_MODULE = re.compile(r"-m (tools(?:\.\w+)+)")
# A path from the root; not behind a host, an owner or another path.
_PATH = re.compile(
    r"(?<![\w/.:<>~-])((?:firmware|lib|boards|tools|tests|docs|examples|\.ci)/[\w./-]*\w/?)(?![\w*])"
)
_ROW = re.compile(r"^\| (?P<claim>.+?) \| `[^`]+` \| (?P<result>.+?) \|$")


def markdown() -> list[Path]:
    """What git knows, or where there is no git all."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    names = done.stdout.split("\0") if not done.returncode else []
    found = [ROOT / name for name in names if name.endswith(".md")]
    return [path for path in found if path.is_file()] or sorted(ROOT.glob("*/*.md"))


def without_code(text: str) -> str:
    return _INLINE.sub("", _FENCE.sub("", text))


def code(text: str) -> list[str]:
    """What stands in backticks, in fences, and indented."""
    fences = [found[0] for found in _FENCE.finditer(text)]
    rest = _FENCE.sub("", text)
    indented = [line for line in rest.split("\n") if line.startswith("    ")]
    return fences + indented + [" ".join(word.split()) for word in _INLINE.findall(rest)]


def slug(heading: str) -> str:
    """The anchor that forges give a heading."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.strip().replace(" ", "-")


def anchors(page: Path) -> list[str]:
    text = _FENCE.sub("", page.read_text())
    return [slug(line.lstrip("#")) for line in text.split("\n") if re.match("#+ ", line)]


class TestGenerated(unittest.TestCase):
    def test_the_pages_are_what_the_code_says(self):
        stale = [str(page.relative_to(ROOT)) for page in pages.stale()]
        self.assertEqual(stale, [], "`make docs` writes them")

    def test_a_cubic_metre_is_spelt_one_way(self):
        """In the channels of all meters; a row of a Modbus table may say m3."""
        channels = [name for name in tables.names() if name.startswith("channels ")]
        self.assertGreater(len(channels), 8)
        for name in channels:
            cells = re.findall(r"\|([^|\n]*)", tables.table(name))
            wrong = [cell for cell in cells if re.search(r"m3\b|m\^3|cbm", cell)]
            self.assertEqual(wrong, [], name)
        for table in ("mbus", "pulse"):
            self.assertIn("| m³ |", tables.table("channels " + table))
        row = "gas | 0 | u16 | 2 | %s | total | gas"
        for sent, unit in (("m3", "m³"), ("m3/h", "m³/h"), ("m³", "m³")):
            self.assertEqual(Table(row % sent).channels[0][1], unit)
        for text, unit in (("m3", "m³"), ("M3", "m³"), ("m3/h", "m³/h"), ("m³", "m³")):
            self.assertEqual(obis.scaled(1, 0, text)[2], unit)

    def test_every_table_has_its_place_in_one_page(self):
        placed = [part for page in pages.pages() for part in pages.parts(page)]
        self.assertEqual(sorted(placed), sorted(tables.names()))

    def test_a_table_that_there_is_not_is_told(self):
        with self.assertRaises(KeyError):
            pages.filled("<!-- made by make docs: config nothing -->\n<!-- end -->")

    def test_a_page_that_differs_is_found_and_only_its_part_changes(self):
        text = "by hand\n<!-- made by make docs: config top -->\nold\n<!-- end -->\nby hand\n"
        filled = pages.filled(text)
        self.assertTrue(filled.startswith("by hand\n<!--"))
        self.assertTrue(filled.endswith("<!-- end -->\nby hand\n"))
        self.assertNotIn("old", filled)
        self.assertIn("`device`", filled)
        self.assertEqual(pages.filled(filled), filled)

    def test_every_key_of_a_schema_is_in_its_table(self):
        table = tables.table("config mqtt")
        for key in ("host", "layout", "ca", "verify"):  # the last two are of net/tls
            self.assertIn("| `%s` |" % key, table)

    def test_every_module_says_in_one_line_what_it_is_for(self):
        without = [
            str(path) for path, text in tables.modules() if text[-1:] not in (".", "?", ":")
        ]
        self.assertEqual(without, [])

    def test_types_in_words(self):
        self.assertEqual(tables.allowed("int 1..60"), "1 to 60")
        self.assertEqual(tables.allowed("int 0.."), "0 or more")
        self.assertEqual(tables.allowed("secret 32..32"), "32 characters")
        self.assertEqual(tables.allowed("choice 0 on"), '`0`, `"on"`')
        self.assertEqual(tables.text_of("null: its type; false: no"), "None: its type; False: no")


class TestPages(unittest.TestCase):
    def test_the_readme_is_short(self):
        lines = (ROOT / "README.md").read_text().count("\n")
        self.assertLessEqual(lines, _README_LINES)

    def test_every_page_can_be_reached_from_the_readme(self):
        seen: set[Path] = set()
        waiting = [ROOT / "README.md"]
        while waiting:
            page = waiting.pop()
            if page in seen or page.suffix != ".md":
                continue
            seen.add(page)
            for link in _LINK.findall(without_code(page.read_text())):
                name = link.partition("#")[0]
                if name and ":" not in name and (page.parent / name).is_file():
                    waiting.append((page.parent / name).resolve())
        self.assertEqual([page.name for page in pages.pages() if page not in seen], [])

    def test_every_relative_link_leads_somewhere(self):
        dead = []
        for page in markdown():
            for link in _LINK.findall(without_code(page.read_text())):
                if re.match(r"[a-z]+:", link):
                    continue
                name, _, anchor = link.partition("#")
                target = (page.parent / name).resolve() if name else page
                if not target.exists() or (anchor and anchor not in anchors(target)):
                    dead.append((str(page.relative_to(ROOT)), link))
        self.assertEqual(dead, [])

    def test_every_make_target_module_and_file_in_code_is_there(self):
        makefile = (ROOT / "Makefile").read_text()
        targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
        absent = []
        for page in markdown():
            for text in code(page.read_text()):
                found = [name for _, name in _TARGET.findall(text) if name not in targets]
                for module in _MODULE.findall(text):
                    path = ROOT / module.replace(".", "/")
                    if not ((path / "__main__.py").is_file() or Path(f"{path}.py").is_file()):
                        found.append(module)
                for name in _PATH.findall(text):
                    if not ((ROOT / name).exists() or (page.parent / name).exists()):
                        found.append(name)
                absent += [(str(page.relative_to(ROOT)), name) for name in found]
        self.assertEqual(absent, [])

    def test_footnotes_are_where_they_are_meant(self):
        for page in markdown():
            text = page.read_text()
            meant = set(re.findall(r"\[\^([\w-]+)\](?!:)", text))
            written = re.findall(r"^\[\^([\w-]+)\]:", text, re.MULTILINE)
            self.assertEqual(sorted(meant), sorted(written), page.name)


class TestEvidence(unittest.TestCase):
    def test_every_row_has_a_short_claim_a_command_and_a_dated_result(self):
        text = (ROOT / "docs/evidence.md").read_text()
        lines = text[text.index("\n## Evidence") :].split("\n")
        lines = [line for line in lines if line.startswith("| ") and line[:7] != "| claim"]
        rows = [row for row in map(_ROW.match, lines) if row]
        self.assertEqual(len(rows), len(lines))
        self.assertGreater(len(rows), 70)
        for row in rows:
            self.assertLessEqual(len(re.sub(r"\[\^.+?\]", "", row["claim"])), 100, row["claim"])
            self.assertRegex(row["result"], r" \(20\d\d-\d\d-\d\d\)$")


class TestPicture(unittest.TestCase):
    def test_what_a_terminal_shows(self):
        end = "\x1b[K\r\n(Ctrl-C stops)\x1b[K\r\n\x1b[J"
        first = "\x1b[1mp1\x1b[0m  1\x1b[K\r\n" + end
        redrawn = "\r\x1b[3A\x1b[1mp1\x1b[0m  2\x1b[K\r\n" + end
        logged = "\r\x1b[3A\x1b[J2026-11-29 22:56:45Z INFO a: " + "x" * 90 + "\r\n" + redrawn[5:]
        found = picture.screen("report\r\n" + first + redrawn + logged + redrawn + "^C\r\nstopped")
        self.assertEqual([len(line) for line in found], [6, 88, 39, 16, 3, 17])
        self.assertEqual(found[3], "\x1b[1mp1\x1b[0m  2\x1b[K")
        drawn = picture.svg("$ make run", found)
        self.assertIn('<tspan class="title">p1</tspan>  2</text>', drawn)
        self.assertEqual(drawn.count('class="dim"'), 4)  # the prompt, two of the log, the end
        self.assertNotIn("\x1b", drawn)


if __name__ == "__main__":
    unittest.main()
