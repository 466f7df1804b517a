"""length: a file that has grown past 500 lines wants to be two; past 700 it has to be. ARCHITECTURE.md stays under 400."""

from tools.lint.tree import Complaint, Tree

RULE = "length"
WARN, FAIL, ARCHITECTURE = 500, 700, 400


def check(tree: Tree):
    for path in tree.paths(".h", ".cpp", ".py", ".sh", ".cmake", "CMakeLists.txt"):
        count = tree.files[path].count("\n")
        if count > FAIL:
            yield Complaint(path, count, RULE, f"{count} lines, the limit is {FAIL}")
        elif count > WARN:
            yield Complaint(path, count, RULE, f"{count} lines; past {FAIL} it fails", warning=True)
    for path in tree.paths("ARCHITECTURE.md"):
        count = tree.files[path].count("\n")
        if count > ARCHITECTURE:
            yield Complaint(path, count, RULE, f"{count} lines, the limit is {ARCHITECTURE}")
