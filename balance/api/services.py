"""What the interface serves beside the account itself."""

from __future__ import annotations

from dataclasses import dataclass

from balance.alerts.alerts import Alerts, FollowedAlerts
from balance.api.bots import AnyBots
from balance.backtests.jobs import Backtests
from balance.desk.settings import SettingsFile
from balance.performance.performance import Equity


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One of each; the routes know them by what they ask of them."""

    bots: AnyBots
    backtests: Backtests
    settings: SettingsFile
    alerts: Alerts | FollowedAlerts
    equity: Equity
