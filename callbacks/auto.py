"""The Auto Trading tab: bots, outside bots, and what the bots did."""

from dash import Dash

from balance.api.services import Services
from balance.desk.desk import Desk
from callbacks import activity, auto_keys, backtests, bot_form, bots


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Have the tab on ``app`` show and change what ``services`` have."""
    bots.register(app, services)
    bot_form.register(app, desk, services)
    activity.register(app, services)
    auto_keys.register(app, services)
    backtests.register(app, services)
