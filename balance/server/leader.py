"""What lets the market act on an account: the feed, the engine, the bots, the alerts and the
samples, which one server on a folder has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from balance.alerts import alerts as alert_module
from balance.alerts.alerts import Alerts, FollowedAlerts
from balance.alerts.state import ALERTS_FILE
from balance.bots.bots import Bots
from balance.bots.followed import DAMAGED, FollowedBots
from balance.bots.log import LOG_FILE
from balance.bots.state import BOTS_FILE
from balance.core.errors import StoreError, StoreUnreadable
from balance.core.market import Market
from balance.core.periods import Baselines
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.history.history import traded_until
from balance.market.board import (
    FEED_FILE,
    MARKET_FILE,
    FileBoard,
    LiveBoard,
    Ruled,
    saved_arguments,
    saved_feed,
)
from balance.market.feed import Feed
from balance.market.open_feed import FeedOptions, feed_arguments, feed_of, open_feed
from balance.performance.sampler import Sampler
from balance.server.engine import Engine, refuse_others
from balance.store.damage import Damage
from balance.store.disk import DISK
from balance.strategies.own import Catalogue

_log = logging.getLogger(__name__)

# What only a leader writes.
_FILES: Final = (MARKET_FILE, FEED_FILE, BOTS_FILE, LOG_FILE, ALERTS_FILE)


@dataclass(frozen=True, slots=True)
class OpenedFeed:
    """A feed, and how it stands to the one that the last server on the folder had."""

    feed: Feed
    # The arguments of a command line that name it.
    arguments: Sequence[str]
    # Whether it continues that one, from ``last_seen``: the last quote that it had.
    is_continued: bool
    last_seen: datetime | None
    # Whether it begins at another time of it than that at which it stopped.
    is_moved: bool


def feed_for(
    desk: Desk, folder: Path, options: FeedOptions | None, *, takes_over: bool
) -> OpenedFeed:
    """The feed that ``options`` name, from where the last server on ``folder`` stopped. A server
    that ``takes_over`` begins at the time of its options only where that was another feed, and
    without options has the feed of that server.

    Raises:
        FeedFault: it can't be used, or the account trades on another one.
    """
    if options is None:
        arguments = saved_arguments(folder) if takes_over else []
        options = feed_of(arguments) if arguments else FeedOptions()
    feed_id, state, last_seen = saved_feed(folder)
    saved = {"id": feed_id, "state": state} if state else None

    def last_trade(feed_id: str) -> datetime | None:
        try:
            return traded_until(desk.store, feed_id)
        except StoreError:
            return None  # Every tab says so.

    feed = open_feed(replace(options, start=None) if takes_over else options, saved, last_trade)
    is_continued, is_moved = feed.id == feed_id, options.start is not None
    if takes_over and is_moved:
        is_moved = not is_continued
        feed = open_feed(options, saved, last_trade) if is_moved else feed
    try:
        refuse_others(desk, feed, is_moved=is_moved)
    except BaseException:
        feed.stop()
        raise
    return OpenedFeed(feed, feed_arguments(options), is_continued, last_seen, is_moved)


class Leader:
    """Lets the market act on the account of ``desk`` from :meth:`start` to :meth:`stop`, from where
    the last server on its folder stopped."""

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        opened: OpenedFeed,
        before: FileBoard,
        *,
        ruled: Ruled,
        catalogue: Catalogue,
        secret: str | None,
        baselines: Baselines,
        show: Callable[[Snapshot], None],
        look: Callable[[Market], None],
        may_act: Callable[[], bool],
    ) -> None:
        """``before`` is the board of the desk until now, and ``baselines`` what it compared with;
        ``secret`` is what signals from outside must show. ``show`` is called with the account at
        new prices, ``look`` with each moment of the market. Nothing is done once ``may_act`` is
        False."""
        self._desk, self._opened, self._may_act = desk, opened, may_act
        # The leader before may have died as it wrote.
        DISK.sweep(folder, *_FILES)
        # From here on nothing fills before the feed has prices.
        market = replace(before.end(), live=frozenset(), state="waiting", message="")
        if before.is_damaged:
            desk.ledger.damages.report(_damaged_market(desk))
        board = LiveBoard(ruled, market)
        desk.use_board(board)
        self.bots = _bots(desk, folder, catalogue, secret)
        self.alerts = _alerts(desk, folder)
        # Those whose file can be read; alerts come after what the bots have done.
        both = (self.bots, self.alerts)
        self._acting = [each for each in both if isinstance(each, Bots | Alerts)]
        self._engine = Engine(
            *(desk, board, opened.feed, show, folder),
            acting=self._acting,
            may_act=may_act,
            arguments=opened.arguments,
            look=look,
        )
        self._sampler = Sampler(desk, folder, show, desk.ledger, baselines=baselines)

    @property
    def feed(self) -> Feed:
        """Where the prices come from."""
        return self._opened.feed

    @property
    def samples_message(self) -> str:
        """What became of an earlier file of samples; empty for nothing."""
        return self._sampler.message

    def suspect_samples(self) -> None:
        """Prove the file of the samples now, as it was found damaged."""
        self._sampler.suspect()

    def start(self) -> None:
        """Start; what the market did since the last quote that a server had is done first.

        Raises:
            FeedFault: the feed can't be used.
        """
        for each in self._acting:
            each.begin(anew=self._opened.is_moved)
        # The others have published how they stand.
        for shown in (self.bots, self.alerts):
            if isinstance(shown, FollowedBots | FollowedAlerts):
                with suppress(StoreError):
                    shown.show()
        self._engine.start(self._opened.last_seen if self._opened.is_continued else None)
        if isinstance(self.alerts, Alerts):
            # From here on, as what was settled before was at prices of the past.
            self._desk.subscribe(self.alerts.committed)
        # Last, so that what is open has its newest prices.
        self._sampler.start()

    def stop(self) -> None:
        """Stop, and save what the next one needs."""
        self._engine.stop()
        if self._may_act():
            self._sampler.stop()


def _bots(
    desk: Desk, folder: Path, catalogue: Catalogue, secret: str | None
) -> Bots | FollowedBots:
    try:
        return Bots(desk, catalogue, folder, secret)
    except StoreUnreadable as fault:
        _report(desk, fault)
        return FollowedBots(desk, folder, catalogue, DAMAGED, secret)


def _alerts(desk: Desk, folder: Path) -> Alerts | FollowedAlerts:
    try:
        return Alerts(desk, folder)
    except StoreUnreadable as fault:
        _report(desk, fault)
        return FollowedAlerts(desk, folder, alert_module.DAMAGED)


def _report(desk: Desk, fault: StoreUnreadable) -> None:
    _log.error("%s", fault)
    desk.ledger.damages.report(Damage(fault.file, None, str(fault)))


def _damaged_market(desk: Desk) -> Damage:
    """What it means that the file with the market of the server before is damaged."""
    message = f"{MARKET_FILE} was damaged, and is written anew. The last prices in it are lost."
    with suppress(StoreError):
        followed = sum(each.kind.follows for each in desk.account().orders)
        if followed:
            message += (
                f" {followed} trailing stop{'s' * (followed > 1)} may stand further from the price "
                "than before, at the best price that the account has. Look at the open orders."
            )
    return Damage(MARKET_FILE, None, message)
