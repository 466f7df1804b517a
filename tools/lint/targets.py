"""What the CMake lists say: puna_module(), puna_test(), puna_fuzz() and their files and uses."""

import dataclasses
import posixpath
import re

from tools.lint.tree import Tree

_CALL = re.compile(r"^[ \t]*(puna_module|puna_test|puna_fuzz)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)", re.MULTILINE)
_KEYWORDS = {"SOURCES", "USES", "LINK", "SYSTEM_INCLUDES", "LABEL"}


@dataclasses.dataclass(frozen=True)
class Target:
    kind: str  # "module", "test" or "fuzz"
    name: str
    list_path: str
    line: int
    sources: tuple[str, ...]
    uses: tuple[str, ...]


def _parse(list_path: str, text: str) -> list[Target]:
    text = re.sub(r"#[^\n]*", "", text)
    targets = []
    for call in _CALL.finditer(text):
        name, *words = call.group(2).replace('"', " ").split()
        arguments: dict[str, list[str]] = {}
        keyword = ""
        for word in words:
            if word in _KEYWORDS:
                keyword = word
            else:
                arguments.setdefault(keyword, []).append(word)
        folder = posixpath.dirname(list_path)
        targets.append(
            Target(
                kind=call.group(1).removeprefix("puna_"),
                name=name,
                list_path=list_path,
                line=text.count("\n", 0, call.start()) + 1,
                sources=tuple(posixpath.normpath(posixpath.join(folder, s)) for s in arguments.get("SOURCES", [])),
                uses=tuple(arguments.get("USES", [])),
            )
        )
    return targets


def targets(tree: Tree) -> list[Target]:
    return [t for path in tree.paths("CMakeLists.txt") for t in _parse(path, tree.files[path])]


def modules(tree: Tree) -> dict[str, Target]:
    return {t.name: t for t in targets(tree) if t.kind == "module"}
