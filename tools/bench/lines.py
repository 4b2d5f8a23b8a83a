"""Lines of production code: firmware/ and lib/ without blanks, comments and docstrings.

    make lines                      # a table by package, and the sum against its budget

A line counts when something of a statement is on it; a budget that is passed is exit status 1.
"""

import ast
import io
import json
import sys
import tokenize
from pathlib import Path

from tools import ROOT

BUDGETS = Path(__file__).with_name("budgets.json")
BUDGET = "lines of production code"
_NOTHING = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE}
_NOTHING |= {tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def count(text: str) -> int:
    """The lines of a source that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NOTHING:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, False) is not None:
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def table() -> dict[str, int]:
    """{package: lines}; what lies in none is in the row of its folder."""
    found: dict[str, int] = {}
    for folder in ("firmware", "lib"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            package = path.parent.relative_to(ROOT).as_posix()
            found[package] = found.get(package, 0) + count(path.read_text())
    return found


def main() -> int:
    """Print the table; 1 where there are more lines than the budget has."""
    found = table()
    for package, lines in sorted(found.items()):
        print("%-34s %6d" % (package, lines))
    whole = sum(found.values())
    budget = json.loads(BUDGETS.read_text())[BUDGET]
    over = "" if whole <= budget else "  <-- %d over" % (whole - budget)
    print("%-34s %6d  budget %d%s" % (BUDGET, whole, budget, over))
    return bool(over)


if __name__ == "__main__":
    sys.exit(main())
