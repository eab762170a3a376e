"""A bot on the past: the strategy, the rules, the matching and the fees of the running bot, over
candles that have been.

Each candle is taken for the way of the price that a replay of it would take; a strategy is given
the candles that had closed by then, and what it decides fills at the next price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

from balance.backtests.quiet_band import Reach, reach
from balance.bots.rules import Look, holding, looked
from balance.bots.settings import BotSettings, Run
from balance.core.account import Account
from balance.core.candles import MINUTE, first_begin, merge_into_one, moves, quote_of_trade
from balance.core.change import Change
from balance.core.entry import Booking
from balance.core.figures import CENTS
from balance.core.funding import due
from balance.core.grid import Rules, regrid
from balance.core.instrument import Instrument
from balance.core.margin import unrealized_pnl
from balance.core.market import Market, Terms
from balance.core.matching import advance
from balance.core.money import ZERO, exact
from balance.core.operations import start_account
from balance.core.position import Position
from balance.core.quote import Candle, MarkPrices, Quote, Settlement
from balance.core.trade import Trade
from balance.core.trade_sums import TradeSums
from balance.strategies.series import CandleBuffer, Candles
from balance.strategies.strategy import Holding, Signal

Decide = Callable[[Candles, Holding | None], Signal]
_OWNER: Final = "backtest"
#: How many candles are between two calls that tell how far it is.
_TOLD_EVERY: Final = 64


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
    # The rules as the price moves, from a candle at or before the first one on; empty: those of
    # the instrument all the time.
    rules: Rules = ()
    # the mark prices of each candle; empty where the mark is the last price
    marks: Sequence[MarkPrices | None] = ()
    # what there is to know of where the candles come from, in sentences
    notes: tuple[str, ...] = ()


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
    # how many decimals money is shown with in its report
    decimals: int = CENTS


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
    sums: TradeSums
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
    # Why each signal that was refused was so, in sentences without their points, oldest first.
    refused: tuple[str, ...] = ()
    # The rules that came into force on the way, where the price had left those from before.
    regrids: Rules = ()
    # Trades that ended in a candle which held both their take-profit and their stop-loss or
    # liquidation price: which came first is an assumption.
    ambiguous_trades: int


def backtested(plan: Plan, tell: Callable[[float], None] = lambda _: None) -> Tested:
    """What would have come of ``plan``; ``tell`` hears now and then how much is done, from 0 to 1,
    and may raise :class:`Cancelled`.

    Raises:
        Cancelled: ``tell`` did.
        Exception: whatever the strategy does.
    """
    test = _Test(plan)
    candles, marks = plan.past.candles, plan.past.marks
    count = max(len(candles) - plan.begin, 1)
    for place in range(plan.begin, len(candles)):
        if (place - plan.begin) % _TOLD_EVERY == 0:
            tell((place - plan.begin) / count)
        test.live_through(candles[place], marks[place] if marks else None)
    tell(1.0)
    return test.result()


class _Frame:
    """The candles of the timeframe as those of the past come in; it goes by Unix seconds."""

    def __init__(self, seconds: int, *, is_own: bool) -> None:
        """``is_own``: each candle of the past is one of the timeframe, and begins where it says."""
        self.buffer = CandleBuffer()
        # its last price comes after three quarters of its time; the next one may begin early, as
        # on a day on which clocks are changed
        self._seconds = 3 * seconds // 4 + 1 if is_own else seconds
        self._is_own, self._first = is_own, first_begin(seconds)
        # of the candle that is still growing: when it began, what it is made of, and whether that
        # begins later than it does
        self._begun, self._is_later = 0, False
        self._parts: list[Candle] = []

    def add(self, candle: Candle, stamp: int) -> None:
        """Take ``candle``, which began at ``stamp``."""
        self.close_by(stamp)
        if not self._parts:
            self._first = stamp if self._is_own else self._first
            self._begun = self._begin_of(stamp)
            self._is_later = stamp > self._begun
        self._parts.append(candle)

    def close_by(self, stamp: int) -> bool:
        """Whether a candle has closed by ``stamp`` that had not before; it is known from here."""
        if not self._parts or self._begin_of(stamp) == self._begun:
            return False
        if len(self._parts) > 1 or self._is_later:
            self.buffer.add(merge_into_one(datetime.fromtimestamp(self._begun, UTC), self._parts))
        else:
            self.buffer.add(self._parts[0])
        self._parts.clear()
        return True

    def _begin_of(self, stamp: int) -> int:
        return stamp - (stamp - self._first) % self._seconds


class _Test:
    """The account and the bot on their way through the candles."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._instrument = plan.past.instrument
        # The rules that come into force later, the next one last, and those that have.
        self._coming = list(reversed(plan.past.rules))
        self._regrids: list[tuple[datetime, Instrument]] = []
        self._symbol = self._instrument.symbol
        self._account = start_account(plan.starting_balance).account
        # what is made of one price is done with before the next: the market is always the same
        # one, and only its quote is another
        self._quotes: dict[str, Quote] = {}
        self._market = Market(
            feed=_OWNER,
            state="live",
            quotes=self._quotes,
            instruments={self._symbol: self._instrument},
            live=frozenset((self._symbol,)),
            terms=plan.terms,
        )
        self._held: Position | None = None
        self._reach = Reach()
        self._running = True
        self._stopped_because = ""
        self._sums, self._run = TradeSums(), Run()
        self._trades: list[Trade] = []
        self._points: list[Point] = []
        self._exposed = 0
        self._skipped = False
        self._refused: list[str] = []
        self._ambiguous = 0
        # the lowest and the highest mark price of the candle
        self._range = ZERO, ZERO
        self._looks = 0
        # the newest minute that it has looked in
        self._minute = -1
        # from the first price of a candle to its last
        self._way = 3 * timedelta(seconds=plan.past.seconds) / 4
        length = max(plan.settings.seconds, plan.past.seconds)
        self._frame = _Frame(length, is_own=length == plan.past.seconds)
        for candle in plan.past.candles[: plan.begin]:
            self._frame.add(candle, int(candle.time.timestamp()))

    def live_through(self, candle: Candle, marks: MarkPrices | None = None) -> None:
        """One candle, of which ``marks`` may be known: its first price, and the others where they
        could matter."""
        stamp, of = int(candle.time.timestamp()), marks or candle
        while self._coming and self._coming[-1][0] <= candle.time:
            self._regrid(*self._coming.pop())
        self._range = of.low, of.high
        self._meet(candle.time, stamp, candle.open, of.open)
        was_held = self._held is not None
        if not self._is_quiet(candle, stamp):
            seconds = self._plan.past.seconds
            for quote in islice(moves(self._instrument, candle, seconds, marks), 1, None):
                at, before = int(quote.time.timestamp()), quote.moved_from
                self._meet(quote.time, at, quote.last, quote.mark, before)
        self._frame.add(candle, stamp)
        self._exposed += was_held or self._held is not None
        equity = self._equity_at(of.close)
        self._points.append(Point(time=candle.time, equity=equity, close=candle.close))

    def result(self) -> Tested:
        """What came of it, with what is still open at the last price."""
        account = self._account
        if self._points:
            marks = self._plan.past.marks
            mark = marks[-1].close if marks and marks[-1] else None
            self._quote(self._points[-1].time + self._way, self._points[-1].close, mark)
            account = account.marked(self._market)
        account.check()
        return Tested(
            account=account,
            sums=self._sums,
            trades=tuple(self._trades),
            points=self._points,
            exposed=self._exposed,
            stopped_because=self._stopped_because,
            skipped_funding=self._skipped,
            refused=tuple(self._refused),
            regrids=self._regrids,
            ambiguous_trades=self._ambiguous,
        )

    def _regrid(self, since: datetime, rules: Instrument) -> None:
        """Trade by ``rules`` from ``since`` on."""
        self._instrument = rules
        self._market = replace(self._market, instruments={self._symbol: rules})
        # Those in force at the first candle are none that changed.
        if self._points:
            self._regrids.append((since, rules))
            self._take(regrid(self._account, rules))

    def _is_quiet(self, candle: Candle, stamp: int) -> bool:
        """Whether nothing can happen after the first price of ``candle``: it is all of one minute,
        in which the bot has looked, and whatever a price sets off, the extreme one on its side
        does."""
        if self._plan.past.seconds > MINUTE or stamp % MINUTE:
            return False
        return self._reach.holds(*self._range, candle.time + self._way)

    def _meet(
        self,
        moment: datetime,
        stamp: int,
        price: Decimal,
        mark: Decimal,
        moved_from: Quote | None = None,
    ) -> None:
        """One price: what it, or the way to it, does to the account, and then what the bot does.
        Whatever happens on the way, the reach says so of its end."""
        if not self._reach.holds(mark, mark, moment):
            self._quote(moment, price, mark, moved_from)
            change = advance(self._account, self._market, self._settlements())
            if moved_from is not None:
                # What a jump to its open ended, no later price of the candle could have.
                self._ambiguous += any(map(self._is_ambiguous, change.bookings))
            self._take(change)
        if stamp // MINUTE != self._minute:
            self._minute = stamp // MINUTE
            self._look(moment, stamp, price, mark)

    def _is_ambiguous(self, booking: Booking) -> bool:
        """Whether ``booking`` ended a trade by one of its exits in a candle that held the other."""
        fill = booking.fill
        if fill is None or fill.trade is None or fill.reason == "order":
            return False
        low, high = self._range
        other = "stop_loss" if fill.reason == "take_profit" else "take_profit"
        return any(
            each.reason == other and low <= (each.trigger_price or ZERO) <= high
            for each in self._account.orders
        )

    def _quote(
        self,
        moment: datetime,
        price: Decimal,
        mark: Decimal | None,
        moved_from: Quote | None = None,
    ) -> None:
        quote = quote_of_trade(self._instrument, moment, price, mark=mark)
        self._quotes[self._symbol] = replace(quote, moved_from=moved_from)

    def _settlements(self) -> dict[tuple[str, datetime], Settlement | None]:
        found = {
            (symbol, instant): self._plan.past.settlement(instant)
            for symbol, instant in due(self._account, self._market)
        }
        self._skipped = self._skipped or None in found.values()
        return found

    def _look(self, moment: datetime, stamp: int, price: Decimal, mark: Decimal) -> None:
        # what had closed before the first price is no news
        closed = self._frame.close_by(stamp) and bool(self._points)
        settings = self._settings
        is_limited = settings.max_daily_loss is not None or settings.max_drawdown is not None
        is_trailed = settings.trailing_stop is not None and self._held is not None
        if not self._running or not (closed or is_limited or is_trailed):
            return
        signal = self._decided(mark) if closed else None
        acts = signal is not None and signal.side != "hold"
        if not (acts or is_limited or is_trailed):
            return
        self._looks += 1
        self._quote(moment, price, mark)
        step = looked(
            Look(
                owner=_OWNER,
                settings=settings,
                status="running",
                sums=self._sums,
                run=self._run,
                account=self._account.marked(self._market),
                market=self._market,
                time=moment,
                order_id=str(self._looks),
                signal=signal,
            )
        )
        self._run = step.run
        if acts and step.refused:
            self._refused.append(step.refused)
        if step.change.bookings:
            self._take(step.change)
        if step.stops:
            self._running, self._stopped_because = False, step.stops

    def _decided(self, mark: Decimal) -> Signal:
        held = None if self._held is None else holding(self._held, mark)
        return self._plan.decide(self._frame.buffer.window(self._plan.lookback), held)

    def _take(self, change: Change) -> None:
        self._account = change.account
        self._held = change.account.position(self._symbol)
        self._reach = reach(change.account, self._symbol, self._instrument.funding_interval)
        for booking in change.bookings:
            if booking.fill is not None and booking.fill.trade is not None:
                self._trades.append(booking.fill.trade)
                self._sums = self._sums.with_trade(booking.fill.trade)

    def _equity_at(self, price: Decimal) -> Decimal:
        held, balance = self._held, self._account.wallet.balance
        if held is None:
            return balance
        with exact():
            return balance + unrealized_pnl(held.side, held.quantity, held.entry_price, price)


def hold_equity(point: Point, first: Decimal, starting: Decimal) -> Decimal:
    """What ``starting`` would be worth at ``point``, had all of it bought at the price ``first``
    and been held, without fees and leverage."""
    return starting * point.close / first if first else ZERO
