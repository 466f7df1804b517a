"""./dev lint [--tidy] [--all]"""

import argparse
import sys
import time
import unittest
from pathlib import Path

from tools.lint import rules
from tools.lint.rules import tidy
from tools.lint.tree import Tree

ROOT = Path(__file__).resolve().parent.parent.parent


def own_tests_pass() -> bool:
    suite = unittest.defaultTestLoader.discover(str(ROOT / "tools/lint/tests"), top_level_dir=str(ROOT))
    result = unittest.TextTestRunner(verbosity=0, stream=open("/dev/null", "w")).run(suite)
    for case, trace in result.failures + result.errors:
        print(f"lint's own test failed: {case}\n{trace}", file=sys.stderr)
    if not result.testsRun:
        print("lint: found none of its own tests", file=sys.stderr)
    return result.wasSuccessful() and result.testsRun > 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev lint", description="Checks the house rules; each is described in tools/lint/rules/.")
    parser.add_argument("--tidy", action="store_true", help="clang-tidy too, over the files that changed (needs ./dev build dev all)")
    parser.add_argument("--all", action="store_true", help="with --tidy: over every file, which takes many minutes")
    options = parser.parse_args()
    begun = time.monotonic()
    if not own_tests_pass():
        return 1
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
