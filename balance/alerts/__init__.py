"""Alerts that watch the market and the account: kept, looked after, told of and posted."""
