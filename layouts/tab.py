"""A tab of the dashboard: its name, its address and what is on it."""

from collections.abc import Callable
from dataclasses import dataclass

from dash.development.base_component import Component


@dataclass(frozen=True)
class Place:
    """Where the page and the account are, for words that tell a program how to reach them."""

    # as the browser has it, without a slash at the end
    address: str = "http://127.0.0.1:8050"
    # below which a proxy serves the page, such as /bot; empty: the root
    base_path: str = ""
    # None where it is the one that programs use anyway
    data_dir: str | None = None
    needs_token: bool = False
    # whether signals must show a secret; they need no token then
    needs_secret: bool = False
    # what is traded, in the order in which it is shown
    symbols: tuple[str, ...] = ()
    # the id of the newest alert that has fired
    last_firing: int = 0
    # what the ticket begins with
    leverage: int = 10


@dataclass(frozen=True)
class Tab:
    """One tab. ``build`` returns its components, anew for every page that is opened."""

    # its ids begin with it
    id: str
    label: str
    # where it is on this server: / or /name
    path: str
    build: Callable[[Place], Component]
