"""Write what is generated into the pages of docs/, or tell which pages are stale.

    .venv/bin/python -m tools.docs              # make docs
    .venv/bin/python -m tools.docs --check      # make docs CHECK=1: exit status 1, and their names
    .venv/bin/python -m tools.docs --picture    # make docs PICTURE=1: a new docs/terminal.svg

A page says between which lines it wants what; all else in it is written by hand:

    <!-- made by make docs: config dsmr -->
    <!-- end -->
"""

import argparse
import sys

from tools.docs import pages, picture


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--picture", action="store_true", help="of `make run`, takes a minute")
    options = parser.parse_args()
    if options.picture:
        picture.write(pages.DOCS / "terminal.svg")
    stale = pages.stale()
    for page, text in stale.items():
        if options.check:
            print(f"docs: {page.relative_to(pages.ROOT)} is stale; make docs writes it")
        else:
            page.write_text(text)
    done = "stale" if options.check else "written"
    print(f"{len(list(pages.pages()))} pages, {len(stale)} {done}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
