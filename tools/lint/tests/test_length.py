from tools.lint.rules import length
from tools.lint.tests.support import RuleTest


class Length(RuleTest):
    rule = length

    def test_500_lines_are_fine_501_are_warned_of_and_701_fail(self):
        files = {"src/a.cpp": "x\n" * 500, "src/b.cpp": "x\n" * 501, "tests/c.py": "x\n" * 701}
        self.assertEqual(["src/b.cpp:501 warning", "tests/c.py:701"], self.found(files))

    def test_the_architecture_has_to_stay_readable(self):
        self.assertEqual(["ARCHITECTURE.md:401"], self.found({"ARCHITECTURE.md": "x\n" * 401}))
