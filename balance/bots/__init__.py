"""Bots: strategies that trade the account while the server runs."""
