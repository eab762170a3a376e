"""Agents: the account as tools of the Model Context Protocol, for ``python -m balance mcp``."""
