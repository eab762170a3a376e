"""The streams of the dialect: market data, and what becomes of the account, over WebSockets."""
