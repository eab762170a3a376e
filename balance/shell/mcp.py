"""The command that serves an agent: ``python -m balance mcp``."""

from __future__ import annotations

import argparse
from pathlib import Path

from balance.core.errors import InvalidRequest
from balance.shell.parts import AddCommand, Result
from balance.store.advice import sdk_command


def add_mcp_command(command: AddCommand) -> None:
    """Add the command that serves an agent."""
    mcp = command("mcp", "serve the account to an agent, as a server of MCP over stdio", _mcp)
    mcp.add_argument(
        "--name", default="agent", help="the agent's name, which owns what it trades (%(default)s)"
    )
    mcp.add_argument(
        "--strategies",
        type=Path,
        metavar="DIR",
        help="own strategies, for backtests",
    )


def _mcp(options: argparse.Namespace) -> Result:
    if advised := sdk_command():
        raise InvalidRequest(
            "Agents are served by the SDK of MCP, which is not installed here. Install it with "
            f"`{advised}`, and start this again."
        )
    # Loaded here, as other commands need none of it.
    from balance.agents.agent import Agent
    from balance.agents.server import serve

    serve(Agent(options.data_dir, options.name, options.strategies))
    return Result({}, "")
