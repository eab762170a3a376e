"""What happens on the screen: thin callbacks, registered on the app that they are given."""

from dash import Dash
from dash.development.base_component import Component

from balance.keys.keys import Keys
from callbacks import (
    auto,
    auto_keys,
    balance,
    damage,
    dialogs,
    futures,
    guard,
    history,
    navigation,
    settings,
)


def register(app: Dash, layout: Component, keys: Keys) -> None:
    """Register every callback on ``app``; ``layout`` tells what there is to feed, and ``keys`` are
    what the dialogs of outside bots change."""
    guard.register(app)
    balance.register(app, layout)
    damage.register(app)
    dialogs.register(app, layout)
    navigation.register(app, layout)
    history.register(app)
    futures.register(app)
    auto.register(app)
    auto_keys.register(app, keys)
    settings.register(app)
