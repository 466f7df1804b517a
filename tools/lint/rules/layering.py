"""layering: an include stays within the module's own USES, uses make no circle, and ARCHITECTURE.md's table says the same.

Only direct uses count: a module that needs another names it, so that the list can be read. src/main.cpp, the composition root, may
include every module. In tests/ and bench/ the uses are those of the target that compiles the file; their headers are free.
"""

import re

from tools.lint.cpp import code_only, line_of
from tools.lint.targets import modules, targets
from tools.lint.tree import Complaint, Tree

RULE = "layering"
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_TABLE = "ARCHITECTURE.md"


def includes(text: str):
    """(line, path) of every quoted include that is not commented out."""
    code = code_only(text)
    for match in _INCLUDE.finditer(text):
        if code[match.start(1) - 1] == '"':
            yield line_of(text, match.start()), match.group(1)


def _include_complaints(tree: Tree):
    known = modules(tree)
    compiled_by = {}
    for target in targets(tree):
        for source in target.sources:
            compiled_by[source] = target
    for path in tree.paths(".h", ".cpp", below=("src/", "tests/", "bench/")):
        if path == "src/main.cpp":
            continue
        target = compiled_by.get(path)
        if path.startswith("src/"):
            home = path.split("/")[1]
            if home not in known:
                continue
            allowed = {home, *known[home].uses, *(target.uses if target else ())}
            if path.endswith(("_test.h", "_testing.h")):  # what the module's tests share
                allowed |= {used for t in targets(tree) if t.kind == "test" and t.name == home for used in t.uses}
        elif target:
            home = ""
            allowed = {target.name, *target.uses}
        else:
            continue
        where = f"{home}'s list" if home else f"{target.name}'s list"
        for line, name in includes(tree.files[path]):
            module = name.split("/")[0]
            if module in known and module not in allowed:
                yield Complaint(path, line, RULE, f'"{name}" is of {module}, which is not in the USES of {where}')
            elif path.startswith("src/") and f"src/{name}" not in tree.files and f"{path.rsplit('/', 1)[0]}/{name}" in tree.files:
                yield Complaint(path, line, RULE, f'"{name}": includes are rooted at src/')


def _circles(tree: Tree):
    known = modules(tree)
    done: set[str] = set()

    def visit(name: str, trail: list[str]):
        if name in trail:
            circle = trail[trail.index(name) :] + [name]
            yield Complaint(known[name].list_path, known[name].line, RULE, "modules use each other in a circle: " + " > ".join(circle))
            return
        if name in done or name not in known:
            return
        for used in known[name].uses:
            yield from visit(used, [*trail, name])
        done.add(name)

    for name in sorted(known):
        yield from visit(name, [])


def _unknown_uses(tree: Tree):
    known = modules(tree)
    for target in targets(tree):
        for used in target.uses:
            if used not in known:
                yield Complaint(target.list_path, target.line, RULE, f"{target.name} uses {used}, which is no module")


def _table_rows(text: str):
    """(line, folder, uses) of the rows of a table whose head has the columns folder and uses."""
    columns: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.lstrip().startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not columns:
            columns = [cell.lower() for cell in cells]
        elif "folder" in columns and "uses" in columns and len(cells) == len(columns) and not set(line) <= set("|-: "):
            folder = cells[columns.index("folder")].strip("`")
            yield number, folder, set(re.findall(r"[a-z_]+", cells[columns.index("uses")]))


def _table_complaints(tree: Tree):
    known = {name: target for name, target in modules(tree).items() if target.list_path.startswith("src/")}
    if not known:
        return
    rows = {folder: (line, uses) for line, folder, uses in _table_rows(tree.files.get(_TABLE, ""))}
    for name, target in sorted(known.items()):
        if name not in rows:
            yield Complaint(_TABLE, 1, RULE, f"the table of modules (folder | … | uses) has no row for {name}")
        elif rows[name][1] != set(target.uses):
            line, written = rows[name]
            missing, extra = sorted(set(target.uses) - written), sorted(written - set(target.uses))
            said = [f"lacks {' '.join(missing)}"] * bool(missing) + [f"names {' '.join(extra)}, which CMake does not"] * bool(extra)
            yield Complaint(_TABLE, line, RULE, f"the uses of {name}: the row {' and '.join(said)}")
    for folder, (line, _) in rows.items():
        if folder not in known:
            yield Complaint(_TABLE, line, RULE, f"the row {folder} is no module of src/")


def check(tree: Tree):
    yield from _include_complaints(tree)
    yield from _unknown_uses(tree)
    yield from _circles(tree)
    yield from _table_complaints(tree)
