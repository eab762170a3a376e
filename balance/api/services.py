"""What the interface serves beside the account itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from balance.alerts.alerts import Alerts, FollowedAlerts
from balance.backtests.jobs import Backtests
from balance.bots.bots import Bots
from balance.bots.followed import FollowedBots
from balance.core.errors import BalanceError
from balance.core.quote import Settlement
from balance.desk.settings import SettingsFile
from balance.keys.keys import Keys
from balance.keys.listen_keys import ListenKeys
from balance.market.ticks import Ticks
from balance.performance.performance import Equity
from balance.store.damage import Damages

#: The bots of this server, or those of the one that it follows.
AnyBots = Bots | FollowedBots
#: The alerts, likewise.
AnyAlerts = Alerts | FollowedAlerts


def _no_settlement(_symbol: str, _instant: datetime) -> Settlement | None:
    return None


def _do_nothing() -> None:
    """Do nothing."""


@dataclass(slots=True, kw_only=True)
class Services:
    """The services of a server. Read at each request, as ``bots`` and ``alerts`` are others once a
    server that followed leads."""

    bots: AnyBots
    backtests: Backtests
    settings: SettingsFile
    alerts: AnyAlerts
    keys: Keys
    equity: Equity
    damages: Damages
    ticks: Ticks = field(default_factory=Ticks)
    # The settlement of a symbol at a past instant, as the feed knows it; may take seconds.
    settle: Callable[[str, datetime], Settlement | None] = _no_settlement
    # Called when a page is opened, which will follow the figures of performance.
    expect_page: Callable[[], None] = _do_nothing
    # Whether the market acts on the account by this server.
    leads: bool = True
    listen_keys: ListenKeys = field(init=False)

    def __post_init__(self) -> None:
        self.listen_keys = ListenKeys(self.keys)

    def bot_names(self) -> Mapping[str, str]:
        """The names of the bots that there still are, by id."""
        try:
            return {each["id"]: each["name"] for each in self.bots.listed()["bots"]}
        except BalanceError:
            return {}  # The Auto Trading tab says so.
