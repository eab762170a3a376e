"""Bots that run elsewhere: they can be seen, and not changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from balance.background.listeners import Listeners
from balance.bots.log import BotLog
from balance.bots.refused_signals import RefusedSignals
from balance.bots.rows import bot_trade_rows, listing, strategy_row
from balance.bots.signals import is_secret
from balance.bots.state import BOTS_FILE, RECENT_ENTRIES, bot_file
from balance.core.errors import InvalidRequest
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.history import Page
from balance.strategies.own import Catalogue

#: Why they can't be changed here, where another server on the folder runs them.
ELSEWHERE: Final = (
    "Bots run in the server that brings the prices: change them there. When it ends, they run here."
)
#: Why, where their file can't be read.
DAMAGED: Final = (
    f"{BOTS_FILE} in the data folder is damaged, so no bot runs. Put a copy back or move it away, "
    "and start again. What the bots hold can be closed on the Futures tab."
)
_PUBLISH_SECONDS: Final = 1.0


class FollowedBots:
    """The bots in their file, which is read without a lock."""

    #: Whether they can be changed here.
    can_change: Final = False

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        catalogue: Catalogue | None = None,
        fault: str = "",
        secret: str | None = None,
    ) -> None:
        """``fault`` says why nobody runs them; where that is empty, another server does.
        ``secret`` is what signals from outside must show, which are refused all the same."""
        self._message = fault or ELSEWHERE
        self._fault = fault
        self._secret = secret
        #: The signals that this server refused since its start.
        self.refused_signals = RefusedSignals(secret)
        self._desk = desk
        self._folder = folder
        self._catalogue = catalogue or Catalogue()
        self._file = bot_file(folder)
        self._listeners = Listeners[Mapping[str, Any]]("bots")
        # What was published last, and when.
        self._published: object = None
        self._published_at = 0.0

    def listed(self) -> Mapping[str, Any]:
        """All bots as rows; the ``version`` is the time of their file, in milliseconds.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        book = self._file.latest_known()
        strategies = {each.id: each.name for each in self._catalogue.all()}
        account, market = self._desk.account(), self._desk.market
        refused = self.refused_signals.latest
        rows = listing(book.bots.values(), account, market, strategies, refused)
        return {
            "version": self._file.changed,
            "can_change": False,
            "words": self._message,
            "fault": self._fault,
            "activity": str(self._file.changed),
            **rows,
            # Not as where they can be changed.
            "drawn": f"followed.{rows['drawn']}",
        }

    def strategies(self) -> list[Row]:
        """The strategies that there are, with their parameters."""
        return [strategy_row(each) for each in self._catalogue.all()]

    def subscribe(self, listener: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``listener`` called with the result of :meth:`listed` when that has changed."""
        self._listeners.add(listener)

    def show(self) -> None:
        """Publish what has changed, at most once a second."""
        now = time.monotonic()
        if now - self._published_at < _PUBLISH_SECONDS:
            return
        book = self._file.latest_known()
        news = book, self._desk.market if book.bots else None, self.refused_signals.total
        if news != self._published:
            self._published, self._published_at = news, now
            self._listeners.publish(self.listed())

    def log(
        self,
        bot: str | None = None,
        kind: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Page:
        """What the bots decided and did, from the file of their log.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        return BotLog(self._folder).page(bot, kind, limit, before)

    def trades(self, bot: str | None = None, limit: int = 100) -> list[Row]:
        """The newest ``limit`` (1 to 1,000) trades, newest first, of one ``bot`` or of all.

        Raises:
            InvalidRequest: the limit is out of range.
        """
        names, entries = (
            self._file.latest_known().names,
            self._desk.ledger.recent_closings(RECENT_ENTRIES),
        )
        return bot_trade_rows(entries, self._desk.market, names, bot, limit)

    @property
    def needs_secret(self) -> bool:
        """Whether signals from outside must show a secret."""
        return self._secret is not None

    def check_secret(self, secret: object) -> bool:
        """Whether ``secret`` is the right one, or none is needed."""
        return is_secret(secret, self._secret)

    def signal(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Refuse a signal, which the server must be given that brings the prices.

        Raises:
            InvalidRequest: always.
        """
        self.refuse_signal(self._message)
        raise InvalidRequest(self._message)

    def refuse_signal(self, reason: str) -> None:
        """Have the bots that take signals say that one was refused here."""
        self.refused_signals.add(reason)

    def _refuse(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Refuse a change.

        Raises:
            InvalidRequest: always.
        """
        raise InvalidRequest(self._message)

    create = edit = duplicate = start = pause = resume = stop = delete = stop_all = _refuse
