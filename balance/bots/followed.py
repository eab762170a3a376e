"""Bots that do not run here: to be seen, not to be changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from balance.bots.file import BOTS_FILE, BotFile, Kept
from balance.bots.log import BotLog
from balance.bots.rows import listing, strategy_row
from balance.bots.state import check_limit
from balance.core.errors import InvalidRequest, StoreError
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.history import Page
from balance.history.rows import closed_trade_row
from balance.strategies.own import Catalogue

#: Why, where another server on the folder runs them.
ELSEWHERE: Final = (
    "Bots run in the server that brings the prices, which was started first on this folder: "
    "change them there."
)
#: Why, where what is kept of them can't be read.
DAMAGED: Final = (
    f"{BOTS_FILE} in the data folder is damaged, so no bot runs. Mend the file or move it away, "
    "and start again. What the bots hold can be closed on the Futures tab."
)
_LOOKED_BACK: Final = 5_000
_TELL_SECONDS: Final = 1.0


class FollowedBots:
    """What the file of the bots tells; reads of it take no lock."""

    #: Whether they can be changed here.
    can_change: Final = False

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        catalogue: Catalogue | None = None,
        words: str = ELSEWHERE,
    ) -> None:
        """``words`` say why they can't be changed."""
        self.words = words
        self._desk = desk
        self._folder = folder
        self._catalogue = catalogue or Catalogue()
        self._listeners: list[Callable[[Mapping[str, Any]], None]] = []
        self._seen: tuple[tuple[int, int] | None, Kept] = None, Kept()
        self._told: tuple[object, float] = None, 0.0

    def listed(self) -> Mapping[str, Any]:
        """All bots as rows; the ``version`` is the time of their file, in milliseconds.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        signature, kept = self._kept()
        names = {each.id: each.name for each in self._catalogue.all()}
        account, market = self._desk.account(), self._desk.market
        return {
            "version": signature[0] // 1_000_000 if signature is not None else 0,
            "can_change": self.can_change,
            "words": self.words,
            **listing(kept.bots, account, market, names),
        }

    def strategies(self) -> list[Row]:
        """What there is to choose from, with its parameters."""
        return [strategy_row(each) for each in self._catalogue.all()]

    def subscribe(self, listener: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``listener`` called with what :meth:`listed` gives when that has changed."""
        self._listeners.append(listener)

    def show(self) -> None:
        """Tell those who listen what has changed, at most once a second."""
        now = time.monotonic()
        if now - self._told[1] < _TELL_SECONDS:
            return
        signature, kept = self._kept()
        if (signature, self._desk.market if kept.bots else None) == self._told[0]:
            return
        self._told = (signature, self._desk.market if kept.bots else None), now
        listed = self.listed()
        for listener in self._listeners:
            listener(listed)

    def log(
        self,
        bot: str | None = None,
        kind: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Page:
        """What the bots decided and did, as the file of their log tells.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        return BotLog(self._folder).page(bot, kind, limit, before)

    def trades(self, bot: str | None = None, limit: int = 100) -> list[Row]:
        """The newest ``limit`` (1 to 1,000) trades of the bots, newest first, of one if asked.

        Raises:
            InvalidRequest: the limit is out of range.
        """
        check_limit(limit)
        names = {each.id: each.settings.name for each in self._kept()[1].bots}
        rows: list[Row] = [
            closed_trade_row(entry, self._desk.market, names)
            for entry in reversed(self._desk.ledger.closings(0, _LOOKED_BACK))
        ]
        return [row for row in rows if row["bot"] and bot in (None, row["bot"])][:limit]

    @property
    def needs_secret(self) -> bool:
        """Whether signals from outside must show a secret: none are taken here."""
        return False

    def check_secret(self, _shown: object) -> bool:
        """Whether the secret is right: none is needed to be told that nothing is taken here."""
        return True

    def _refuse(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Refuse a change.

        Raises:
            InvalidRequest: always.
        """
        raise InvalidRequest(self.words)

    create = edit = duplicate = start = pause = resume = stop = delete = stop_all = _refuse
    signal = _refuse

    def _kept(self) -> tuple[tuple[int, int] | None, Kept]:
        try:
            status = (self._folder / BOTS_FILE).stat()
            signature = status.st_mtime_ns, status.st_ino
            if signature != self._seen[0]:
                self._seen = signature, BotFile(self._folder).read()
        except (OSError, StoreError):
            return self._seen  # as it was; the server that runs them says what is wrong
        return self._seen
