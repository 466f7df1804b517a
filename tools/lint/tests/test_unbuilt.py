from tools.lint.rules import unbuilt
from tools.lint.tests.support import RuleTest

LIST = {"src/os/CMakeLists.txt": "puna_module(os SOURCES file.cpp unix/lock.cpp)\npuna_test(os SOURCES file_test.cpp)"}


class Unbuilt(RuleTest):
    rule = unbuilt

    def test_files_in_targets_are_fine(self):
        self.assertEqual([], self.found({**LIST, "src/os/file.cpp": "", "src/os/unix/lock.cpp": "", "src/os/file_test.cpp": ""}))

    def test_a_test_in_no_target_is_caught(self):
        self.assertEqual(["src/os/lock_test.cpp:1"], self.found({**LIST, "src/os/lock_test.cpp": ""}))

    def test_a_test_that_only_a_module_compiles_is_caught(self):
        lists = {"src/os/CMakeLists.txt": "puna_module(os SOURCES file_test.cpp)"}
        self.assertEqual(["src/os/file_test.cpp:1"], self.found({**lists, "src/os/file_test.cpp": ""}))

    def test_a_source_in_no_target_is_caught(self):
        self.assertEqual(["src/os/lost.cpp:1"], self.found({**LIST, "src/os/lost.cpp": ""}))

    def test_a_python_test_that_no_list_names_is_caught(self):
        files = {"tests/clients/CMakeLists.txt": "foreach(suite openai)", "tests/clients/test_openai.py": "", "tests/clients/test_kills.py": ""}
        self.assertEqual(["tests/clients/test_kills.py:1"], self.found(files))
