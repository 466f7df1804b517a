"""ledger: a test only claims rows that exist, and docs/ledger.md says what the tests claim today."""

from tools import ledger
from tools.lint.tree import Complaint, Tree

RULE = "ledger"


def check(tree: Tree):
    rows = ledger.rows(tree.files.get(ledger.ROWS, ""))
    for proof in ledger.proofs(tree):
        if proof.row not in rows:
            yield Complaint(proof.path, proof.line, RULE, f"{proof.row} is no row of {ledger.ROWS}")
        elif not proof.test:
            yield Complaint(proof.path, proof.line, RULE, f"no test follows the comment that claims {proof.row}")
    if rows and tree.files.get(ledger.REPORT) != ledger.report(tree):
        yield Complaint(ledger.REPORT, 1, RULE, "is not what the tests say now; ./dev ledger writes it anew")
