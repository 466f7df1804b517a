"""The rules that run clang's tools, with the real tools on real files."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from tools.lint.rules import formatting, tidy
from tools.lint.tree import Tree

ROOT = Path(__file__).resolve().parent.parent.parent.parent


class Tools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        for name in (".clang-format", ".clang-tidy"):
            (self.root / name).write_text((ROOT / name).read_text())

    def write(self, name, text):
        (self.root / name).write_text(text)
        return Tree({name: text}, self.root)

    def test_what_clang_format_would_change_is_caught(self):
        self.assertEqual([], list(formatting.check(self.write("good.cpp", "int x = 0;\n"))))
        found = list(formatting.check(self.write("bad.cpp", "int x = 0;\nint   y=1 ;\n")))
        self.assertEqual([("bad.cpp", 2)], [(c.path, c.line) for c in found])

    def test_a_broken_clang_format_is_no_clean_file(self):
        (self.root / ".clang-format").write_text("BasedOnStyle: Nobody\n")
        with self.assertRaises(RuntimeError):
            list(formatting.check(self.write("good.cpp", "int x;\n")))

    def tidied(self, text, everything=True):
        build = self.root / "build"
        build.mkdir(exist_ok=True)
        tree = self.write("a.cpp", text)
        source = str(self.root / "a.cpp")
        command = {"directory": str(self.root), "file": source, "arguments": ["clang++-19", "-std=c++23", "-c", source]}
        (build / "compile_commands.json").write_text(json.dumps([command]))
        return [f"{c.path}:{c.line}" for c in tidy.check(tree, build, everything)]

    def test_clang_tidy_catches_a_use_after_move(self):
        text = "#include <string>\n#include <utility>\nstd::string f(std::string a) {\n  std::string b = std::move(a);\n  return a + b;\n}\n"
        self.assertEqual(["a.cpp:5"], self.tidied(text))

    def test_a_clean_file_is_clean(self):
        self.assertEqual([], self.tidied("int twice(int x) { return 2 * x; }\n"))

    def test_a_file_that_does_not_compile_is_not_clean(self):
        self.assertEqual(["a.cpp:1"], self.tidied("int twice(int x) { return 2 * y; }\n"))

    def test_only_changed_files_are_looked_at_unless_all_are_asked_for(self):
        bad = "#include <string>\n#include <utility>\nstd::string f(std::string a) {\n  std::string b = std::move(a);\n  return a + b;\n}\n"
        (self.root / ".gitignore").write_text("build\n")
        self.tidied(bad)
        for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "first"]):
            subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True)
        self.assertEqual([], self.tidied(bad, everything=False))
        self.assertEqual(["a.cpp:6"], self.tidied("\n" + bad, everything=False))
