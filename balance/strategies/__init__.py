"""Strategies: what one is, those that are built in, and a person's own."""
