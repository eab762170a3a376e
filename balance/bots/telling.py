"""What is told of the bots: rows, the log and trades, to those who ask and those who listen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from balance.bots.rows import bot_row, listing, strategy_row
from balance.bots.state import Roster, check_limit
from balance.core.account import Account
from balance.core.errors import StoreError
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.history import Page
from balance.history.rows import closed_trade_row
from balance.strategies.own import Broken, Catalogue
from balance.strategies.strategy import Kind

#: What follows the prices is told no more often than this.
_TELL_SECONDS: Final = 1.0
#: What bots have done is told no more often than this while prices come.
_HURRY_SECONDS: Final = 0.25

_log = logging.getLogger(__name__)


class Telling:
    """The readers of the bots in a roster. Safe to use from many threads."""

    #: Whether they can be changed here, and why not.
    can_change: Final = True
    words: Final = ""

    def __init__(self, desk: Desk, roster: Roster, catalogue: Catalogue) -> None:
        self._desk = desk
        self._roster = roster
        self._catalogue = catalogue
        self._listeners: list[Callable[[Mapping[str, Any]], None]] = []
        # in milliseconds at first, so that it goes on after a restart
        self._version = int(time.time() * 1_000)
        # whether there is something that listeners have not heard of; when they last heard, and
        # of which market
        self._is_news, self._told = False, 0.0
        self._market = desk.market
        self._names: Mapping[str, str] = {}
        self._know_strategies()

    def listed(self) -> Mapping[str, Any]:
        """All bots as rows, with a ``version`` that changes with everything they do."""
        with self._roster.guard:
            account, market = self._settled(), self._desk.market
            return {
                "version": self._version,
                "can_change": self.can_change,
                "words": self.words,
                **listing(self._roster, account, market, self._names),
            }

    def strategies(self) -> list[Row]:
        """What there is to choose from, with its parameters."""
        return [strategy_row(each) for each in self._know_strategies()]

    def subscribe(self, listener: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``listener`` called with what :meth:`listed` gives when that has changed."""
        self._listeners.append(listener)

    def log(
        self,
        bot: str | None = None,
        kind: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Page:
        """What the bots decided and did, newest first: at most ``limit`` (1 to 500) entries from
        before ``before`` (the last page's ``next``), of one bot and kind if asked.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        with self._roster.guard:
            return self._roster.log.page(bot, kind, limit, before)

    def trades(self, bot: str | None = None, limit: int = 100) -> list[Row]:
        """The newest ``limit`` (1 to 1,000) trades of the bots, newest first, of one if asked.

        Raises:
            InvalidRequest: the limit is out of range.
        """
        check_limit(limit)
        with self._roster.guard:
            self._catch_up()
            names, market = self._roster.names, self._desk.market
            rows = (
                closed_trade_row(entry, market, names)
                for entry in reversed(self._roster.trades)
                if entry.booking.fill is not None
                and entry.booking.fill.trade is not None
                and bot in (None, entry.booking.fill.trade.owner)
            )
            return [row for row, _ in zip(rows, range(limit), strict=False)]

    def show(self) -> None:
        """Tell those who listen what has changed, but not too often. For the engine."""
        now = time.monotonic()
        pause = _HURRY_SECONDS if self._is_news else _TELL_SECONDS
        if now - self._told < pause:
            return
        with self._roster.guard:
            before, market = self._market, self._desk.market
            # where no prices come, somebody may have closed what a bot held
            self._catch_up()
            is_news = self._is_news or market.live != before.live
            if is_news or (market is not before and self._holds()):
                self._tell(is_news=is_news)

    def _holds(self) -> bool:
        try:
            return any(each.owner for each in self._desk.account().positions)
        except StoreError:
            return False  # every tab says so

    def _settled(self) -> Account:
        """The account, with all of its trades summed up: what has just been closed is in the sums.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        account = self._desk.account()
        while self._catch_up():
            account = self._desk.account()
        return account

    def _catch_up(self) -> bool:
        """Whether the account has changed since the last time."""
        try:
            has_changed = self._roster.catch_up()
        except StoreError:
            return False  # every tab says so
        self._is_news = self._is_news or has_changed
        return has_changed

    def _know_strategies(self) -> tuple[Kind | Broken, ...]:
        """All strategies. A person's own are loaded where they have changed, which may take long:
        not for the engine, nor with the guard held."""
        kinds = self._catalogue.all()
        self._names = {each.id: each.name for each in kinds}
        return kinds

    def _row(self, bot_id: str) -> Row:
        account = self._settled()
        bot, names = self._roster.bot(bot_id), self._roster.names
        return bot_row(bot, account, self._desk.market, self._names, names)

    def _tell(self, *, is_news: bool = True) -> None:
        """Tell those who listen; the version tells news from figures that follow the prices."""
        self._catch_up()
        self._version += is_news or self._is_news
        self._is_news, self._told = False, time.monotonic()
        self._market = self._desk.market
        try:
            listed = self.listed()
        except StoreError:
            return  # every tab says so
        for listener in self._listeners:
            try:
                listener(listed)
            except Exception:
                _log.exception("a listener of the bots failed")
