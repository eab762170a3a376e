"""What happens on the screen: thin callbacks, registered on the app that they are given."""

from dash import Dash
from dash.development.base_component import Component

from balance.desk import Desk
from callbacks import auto, balance, dialogs, futures, guard, ledger, navigation, settings


def register(app: Dash, desk: Desk, layout: Component) -> None:
    """Register every callback on ``app``; ``layout`` tells what there is to feed."""
    guard.register(app)
    balance.register(app, layout)
    dialogs.register(app, layout)
    navigation.register(app, layout)
    ledger.register(app, desk)
    futures.register(app)
    auto.register(app)
    settings.register(app)
