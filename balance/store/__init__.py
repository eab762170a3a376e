"""Where the account is kept: one small contract, a store in files and its twin in memory."""
