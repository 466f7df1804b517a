"""unbuilt: every source file is in a target, so that no test silently never runs. (The configure step refuses unbuilt tests too.)"""

import posixpath

from tools.lint.targets import targets
from tools.lint.tree import Complaint, Tree

RULE = "unbuilt"


def _words(text: str) -> set[str]:
    return set(text.replace("(", " ").replace(")", " ").replace('"', " ").split())


def check(tree: Tree):
    tested = {source for target in targets(tree) if target.kind == "test" for source in target.sources}
    for path in tree.paths(".cpp", below=("src/", "tests/", "bench/")):
        if path.endswith("_test.cpp"):
            if path not in tested:
                yield Complaint(path, 1, RULE, "is in no puna_test(), so it would never run")
            continue
        # Any list in the file's folder or above may compile it, by its path from there; CMake modules may name it from the root.
        lists = [p for p in tree.paths("CMakeLists.txt") if path.startswith(posixpath.dirname(p) + "/" if "/" in p else "")]
        names = {posixpath.relpath(path, posixpath.dirname(p) or "."): p for p in lists}
        in_list = any(name in _words(tree.files[list_path]) for name, list_path in names.items())
        if not in_list and not any(path in tree.files[p] for p in tree.paths(".cmake")):
            yield Complaint(path, 1, RULE, "is in no target of any CMakeLists.txt")
    for path in tree.paths(".py", below=("tests/",)):
        name = posixpath.basename(path)
        if not name.startswith("test_"):
            continue
        list_text = tree.files.get(posixpath.join(posixpath.dirname(path), "CMakeLists.txt"), "")
        suite = name.removeprefix("test_").removesuffix(".py")
        if not {name, suite} & _words(list_text):
            yield Complaint(path, 1, RULE, "is named by no CMakeLists.txt beside it, so it would never run")
