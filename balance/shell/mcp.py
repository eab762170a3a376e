"""The command that serves an agent: ``python -m balance mcp``."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Final

from balance.core.errors import InvalidRequest
from balance.shell.parts import AddCommand, Result

#: What the command needs beside the other packages, as in ``requirements-mcp.txt``.
SDK: Final = "mcp==2.3.0"


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
    # Older versions of the SDK have no package of types.
    if importlib.util.find_spec("mcp_types") is None:
        raise InvalidRequest(
            "Agents are served by the SDK of MCP, which is not installed here. Install it with "
            f"`{sys.executable} -m pip install {SDK}`, and start this again."
        )
    # Loaded here, as other commands need none of it.
    from balance.agents.agent import Agent
    from balance.agents.server import serve

    serve(Agent(options.data_dir, options.name, options.strategies))
    return Result({}, "")
