"""tidy: the checks of .clang-tidy, all errors. Slow, so only on demand, and then only for what changed unless everything is asked for."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.lint.tree import Complaint, Tree

RULE = "tidy"
TIDY = "clang-tidy-19"
_FOUND = re.compile(r"^(?P<path>/[^:]+):(?P<line>\d+):\d+: (?:error|warning): (?P<message>.*)$", re.MULTILINE)


def changed_paths(root: Path) -> set[str]:
    """What differs from the upstream branch, or else from the last commit, and what is new."""

    def git(*arguments: str) -> list[str]:
        run = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
        return run.stdout.split("\n") if run.returncode == 0 else []

    base = (git("merge-base", "HEAD", "@{upstream}") or ["HEAD"])[0]
    return set(git("diff", "--name-only", base)) | set(git("ls-files", "--others", "--exclude-standard")) - {""}


def _compiled(build: Path) -> list[Path]:
    return sorted({Path(entry["directory"], entry["file"]) for entry in json.loads((build / "compile_commands.json").read_text())})


def _check_file(build: Path, source: Path) -> str:
    run = subprocess.run([TIDY, "-p", str(build), "--quiet", str(source)], capture_output=True, text=True)
    if run.returncode and not _FOUND.search(run.stdout):
        return f"{source}:1:1: error: {TIDY} failed: {(run.stderr or run.stdout).strip()[-300:]}"
    return run.stdout


def check(tree: Tree, build: Path, everything: bool):
    """Headers are checked through the files that include them."""
    if not (build / "compile_commands.json").is_file():
        yield Complaint("CMakePresets.json", 1, RULE, f"{build} is not built yet; ./dev build dev all does it")
        return
    changed = changed_paths(tree.root)
    stems = {str(Path(path).with_suffix("")) for path in changed if path.endswith((".h", ".cpp"))}
    sources = []
    for source in _compiled(build):
        if not source.is_relative_to(tree.root) or source.is_relative_to(tree.root / "build"):
            continue
        relative = source.relative_to(tree.root)
        if everything or str(relative.with_suffix("")).removesuffix("_test") in stems or str(relative) in changed:
            sources.append(source)
    seen = set()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done, output in enumerate(pool.map(lambda source: _check_file(build, source), sources), start=1):
            if done % 20 == 0:
                print(f"tidy: {done} of {len(sources)} files", file=sys.stderr)
            for line in output.splitlines():
                found = _FOUND.match(line)
                if found and Path(found["path"]).is_relative_to(tree.root):
                    seen.add(Complaint(str(Path(found["path"]).relative_to(tree.root)), int(found["line"]), RULE, found["message"]))
    yield from sorted(seen)
