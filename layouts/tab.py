"""A tab of the dashboard: its name, its address and what is on it."""

from collections.abc import Callable
from dataclasses import dataclass

from dash.development.base_component import Component


@dataclass(frozen=True)
class Tab:
    """One tab. ``build`` returns its components, anew for every page that is opened."""

    # its ids begin with it
    id: str
    label: str
    # where it is on this server: / or /name
    path: str
    build: Callable[[], Component]
