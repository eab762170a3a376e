"""The ledger by what is in it: an index in SQLite, derived from the ledger and never the truth."""
