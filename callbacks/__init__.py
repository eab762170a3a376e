"""What happens on the screen: thin callbacks, registered on the app that they are given."""

from dash import Dash
from dash.development.base_component import Component

from callbacks import auto, balance, damage, dialogs, futures, guard, history, navigation, settings


def register(app: Dash, layout: Component) -> None:
    """Register every callback on ``app``; ``layout`` tells what there is to feed."""
    guard.register(app)
    balance.register(app, layout)
    damage.register(app)
    dialogs.register(app, layout)
    navigation.register(app, layout)
    history.register(app)
    futures.register(app)
    auto.register(app)
    settings.register(app)
