import unittest

from tools import ledger
from tools.lint.rules import ledger as rule
from tools.lint.tests.support import RuleTest
from tools.lint.tree import Tree

ROWS = {ledger.ROWS: "T1\tkeeps its case\nT2\tends\n"}
TEST = "// ledger: T1\nTEST(Url, keeps_its_case) {}\n"


class LedgerRule(RuleTest):
    rule = rule

    def with_report(self, files):
        return {**files, ledger.REPORT: ledger.report(Tree(files))}

    def test_claims_of_rows_that_exist_are_fine(self):
        self.assertEqual([], self.found(self.with_report({**ROWS, "src/url_test.cpp": TEST})))

    def test_a_claim_of_no_row_is_caught(self):
        files = self.with_report({**ROWS, "src/url_test.cpp": TEST.replace("T1", "T9")})
        self.assertEqual(["src/url_test.cpp:1"], self.found(files))

    def test_a_claim_above_no_test_is_caught(self):
        files = self.with_report({**ROWS, "src/url_test.cpp": "// ledger: T1\nint x;\n" + TEST.split("\n")[1]})
        self.assertEqual(["src/url_test.cpp:1"], self.found(files))

    def test_a_stale_report_is_caught(self):
        files = {**self.with_report(ROWS), "src/url_test.cpp": TEST}
        self.assertEqual([f"{ledger.REPORT}:1"], self.found(files))


class Report(unittest.TestCase):
    def test_it_tells_shown_rows_from_the_others(self):
        text = ledger.report(Tree({**ROWS, "src/url_test.cpp": TEST, "tests/t.py": "# ledger: T1\n@needs\ndef test_it(self):\n"}))
        shown, missing = text.split("## Rows without a test")
        self.assertIn("| T1 | keeps its case | `Url.keeps_its_case` (src/url_test.cpp)<br>`test_it` (tests/t.py) |", shown)
        self.assertIn("| T2 | ends |", missing)
        self.assertNotIn("T1", missing)
