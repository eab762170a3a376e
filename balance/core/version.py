"""The version of the program, which backups name."""

VERSION = "0.1.0"
