from tools.lint.rules import layering
from tools.lint.tests.support import RuleTest

TABLE = """
    | folder | what | uses |
    |---|---|---|
    | `base` | errors | – |
    | `os` | files | base |
    | `net` | network | base os |
"""
LISTS = {
    "ARCHITECTURE.md": TABLE,
    "src/base/CMakeLists.txt": "puna_module(base SOURCES error.cpp)",
    "src/os/CMakeLists.txt": "puna_module(os SOURCES file.cpp USES base)\npuna_test(os SOURCES file_test.cpp)",
    "src/net/CMakeLists.txt": "puna_module(net\n  SOURCES http.cpp\n  USES base os # both\n  LINK CURL::libcurl)",
}


class Layering(RuleTest):
    rule = layering

    def test_a_tree_that_keeps_its_uses_is_fine(self):
        self.assertEqual([], self.found({**LISTS, "src/net/http.cpp": '#include <vector>\n#include "os/file.h"\n#include "net/http.h"\n'}))

    def test_an_include_outside_the_uses_is_caught(self):
        self.assertEqual(["src/os/file.h:2"], self.found({**LISTS, "src/os/file.h": '#include "base/error.h"\n#include "net/http.h"\n'}))

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual([], self.found({**LISTS, "src/os/file.h": '// #include "net/http.h"\n'}))

    def test_what_is_reached_through_another_module_has_to_be_named(self):
        lists = {**LISTS, "src/net/CMakeLists.txt": "puna_module(net USES os)", "ARCHITECTURE.md": TABLE.replace("base os", "os")}
        self.assertEqual(["src/net/http.cpp:1"], self.found({**lists, "src/net/http.cpp": '#include "base/error.h"\n'}))

    def test_a_test_may_use_what_its_own_target_names(self):
        lists = {**LISTS, "src/os/CMakeLists.txt": LISTS["src/os/CMakeLists.txt"].replace("file_test.cpp)", "file_test.cpp USES net)")}
        include = '#include "net/http.h"\n'
        self.assertEqual(["src/os/file.cpp:1"], self.found({**lists, "src/os/file_test.cpp": include, "src/os/file.cpp": include}))

    def test_what_a_modules_tests_share_may_use_what_they_use(self):
        lists = {**LISTS, "src/os/CMakeLists.txt": LISTS["src/os/CMakeLists.txt"].replace("file_test.cpp)", "file_test.cpp USES net)")}
        self.assertEqual([], self.found({**lists, "src/os/file_testing.h": '#include "net/http.h"\n'}))

    def test_tests_that_cross_modules_are_held_to_their_targets_uses(self):
        lists = {**LISTS, "tests/CMakeLists.txt": "puna_test(whole SOURCES whole_test.cpp USES os)"}
        source = '#include "os/file.h"\n#include "net/http.h"\n'
        self.assertEqual(["tests/whole_test.cpp:2"], self.found({**lists, "tests/whole_test.cpp": source}))

    def test_an_include_that_is_not_rooted_at_src_is_caught(self):
        files = {**LISTS, "src/os/file.cpp": '#include "file.h"\n', "src/os/file.h": ""}
        self.assertEqual(["src/os/file.cpp:1"], self.found(files))

    def test_the_composition_root_may_include_everything(self):
        self.assertEqual([], self.found({**LISTS, "src/main.cpp": '#include "net/http.h"\n#include "os/file.h"\n'}))

    def test_modules_that_use_each_other_are_caught(self):
        lists = {**LISTS, "src/os/CMakeLists.txt": "puna_module(os USES base net)", "ARCHITECTURE.md": TABLE.replace("files | base", "files | base net")}
        self.assertEqual(["src/net/CMakeLists.txt:1"], self.found(lists))

    def test_a_use_of_no_module_is_caught(self):
        lists = {**LISTS, "src/os/CMakeLists.txt": "puna_module(os USES base network)"}
        self.assertIn("src/os/CMakeLists.txt:1", self.found(lists))

    def test_a_table_that_says_otherwise_is_caught(self):
        self.assertEqual(["ARCHITECTURE.md:5"], self.found({**LISTS, "ARCHITECTURE.md": TABLE.replace("base os", "base")}))

    def test_a_module_without_a_row_and_a_row_without_a_module_are_caught(self):
        table = TABLE.replace("`net`", "`nets`")
        self.assertEqual(["ARCHITECTURE.md:1", "ARCHITECTURE.md:5"], self.found({**LISTS, "ARCHITECTURE.md": table}))
