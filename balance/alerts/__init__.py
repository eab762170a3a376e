"""Alerts on the market and the account: rules, readings, state and delivery."""
