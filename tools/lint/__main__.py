"""./dev lint [--tidy] [--all]"""

import argparse
import sys
import time
from pathlib import Path

from tools.lint import rules
from tools.lint.rules import tidy
from tools.lint.tree import Tree

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev lint", description="Checks the house rules; each is described in tools/lint/rules/.")
    parser.add_argument("--tidy", action="store_true", help="clang-tidy too, over the files that changed (needs ./dev build dev all)")
    parser.add_argument("--all", action="store_true", help="with --tidy: over every file, which takes many minutes")
    options = parser.parse_args()
    begun = time.monotonic()
    tree = Tree.of_repository(ROOT)
    complaints = [complaint for rule in rules.ALL for complaint in rule.check(tree)]
    if options.tidy or options.all:
        complaints += tidy.check(tree, ROOT / "build/dev", options.all)
    for complaint in sorted(complaints):
        print(complaint)
    errors = sum(not complaint.warning for complaint in complaints)
    warnings = len(complaints) - errors
    print(f"lint: {len(tree.files)} files, {errors} errors, {warnings} warnings, {time.monotonic() - begun:.1f} s")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
