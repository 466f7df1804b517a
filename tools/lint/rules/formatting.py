"""formatting: C++ is as clang-format would write it."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tools.lint.tree import Complaint, Tree

RULE = "formatting"
FORMATTER = "clang-format-19"
_FOUND = re.compile(r"^(?P<path>.+?):(?P<line>\d+):\d+: error: code should be clang-formatted")


def _batch(tree: Tree, paths: list[str]) -> dict[str, int]:
    """The first badly written line of each file that has one."""
    run = subprocess.run([FORMATTER, "--dry-run", "--Werror", *paths], cwd=tree.root, capture_output=True, text=True)
    first: dict[str, int] = {}
    for line in run.stderr.splitlines():
        if found := _FOUND.match(line):
            first.setdefault(found["path"], int(found["line"]))
    if run.returncode and not first:
        raise RuntimeError(f"{FORMATTER} failed: {run.stderr.strip()[-400:]}")
    return first


def check(tree: Tree):
    if tree.root is None:
        return
    paths = tree.paths(".h", ".cpp")
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        for found in pool.map(lambda part: _batch(tree, part), [p for p in (paths[i::workers] for i in range(workers)) if p]):
            for path, line in sorted(found.items()):
                yield Complaint(path, line, RULE, "is not formatted; ./dev fmt does it")
