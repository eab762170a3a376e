"""What happens on the screen: thin callbacks, registered on the app that they are given."""

from dash import Dash
from dash.development.base_component import Component

from balance.api.services import Services
from balance.desk.desk import Desk
from callbacks import (
    account,
    alerts,
    auto,
    balance,
    compare,
    curves,
    damage,
    derivation,
    details,
    equity,
    first,
    focus,
    futures,
    guard,
    history,
    navigation,
    overview,
    settings,
    toasts,
)


def register(app: Dash, layout: Component, desk: Desk, services: Services) -> None:
    """Register every callback on ``app``; ``layout`` tells what there is to feed, ``desk`` is the
    account, and ``services`` is what they read and change beside it."""
    guard.register(app)
    toasts.register(app)
    focus.register(app)
    balance.register(app, layout)
    curves.register(app)
    damage.register(app, services)
    derivation.register(app, services)
    details.register(app, desk, services)
    compare.register(app, desk, services)
    account.register(app, layout, desk)
    equity.register(app, services)
    navigation.register(app, layout)
    overview.register(app, desk)
    first.register(app, desk, services)
    history.register(app, desk, services)
    futures.register(app, desk)
    auto.register(app, desk, services)
    alerts.register(app, desk, services)
    settings.register(app, services)
