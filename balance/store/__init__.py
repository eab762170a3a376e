"""The account in files: one small contract, a store in files, and one in memory."""
