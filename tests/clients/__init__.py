"""Unmodified clients of others against a running desk: ``python -m tests.clients all``."""
