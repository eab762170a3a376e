"""The ledger as lists: questions, their index in SQLite, rows and epochs."""
