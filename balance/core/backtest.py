"""A bot on the past: the strategy, the rules, the matching and the fees of the running bot, over
candles that have been.

Each candle is taken for the way of the price that a replay of it would take; a strategy is given
the candles that had closed by then, and what it decides fills at the next price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.core.account import Account
from balance.core.bot import BotSettings, Run
from balance.core.bot_rules import Look, looked
from balance.core.candles import MINUTE, interval_of, joined, path, quoted
from balance.core.change import Change
from balance.core.funding import due
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.matching import advanced, is_due
from balance.core.money import ZERO, exactly
from balance.core.operations import started
from balance.core.position import Position
from balance.core.quote import Candle, Quote, Settlement
from balance.core.strategy import CandleBuffer, Candles, Holding, Signal
from balance.core.tally import Tally
from balance.core.terms import Terms
from balance.core.trade import Trade

Decide = Callable[[Candles, Holding | None], Signal]
_OWNER: Final = "backtest"
#: How many candles are between two calls that tell how far it is.
_TOLD_EVERY: Final = 256


class Cancelled(Exception):
    """Nobody wants to know any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Candles of one symbol, and what else of the time they are of is known."""

    instrument: Instrument
    # oldest first, each ``seconds`` long
    candles: Sequence[Candle]
    seconds: int
    # the funding settlement at an instant; None where its rate is not known
    settlement: Callable[[datetime], Settlement | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be tested."""

    settings: BotSettings
    decide: Decide
    # how many candles of its timeframe the strategy is given at most
    lookback: int
    past: Past
    # the first candle that is traded; those before it are only known
    begin: int = 0
    starting_balance: Decimal = Decimal(10_000)
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What there was at the close of a candle, in the quote currency."""

    time: datetime
    equity: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What came of it; money in the quote currency."""

    account: Account
    tally: Tally
    # oldest first
    trades: tuple[Trade, ...]
    # the equity at the close of each candle
    points: Sequence[Point]
    # candles during which a position was open
    exposed: int
    # why the bot stopped itself; empty where it did not
    stopped_because: str
    # whether a settlement was left out, as its rate is not known
    skipped_funding: bool


def backtested(plan: Plan, tell: Callable[[float], None] = lambda _: None) -> Tested:
    """What would have come of ``plan``; ``tell`` hears now and then how much is done, from 0 to 1,
    and may raise :class:`Cancelled`.

    Raises:
        Cancelled: ``tell`` did.
        Exception: whatever the strategy does.
    """
    test = _Test(plan)
    candles = plan.past.candles
    count = max(len(candles) - plan.begin, 1)
    for place in range(plan.begin, len(candles)):
        if (place - plan.begin) % _TOLD_EVERY == 0:
            tell((place - plan.begin) / count)
        test.live_through(candles[place])
    tell(1.0)
    return test.result()


class _Test:
    """The account and the bot on their way through the candles."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._symbol = plan.past.instrument.symbol
        self._account = started(plan.starting_balance).account
        self._market = Market(
            feed=_OWNER,
            state="live",
            instruments={self._symbol: plan.past.instrument},
            live=frozenset((self._symbol,)),
            terms=plan.terms,
        )
        self._running = True
        self._stopped_because = ""
        self._tally, self._run = Tally(), Run()
        self._trades: list[Trade] = []
        self._points: list[Point] = []
        self._exposed = 0
        self._skipped = False
        self._looks = 0
        self._seconds = max(plan.settings.seconds, plan.past.seconds)
        self._buffer = CandleBuffer()
        # the candle of the timeframe that is still growing
        self._growing: Candle | None = None
        self._minute: datetime | None = None
        for candle in plan.past.candles[: plan.begin]:
            self._grow(candle)

    def live_through(self, candle: Candle) -> None:
        """One candle: its first price, and the others where they could matter."""
        seconds = self._plan.past.seconds
        first, *others = path(candle, seconds)
        self._meet(*first)
        held_at_first = self._account.position(self._symbol) is not None
        if seconds > MINUTE or not self._is_quiet(candle, others[-1][0]):
            for moment, price in others:
                self._meet(moment, price)
        self._grow(candle)
        self._close(candle, was_held=held_at_first)

    def result(self) -> Tested:
        """What came of it, with what is still open at the last price."""
        account = self._account
        if self._market.quotes:
            account = account.marked(self._market)
        account.check()
        return Tested(
            account=account,
            tally=self._tally,
            trades=tuple(self._trades),
            points=self._points,
            exposed=self._exposed,
            stopped_because=self._stopped_because,
            skipped_funding=self._skipped,
        )

    def _meet(self, moment: datetime, price: Decimal) -> None:
        """One price: what it does to the account, and then what the bot does."""
        quote = quoted(self._plan.past.instrument, moment, price)
        self._market = replace(self._market, quotes={self._symbol: quote})
        account = self._account
        if (account.positions or account.orders) and is_due(account, self._market):
            self._take(advanced(account, self._market, self._settlements()))
        minute = interval_of(moment, MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._look(quote)

    def _settlements(self) -> dict[tuple[str, datetime], Settlement | None]:
        found = {
            (symbol, instant): self._plan.past.settlement(instant)
            for symbol, instant in due(self._account, self._market)
        }
        self._skipped = self._skipped or None in found.values()
        return found

    def _look(self, quote: Quote) -> None:
        closed = self._closed(quote.time)
        if not self._running:
            return
        position = self._account.position(self._symbol)
        signal = self._decided(quote, position) if closed else None
        settings = self._plan.settings
        is_limited = settings.max_daily_loss is not None or settings.max_drawdown is not None
        is_trailed = settings.trailing_stop is not None and position is not None
        acts = signal is not None and signal.side != "hold"
        if not (acts or is_limited or is_trailed):
            return
        self._looks += 1
        step = looked(
            Look(
                owner=_OWNER,
                settings=settings,
                status="running",
                tally=self._tally,
                run=self._run,
                account=self._account.marked(self._market),
                market=self._market,
                time=quote.time,
                order_id=str(self._looks),
                signal=signal,
            )
        )
        self._run = step.run
        self._take(step.change)
        if step.stops:
            self._running, self._stopped_because = False, step.stops

    def _decided(self, quote: Quote, position: Position | None) -> Signal:
        held = None
        if position is not None:
            held = holding(position.marked(quote, self._plan.past.instrument))
        return self._plan.decide(self._buffer.window(self._plan.lookback), held)

    def _take(self, change: Change) -> None:
        self._account = change.account
        for booking in change.bookings:
            if booking.fill is not None and booking.fill.trade is not None:
                self._trades.append(booking.fill.trade)
                self._tally = self._tally.with_trade(booking.fill.trade)

    def _closed(self, now: datetime) -> bool:
        """Whether a candle of the timeframe has closed by ``now``, which is known from here on."""
        growing = self._growing
        if growing is None or growing.time == interval_of(now, self._seconds):
            return False
        self._buffer.add(growing)
        self._growing = None
        # what had closed before the first price is no news
        return bool(self._points)

    def _grow(self, candle: Candle) -> None:
        begun = interval_of(candle.time, self._seconds)
        growing = self._growing
        if growing is not None and growing.time != begun:
            self._buffer.add(growing)
            growing = None
        if growing is None:
            self._growing = candle if candle.time == begun else replace(candle, time=begun)
        else:
            self._growing = joined(growing, candle)

    @exactly
    def _is_quiet(self, candle: Candle, until: datetime) -> bool:
        """Whether nothing can happen between the lowest and the highest price up to ``until``:
        whatever a price sets off, the extreme one on its side does."""
        account, instrument = self._account, self._plan.past.instrument
        if not (account.positions or account.orders):
            return True
        return not any(
            is_due(
                account,
                replace(
                    self._market,
                    quotes={self._symbol: quoted(instrument, until, price)},
                ),
            )
            for price in (candle.low, candle.high)
        )

    @exactly
    def _close(self, candle: Candle, *, was_held: bool) -> None:
        position = self._account.position(self._symbol)
        equity = self._account.wallet.balance
        if position is not None:
            equity += replace(position, mark_price=candle.close).unrealized_pnl
        self._exposed += was_held or position is not None
        if self._market.quotes:
            # the last price of a candle that was passed over
            last = path(candle, self._plan.past.seconds)[-1]
            quote = quoted(self._plan.past.instrument, *last)
            self._market = replace(self._market, quotes={self._symbol: quote})
        self._points.append(Point(time=candle.time, equity=equity, close=candle.close))


def holding(position: Position) -> Holding:
    """``position`` as its strategy is told of it."""
    return Holding(
        side=position.side,
        quantity=float(position.quantity),
        entry_price=float(position.entry_price),
        unrealized_pnl=float(position.unrealized_pnl),
        opened_at=position.opened_at,
    )


def hold_equity(point: Point, first: Decimal, starting: Decimal) -> Decimal:
    """What ``starting`` would be worth at ``point``, had all of it bought at the price ``first``
    and been held, without fees and leverage."""
    return starting * point.close / first if first else ZERO
