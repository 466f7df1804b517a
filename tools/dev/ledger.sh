# ./dev ledger                               write docs/ledger.md: which test proves which row
exec python3 -m tools.ledger
