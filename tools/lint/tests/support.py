"""What the lint's tests share."""

import textwrap
import unittest

from tools.lint.tree import Tree


class RuleTest(unittest.TestCase):
    """Says what one rule finds in a small tree that the test writes."""

    rule = None

    def found(self, files: dict[str, str]) -> list[str]:
        tree = Tree({path: textwrap.dedent(text).lstrip("\n") for path, text in files.items()})
        return [f"{c.path}:{c.line}" + (" warning" if c.warning else "") for c in self.rule.check(tree)]
