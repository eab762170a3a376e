"""Backtests: a bot on past candles, its report, and the jobs of the server."""
