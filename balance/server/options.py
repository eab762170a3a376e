"""The command line of the server: its options, and which of them make no sense."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from balance.api.front import Network, base_path_of, host_pattern, network_of
from balance.api.guards import TOKEN_VARIABLE
from balance.market.open_feed import add_feed_options
from balance.store.advice import DEFAULT_DATA_DIR, program

#: The least characters of a token or a secret.
SHORTEST_TOKEN: Final = 12
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def server_parser() -> argparse.ArgumentParser:
    """What understands the command line of the server."""
    parser = argparse.ArgumentParser(
        prog=program(None), description="A paper-trading desk with one virtual balance."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind to (127.0.0.1)")
    parser.add_argument(
        "--port", type=_port_number, default=8050, help="port to listen on (8050); 0: a free one"
    )
    parser.add_argument(
        "--stream-port",
        type=_port_number,
        help="port of the streams for programs; 0: a free one (the first free one behind --port)",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=DEFAULT_DATA_DIR,
        metavar="DIR",
        help="folder of the account (%(default)s); made where missing",
    )
    parser.add_argument(
        "--token",
        # A command line can be read by every user of the machine, and is stored with a container.
        default=os.environ.get(TOKEN_VARIABLE),
        help=f"what everyone must show; needed for other machines ({TOKEN_VARIABLE})",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        type=_host,
        metavar="NAME",
        help="a name under which other machines come here, such as desk.example.com or "
        "*.example.com; may be repeated; needs a token",
    )
    parser.add_argument(
        "--proxy",
        action="append",
        default=[],
        type=_network,
        metavar="ADDRESS",
        help="address or network of a proxy that ends TLS, whose X-Forwarded-Proto counts; may be "
        "repeated",
    )
    parser.add_argument(
        "--base-path",
        default="/",
        type=_base_path,
        metavar="PATH",
        help="the path below which a proxy serves it, such as /bot/ (/)",
    )
    parser.add_argument("--open", action="store_true", help="open the dashboard in the browser")
    bots = parser.add_argument_group("bots")
    bots.add_argument(
        "--strategies", type=Path, metavar="DIR", help="folder of your own strategies"
    )
    bots.add_argument("--signal-secret", metavar="TEXT", help="what signals from outside must show")
    add_feed_options(parser)
    return parser


def fault_in(options: argparse.Namespace) -> str:
    """Why the server can't start with ``options``, in a sentence; empty where it can."""
    if options.host not in _LOOPBACK and options.token is None:
        return (
            f"--host {options.host} lets other machines in, so it needs --token "
            f"or {TOKEN_VARIABLE}."
        )
    if options.allow_host and options.token is None:
        return (
            f"--allow-host {options.allow_host[0]} lets other machines in, so it needs --token "
            f"or {TOKEN_VARIABLE}."
        )
    if options.token is not None and len(options.token) < SHORTEST_TOKEN:
        return f"--token or {TOKEN_VARIABLE} must have at least {SHORTEST_TOKEN} characters."
    if options.signal_secret is not None and len(options.signal_secret) < SHORTEST_TOKEN:
        return f"--signal-secret must have at least {SHORTEST_TOKEN} characters."
    return ""


def _host(text: str) -> str:
    try:
        return host_pattern(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def _base_path(text: str) -> str:
    try:
        return base_path_of(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def _network(text: str) -> Network:
    try:
        return network_of(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def _port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not from 0 to 65535")
    return port
