"""The desk: every use case of the account, with its settings."""
