"""The engine: one thread that lets the market act on the account, quote by quote.

Quotes come from the feed. What they do to the account is committed before anybody sees them, so
that no order can outrun a liquidation; then they are shown, at most four times a second.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from balance.background.worker import Worker
from balance.core.account import Account
from balance.core.errors import BalanceError, StoreError
from balance.core.funding import due
from balance.core.market import Market
from balance.core.matching import is_due
from balance.core.messages import MARKET, OFFLINE
from balance.core.quote import Quote, Settlement
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.market.board import (
    FEED_FILE,
    MARKET_FILE,
    LiveBoard,
    save_market,
    save_past,
    stopped_message,
)
from balance.market.feed import Feed, FeedFault

#: Prices are shown no more often than this; what changes the account is shown at once.
SHOW_SECONDS: Final = 0.25
#: How often the prices are written into their file, for other programs and the next start.
SAVE_SECONDS: Final = 1.0
SAVE_PAST_SECONDS: Final = 60.0
# A symbol that is silent for so long, while others are not, has no live price.
_SILENT_SECONDS: Final = 60.0
# A rate that came so shortly before a settlement is that settlement's.
_RATE_IS_FRESH: Final = timedelta(minutes=5)
# So many moments that the disk refuses are booked later: some 40 minutes.
_MOST_UNBOOKED: Final = 10_000

_log = logging.getLogger(__name__)


def refuse_others(desk: Desk, feed: Feed, *, is_moved: bool = False) -> None:
    """Refuse to run ``feed`` for an account that trades on another one, or on another time of it
    (``is_moved``): its positions would be marked with prices that are not theirs.

    Raises:
        FeedFault: it does; the message says what is open, and what to do.
    """
    try:
        account = desk.account()
    except StoreError:
        return  # Every tab says so; a repaired account is marked by its own feed only.
    open_on = {each.feed for each in account.positions} | {each.feed for each in account.orders}
    if not open_on or (open_on == {feed.id} and not is_moved):
        return
    there = " and ".join(sorted(open_on))
    change = "Another time" if open_on == {feed.id} else f"The feed {feed.id}"
    raise FeedFault(
        f"{change} can't be taken while {_open_words(account)} open on {there}. Start as before "
        f"and end that, or begin anew with {desk.command('reset')}."
    )


def _open_words(account: Account) -> str:
    """``"BTC/USDT long and 2 orders are"``."""
    what = [f"{each.symbol} {each.side}" for each in account.positions]
    count = len(account.orders)
    if count:
        what.append(f"{count} order{'s' if count > 1 else ''}")
    return f"{' and '.join(what)} {'are' if len(what) > 1 or count > 1 else 'is'}"


class Acting(Protocol):
    """What acts on prices: bots and alerts."""

    def look(self, market: Market) -> None:
        """Act on ``market``, a new moment of it."""

    def show(self) -> None:
        """Publish what has changed, where it is time to."""

    def rest(self) -> None:
        """Save what is not saved yet, as no more prices come."""


def _name(acting: Acting) -> str:
    return type(acting).__name__.lower()


class Engine:
    """Runs ``feed`` for ``desk`` from :meth:`start` to :meth:`stop`."""

    def __init__(
        self,
        desk: Desk,
        board: LiveBoard,
        feed: Feed,
        show: Callable[[Snapshot], None],
        folder: Path,
        acting: Sequence[Acting] = (),
        may_act: Callable[[], bool] = lambda: True,
        arguments: Sequence[str] = (),
        look: Callable[[Market], None] = lambda _: None,
    ) -> None:
        """``look`` and then ``acting`` get each moment, once what it does is committed. Nothing is
        done or saved any more once ``may_act`` is False. ``arguments`` name the feed on a command
        line, for a server that takes over."""
        self._desk = desk
        self._board = board
        self._feed = feed
        self._show = show
        self._folder = folder
        self._acting = tuple(acting)
        self._look = look
        self._may_act = may_act
        self._arguments = tuple(arguments)
        self._quoted_at: dict[str, float] = {}
        self._shown = self._saved = self._saved_wholly = 0.0
        self._is_shown = True
        # Whether nothing has failed since the newest quotes came.
        self._is_trusted = True
        self._is_refused = False
        # The parts of a turn that failed the last time.
        self._broken: set[str] = set()
        # The files that could not be saved the last time.
        self._unsaved: set[str] = set()
        # What could not be booked yet, oldest first: moments of the market, each with its source.
        self._unbooked: deque[tuple[Market, str]] = deque(maxlen=_MOST_UNBOOKED)
        # The settlements that are due and known: if they can't be booked at once, their quotes are
        # gone by then.
        self._owed: dict[tuple[str, datetime], Settlement | None] = {}
        self._worker = Worker("engine", self._turn, "the engine failed", SHOW_SECONDS)
        board.candles = feed.candles
        board.market = Market(
            feed=feed.id,
            label=feed.label,
            state=feed.state,
            # The last ones of this feed are shown until the next ones come.
            quotes=board.market.quotes if board.market.feed == feed.id else {},
            bests=board.market.bests,
            instruments=dict(feed.instruments),
            tick=board.market.tick + 1,
        )
        # The newest market that has been booked: orders have followed it.
        self._booked = board.market

    def start(self, last_seen: datetime | None = None) -> None:
        """Start. What the market did since ``last_seen``, while no engine ran, is done first.

        Raises:
            FeedFault: the feed can't be used.
        """
        now = datetime.now(UTC)
        if last_seen is not None and last_seen > now:
            # This computer's clock was ahead then; prices have times of their own.
            known = (each.time for each in self._board.market.quotes.values())
            last_seen = max(known, default=now)
        if last_seen is not None:
            # Until a quote comes, so that a start without any leaves nothing out.
            self._board.market = replace(self._board.market, as_of=last_seen)
            for moment in self._feed.missed(last_seen):
                self.process(moment, OFFLINE)
            self._quoted_at.clear()
        self._feed.start()
        # What was missed is past: nothing is live until the feed says so.
        self._check_state()
        self._worker.start()

    def stop(self) -> None:
        """Stop, and save what the next start needs."""
        self._worker.stop(wait=False)
        self._feed.stop()
        self._worker.stop()
        if not self._may_act():
            return
        for each in self._acting:
            each.rest()
        # For the programs that read the file: nothing fills from here on.
        message = stopped_message(self._folder)
        self._board.market = replace(
            self._board.market, live=frozenset(), state="stale", message=message
        )
        self._save(wholly=True)

    def process(self, quotes: Sequence[Quote], source: str = MARKET) -> None:
        """Let ``quotes``, those of one moment, act on the account and then be shown."""
        now, self._is_trusted = time.monotonic(), True
        self._quoted_at.update((quote.symbol, now) for quote in quotes)
        market = replace(
            self._board.market,
            quotes={**self._board.market.quotes, **{each.symbol: each for each in quotes}},
            state=self._feed.state if source == MARKET else "live",
            message=self._feed.message,
            # A copy, as the rules of an exchange may come later.
            instruments=dict(self._feed.instruments),
            as_of=datetime.now(UTC),
            tick=self._board.market.tick + 1,
        )
        market = replace(market, live=self._live(market, now))
        self._advance(market, source)
        is_booked = self._booked.tick == market.tick
        market = self._booked if is_booked else replace(market, bests=self._booked.bests)
        # Nobody can trade at what was missed, which is past.
        self._board.market = market if source == MARKET else replace(market, live=frozenset())
        self._is_shown = False
        # Nobody could have decided on what was missed.
        if source == MARKET:
            self._succeeds(partial(self._look, self._board.market), "look")
            for each in self._acting:
                self._succeeds(partial(each.look, self._board.market), f"{_name(each)}: look")

    def _turn(self) -> float:
        if not self._may_act():
            self._distrust()
            return SHOW_SECONDS
        is_processed = self._succeeds(self._next, "next")
        if not is_processed:
            self._distrust()
        self._succeeds(self._pass_on, "pass on")
        return 0.0 if is_processed else SHOW_SECONDS

    def _succeeds(self, part: Callable[[], None], name: str) -> bool:
        """Do ``part`` of a turn, and return whether it succeeded. Whatever fails with one quote, or
        in one of those that act, the others go on."""
        try:
            part()
        except Exception:
            if name not in self._broken:
                _log.exception("the engine could not deal with a quote: %s", name)
            self._broken.add(name)
            return False
        self._broken.discard(name)
        return True

    def _next(self) -> None:
        quotes = self._feed.next(SHOW_SECONDS)
        if quotes:
            self.process(quotes)
        else:
            self._check_state()

    def _pass_on(self) -> None:
        """Show and save the market, where it is time to."""
        now = time.monotonic()
        if not self._is_shown and now - self._shown >= SHOW_SECONDS:
            self._shown, self._is_shown = now, True
            self._show_now()
        for each in self._acting:
            self._succeeds(each.show, f"{_name(each)}: show")
        if now - self._saved >= SAVE_SECONDS:
            self._saved = now
            self._save(wholly=now - self._saved_wholly >= SAVE_PAST_SECONDS)

    def _check_state(self) -> None:
        """Notice that quotes have stopped."""
        before, state = self._board.market, self._feed.state
        if state == "live" and not self._is_trusted:
            state = "stale"
        market = replace(before, state=state, message=self._feed.message)
        market = replace(market, live=self._live(market, time.monotonic()))
        if market != before:
            self._board.market = replace(market, tick=before.tick + 1)
            self._is_shown = False

    def _distrust(self) -> None:
        """Let nothing fill on the prices that are there until the next ones come."""
        before, self._is_trusted = self._board.market, False
        if before.live:
            self._board.market = replace(
                before, state="stale", live=frozenset(), tick=before.tick + 1
            )
            self._is_shown = False

    def _live(self, market: Market, now: float) -> frozenset[str]:
        if market.state != "live":
            return frozenset()
        # What is shown from before the start has not been quoted here.
        newest = max(self._quoted_at.values(), default=now)
        return frozenset(
            symbol
            for symbol in market.quotes
            if newest - self._quoted_at.get(symbol, -math.inf) < _SILENT_SECONDS
        )

    def _advance(self, market: Market, source: str) -> None:
        self._unbooked.append((market, source))
        try:
            while self._unbooked:
                self._book(*self._unbooked[0])
                self._unbooked.popleft()
        except BalanceError as fault:
            # It is due still, and tried again before the next quote.
            if not self._is_refused:
                _log.error("what the market does can't be booked: %s", fault)
            self._is_refused = True
        else:
            self._is_refused = False

    def _book(self, market: Market, source: str) -> None:
        account = self._desk.account()
        bests = account.bests(self._booked)
        market = market if bests == market.bests else replace(market, bests=bests)
        if is_due(account, market):
            self._desk.advance(market, self._settlements(account, market), source)
        self._booked = market

    def _settlements(
        self, account: Account, market: Market
    ) -> dict[tuple[str, datetime], Settlement | None]:
        self._owed = {
            (symbol, instant): self._owed.get((symbol, instant))
            or self._settlement(symbol, instant, market)
            for symbol, instant in due(account, market)
        }
        return self._owed

    def _settlement(self, symbol: str, instant: datetime, market: Market) -> Settlement | None:
        before, after = self._board.market.quotes.get(symbol), market.quotes[symbol]
        rate = None if before is None else before.funding_rate
        if before is None or rate is None or after.moved_from is not None:
            return self._feed.settlement(symbol, instant)
        if not timedelta(0) < instant - before.time <= _RATE_IS_FRESH:
            return self._feed.settlement(symbol, instant)
        # After a silence the next quote may be far from the price at the instant.
        is_before_nearer = instant - before.time < after.time - instant
        return Settlement(rate=rate, mark=before.mark if is_before_nearer else after.mark)

    def _show_now(self) -> None:
        try:
            self._show(self._desk.snapshot())
        except BalanceError:
            return  # The watch on the account's file reports it.

    def _save(self, *, wholly: bool) -> None:
        market, feed = self._board.market, self._feed

        def save_prices() -> None:
            saved = feed.saved(lightly=True)
            save_market(self._folder, market, saved, arguments=self._arguments)

        if wholly:
            # First, as prices without their past would begin a chart anew at the next start.
            self._saved_wholly = time.monotonic()
            self._save_file(FEED_FILE, lambda: save_past(self._folder, market, feed.saved()))
        self._save_file(MARKET_FILE, save_prices)

    def _save_file(self, name: str, save: Callable[[], None]) -> None:
        """Do ``save``, which writes the file ``name``; a run of failures is logged once."""
        try:
            save()
        except OSError as fault:
            if name not in self._unsaved:
                _log.error("%s could not be saved: %s", name, fault.strerror)
            self._unsaved.add(name)
        else:
            self._unsaved.discard(name)
