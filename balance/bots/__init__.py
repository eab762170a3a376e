"""Bots: strategies that trade the account while the server runs, and what they keep and tell."""
