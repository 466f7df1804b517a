"""The rules, one file each: RULE is its name, check(tree) yields complaints. A new rule is a file here, a line below, and a test."""

from tools.lint.rules import formatting, layering, ledger, length, swallowed, third_party, unbuilt, words

ALL = (layering, third_party, length, swallowed, unbuilt, words, ledger, formatting)
