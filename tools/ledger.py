"""The ledger: which test proves which row of docs/ledger-ids.txt. `./dev ledger` writes docs/ledger.md.

A test claims rows by a comment above it: `// ledger: T5, M3` in C++, `# ledger: T5` in Python and shell.
"""

import dataclasses
import re
import sys
from pathlib import Path

from tools.lint.tree import Tree

ROWS = "docs/ledger-ids.txt"
REPORT = "docs/ledger.md"
_CLAIM = re.compile(r"^\s*(?://|#)\s*ledger:\s*(?P<rows>.*?)\s*$")
_CPP_TEST = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(?P<suite>\w+)\s*,\s*(?P<name>\w+)")
_PYTHON_TEST = re.compile(r"^\s*(?:async\s+)?def\s+(?P<name>test\w*)\s*\(")
_BETWEEN = re.compile(r"^\s*(?://.*|#.*|@.*)?$")  # comments, decorators and blank lines


@dataclasses.dataclass(frozen=True, order=True)
class Proof:
    row: str
    path: str
    line: int
    test: str  # empty when no test follows the claim


def rows(text: str) -> dict[str, str]:
    """The ledger's rows in their order: a line each, the id, a tab, what must be shown."""
    return dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line and not line.startswith("#"))


def _test_below(lines: list[str], index: int) -> str:
    for line in lines[index + 1 :]:
        if found := _CPP_TEST.match(line):
            return f"{found['suite']}.{found['name']}"
        if found := _PYTHON_TEST.match(line):
            return found["name"]
        if not _BETWEEN.match(line):
            return ""
    return ""


def proofs(tree: Tree) -> list[Proof]:
    found = []
    for path in tree.paths(".cpp", ".py", below=("src/", "tests/", "tools/")):
        if path.startswith("tools/") and "/tests/" not in path:
            continue
        lines = tree.files[path].splitlines()
        for index, line in enumerate(lines):
            if claim := _CLAIM.match(line):
                test = _test_below(lines, index)
                found += [Proof(row, path, index + 1, test) for row in re.split(r"[,\s]+", claim["rows"]) if row]
    return sorted(found)


def report(tree: Tree) -> str:
    known = rows(tree.files.get(ROWS, ""))
    by_row: dict[str, list[Proof]] = {row: [] for row in known}
    for proof in proofs(tree):
        if proof.row in by_row and proof.test:
            by_row[proof.row].append(proof)
    proved = {row: list_ for row, list_ in by_row.items() if list_}
    out = [
        "# The ledger",
        "",
        f"What Puna must show (`{ROWS}`), and the tests that show it. Written by `./dev ledger` from the comments above the tests; a row counts",
        f"as shown when a test claims it. {len(proved)} of {len(known)} rows are.",
        "",
        "| id | what must be shown | tests |",
        "|---|---|---|",
    ]
    for row, list_ in proved.items():
        tests = sorted({f"`{proof.test}` ({proof.path})" for proof in list_})
        out.append(f"| {row} | {known[row]} | {'<br>'.join(tests)} |")
    out += ["", "## Rows without a test", "", "| id | what must be shown |", "|---|---|"]
    out += [f"| {row} | {known[row]} |" for row, list_ in by_row.items() if not list_]
    return "\n".join(out) + "\n"


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    tree = Tree.of_repository(root)
    known = rows(tree.files.get(ROWS, ""))
    if not known:
        print(f"ledger: {ROWS} has no rows", file=sys.stderr)
        return 1
    text = report(tree)
    (root / REPORT).write_text(text)
    shown = {proof.row for proof in proofs(tree) if proof.test} & set(known)
    print(f"{REPORT}: {len(shown)} of {len(known)} rows have a test")
    return 0


if __name__ == "__main__":
    sys.exit(main())
