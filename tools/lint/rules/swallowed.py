"""swallowed: no error disappears. Handlers do something, results are looked at.

A result may only be dropped where a comment on the line, or above it, says `ignored: REASON`; never one of our own Result<T> by a cast.
"""

import re

from tools.lint.cpp import code_only, line_of
from tools.lint.tree import Complaint, Tree

RULE = "swallowed"
_EMPTY_CATCH = re.compile(r"\bcatch\s*\((?:[^()]|\([^()]*\))*\)\s*\{\s*;*\s*\}")
_DROPPED = re.compile(
    r"(?P<cast>\(\s*void\s*\)\s*(?=[\w:(*&!~])[^;{}]*?[\w>\])]\s*\()"
    r"|(?P<static>\bstatic_cast\s*<\s*void\s*>\s*\([^;]*?\w\s*\()"
    r"|(?P<ignore>\bstd\s*::\s*ignore\s*=[^;]*?\()"
    r"|(?P<unused>\[\[\s*maybe_unused\s*\]\]\s*(?:const\s+)?auto[\s&*]+\w+\s*=[^;]*?\()"
)
_REASON = re.compile(r"//.*\bignored: \w+")
_PYTHON_EXCEPT = re.compile(r"^(?P<indent>\s*)except\b.*:\s*(?P<rest>(?:pass|\.\.\.)?)\s*(?:#.*)?$")


def _python(tree: Tree):
    for path in tree.paths(".py"):
        lines = tree.files[path].splitlines()
        for index, line in enumerate(lines):
            found = _PYTHON_EXCEPT.match(line)
            if not found:
                continue
            body = found["rest"] or next((b.split("#")[0].strip() for b in lines[index + 1 :] if b.split("#")[0].strip()), "")
            if body in ("pass", "..."):
                yield Complaint(path, index + 1, RULE, "this handler does nothing: use contextlib.suppress for what is expected, handle the rest")


def check(tree: Tree):
    yield from _python(tree)
    for path in tree.paths(".h", ".cpp", below=("src/", "tests/", "bench/")):
        text = tree.files[path]
        lines, code = text.splitlines(), code_only(text)
        for found in _EMPTY_CATCH.finditer(code):
            yield Complaint(path, line_of(code, found.start()), RULE, "this handler does nothing with what it caught")
        for found in _DROPPED.finditer(code):
            number = line_of(code, found.start())
            if not any(_REASON.search(line) for line in lines[max(0, number - 2) : number]):
                yield Complaint(path, number, RULE, "a call's result is dropped: handle it, or say above why it does not matter (// ignored: …)")
