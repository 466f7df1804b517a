"""words: no sleeps in tests, no unfinished marks, no shell, no host of a package registry (the clients know their own)."""

import re

from tools.lint.cpp import code_only
from tools.lint.tree import Complaint, Tree

RULE = "words"

# Files that may do what the rule forbids elsewhere, each with its reason.
SLEEPERS = {"src/net/io_test.cpp": "tests the timer itself"}

_SLEEP = re.compile(r"\bsleep_(?:for|until)\b|\bu?sleep\s*\(|\bnanosleep\s*\(|\btime\.sleep\b|\basyncio\.sleep\b")
# A wait that only its cancellation ends, and the pause of a loop that looks for an event, order nothing.
_WAIT = re.compile(r"\bco_await sleep_for\(kForever\)|\bwhile \(.*\bco_await sleep_for\(")
_UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
_SHELL = re.compile(r"(?<![\w.>])(?:std::|::)?(?:system|popen)\s*\(")
_PYTHON_SHELL = re.compile(r"\bos\.(?:system|popen)\b|\bshell\s*=\s*True\b")
_REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("deb", "debian", "org"),
            ("registry", "npmjs", "org"),
            ("npmjs", "com"),
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("crates", "io"),
            ("proxy", "golang", "org"),
            ("repo1", "maven"),
            ("ghcr", "io"),
            ("docker", "io"),
        )
    )
)


def _is_test(path: str) -> bool:
    return path.endswith(("_test.cpp", "_test.h")) or path.startswith("tests/") or "/tests/" in path


def check(tree: Tree):
    for path, text in tree.files.items():
        if path.startswith("tools/lint/"):
            continue  # names what it forbids
        cpp, python = path.endswith((".h", ".cpp")), path.endswith(".py")
        code = (code_only(text) if cpp else text).splitlines()
        for number, line in tree.lines(path):
            if _UNFINISHED.search(line):
                yield Complaint(path, number, RULE, "unfinished work: do it, or write an issue")
            if found := _REGISTRIES.search(line):
                yield Complaint(path, number, RULE, f"{found.group()} is a registry's host: leave it to the registry's own client")
            if _is_test(path) and path not in SLEEPERS and (cpp or python) and _SLEEP.search(_WAIT.sub("", code[number - 1])):
                yield Complaint(path, number, RULE, "a sleep orders nothing: wait for the event, with a deadline")
            if (cpp and _SHELL.search(code[number - 1])) or (python and _PYTHON_SHELL.search(line)):
                yield Complaint(path, number, RULE, "no shell: start programs from argument vectors (os/process.h)")
