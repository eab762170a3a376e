"""The command line: python -m balance, one file a subject."""
