"""Run the commands of docs/evidence.md, and check or renew their results.

    python3 -m tools.bench.evidence              # run all; exit status 1 where one fails
    python3 -m tools.bench.evidence --write      # and write last lines and date into the table
    python3 -m tools.bench.evidence --match mqtt # only rows whose claim or command has this text

A row is `| claim | `command` | last result (date) |`, in any table of the section Evidence; the
last line that the command prints is its figure. Conditions are footnotes, which stay.
"""

import argparse
import re
import subprocess
import sys
import time

from tools import ROOT

_ROW = re.compile(r"^\| (?P<claim>.+?) \| `(?P<command>[^`]+)` \|\s*(?P<result>.*?)\s*\|$")


def rows(text: str) -> list[re.Match]:
    """The rows of the tables."""
    section = text[text.index("\n## Evidence") :]
    following = section.find("\n## ", 1)
    lines = section[: following if following > 0 else None].splitlines()
    return [found for line in lines if (found := _ROW.match(line))]


def figure(output: str) -> str:
    """The last line that says something, without a pytest run's duration."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return re.sub(r"^=+ | =+$| in [\d.]+s( \([\d:]+\))?", "", last).replace("|", "/")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--write", action="store_true", help="renew results and dates")
    parser.add_argument("--match", default="", help="only rows that hold this text")
    options = parser.parse_args()
    page = ROOT / "docs/evidence.md"
    failed = 0
    for row in rows(page.read_text()):
        if options.match not in row[0]:
            continue
        done = subprocess.run(
            row["command"], shell=True, cwd=ROOT, capture_output=True, text=True, check=False
        )
        result = figure(done.stdout)
        failed += done.returncode != 0
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {row['command']}: {result}")
        if options.write and done.returncode == 0:
            dated = f"{result} ({time.strftime('%Y-%m-%d')})"
            line = f"| {row['claim']} | `{row['command']}` | {dated} |"
            page.write_text(page.read_text().replace(row[0], line))
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
