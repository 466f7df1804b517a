"""third-party: no header of ours includes a library that costs seconds a file, or that one module is there to wrap."""

import re

from tools.lint.tree import Complaint, Tree

RULE = "third-party"
_LIBRARIES = r"nlohmann/|spdlog/|CLI/|curl/|soci|sqlite3|ftxui/|llama|ggml|gguf\.h|mtmd|common\.h|server-|toml\+\+|cpp-httplib|httplib|openssl/"
_BANNED = re.compile(rf'^[ \t]*#[ \t]*include[ \t]*[<"](?P<path>(?:{_LIBRARIES})[^>"\n]*)[>"]')


def check(tree: Tree):
    for path in tree.paths(".h", below=("src/", "tests/", "bench/")):
        for number, line in tree.lines(path):
            if found := _BANNED.match(line):
                yield Complaint(path, number, RULE, f"{found['path']} belongs in a .cpp file: whoever includes this header would pay for it")
