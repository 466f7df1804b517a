"""The files that rules look at, and what rules say about them."""

import dataclasses
import subprocess
from pathlib import Path

TEXT_SUFFIXES = (".h", ".cpp", ".py", ".sh", ".cmake", ".txt", ".md", ".json", ".lock", ".toml", ".yml", ".yaml", "")


@dataclasses.dataclass(frozen=True, order=True)
class Complaint:
    path: str
    line: int
    rule: str
    message: str
    warning: bool = False

    def __str__(self):
        kind = "warning" if self.warning else "error"
        return f"{self.path}:{self.line}: {kind}: {self.message} [{self.rule}]"


class Tree:
    """Text files by their path from the repository's root."""

    def __init__(self, files: dict[str, str], root: Path | None = None):
        self.files = files
        self.root = root

    @classmethod
    def of_repository(cls, root: Path) -> "Tree":
        """What git tracks, and what it would add."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True
        ).stdout.decode()
        files = {}
        for name in sorted(set(listed.split("\0")) - {""}):
            path = root / name
            if path.suffix not in TEXT_SUFFIXES or "corpus" in path.parts or path.is_symlink() or not path.is_file():
                continue
            files[name] = path.read_bytes().decode("utf-8", errors="replace")
        return cls(files, root)

    def paths(self, *suffixes: str, below: tuple[str, ...] = ("",)) -> list[str]:
        return [p for p in self.files if p.endswith(suffixes) and p.startswith(below)]

    def lines(self, path: str):
        """(number, line) pairs."""
        return enumerate(self.files[path].splitlines(), start=1)
