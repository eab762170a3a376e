"""What a server shows of the one that lets the market act on the same account."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from balance.alerts.alerts import FollowedAlerts
from balance.bots.followed import FollowedBots
from balance.core.errors import BalanceError
from balance.core.market import Market
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.market.board import FileBoard


class Follower:
    """Shows the prices, the bots and the alerts of another server, by its files. It acts on nothing
    itself."""

    def __init__(
        self,
        desk: Desk,
        board: FileBoard,
        bots: FollowedBots,
        alerts: FollowedAlerts,
        show: Callable[[Snapshot], None],
        look: Callable[[Market], None] = lambda _: None,
    ) -> None:
        """``show`` is called with the account at every new price, ``look`` with the market."""
        self._desk = desk
        self._board = board
        self._bots = bots
        self._alerts = alerts
        self._show = show
        self._look = look
        self._shown: Market | None = None

    def turn(self) -> None:
        """Show what has changed since the last turn."""
        market = self._board.market
        # An account that can't be read is reported by the watch on its file.
        with suppress(BalanceError):
            if market is not self._shown:
                self._shown = market
                self._look(market)
                self._show(self._desk.snapshot())
            self._bots.show()
            self._alerts.show()
