"""A backtest: the strategy, the rules, the matching and the fees of the running bot, over candles
of the past.

Within each candle the price goes the way that a replay of it would go. The strategy gets the
candles that had closed by then, and its orders fill at the next price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

from balance.backtests.quiet_band import QuietBand, quiet_band
from balance.bots.rules import View, evaluate, holding
from balance.bots.settings import BotSettings, Run
from balance.core.account import Account
from balance.core.candles import MINUTE, first_begin, merge_into_one, moves, quote_of_trade
from balance.core.change import Change
from balance.core.entry import Booking
from balance.core.figures import CENTS
from balance.core.funding import due
from balance.core.instrument import Instrument
from balance.core.instruments import Rules
from balance.core.margin import unrealized_pnl
from balance.core.market import Market, Terms
from balance.core.matching import advance, regrid
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
#: How many candles are between two reports of progress.
_PROGRESS_EVERY: Final = 64


class Cancelled(Exception):
    """The backtest was cancelled while it ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleHistory:
    """Candles of one symbol, with the rules, mark prices and settlements of their time."""

    instrument: Instrument
    # Oldest first, each ``seconds`` long.
    candles: Sequence[Candle]
    seconds: int
    # The funding settlement at an instant; None where its rate is not known.
    settlement: Callable[[datetime], Settlement | None]
    # The rules as the price moves, from a candle at or before the first one on; empty: those of
    # the instrument all the time.
    rules: Rules = ()
    # The mark prices of each candle; empty where the mark is the last price.
    marks: Sequence[MarkPrices | None] = ()
    # What a reader should know of where the candles come from, in sentences.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A backtest that is to be run."""

    settings: BotSettings
    decide: Decide
    # How many candles of its timeframe the strategy gets at most.
    lookback: int
    history: CandleHistory
    # The place of the first candle that is traded; those before it are only known.
    begin: int = 0
    starting_balance: Decimal = Decimal(10_000)
    terms: Terms = field(default_factory=Terms)
    # How many decimals money is shown with in its report.
    decimals: int = CENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The equity and the price at the close of a candle, in the quote currency."""

    time: datetime
    equity: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """The result of a backtest; money in the quote currency."""

    account: Account
    sums: TradeSums
    # Oldest first.
    trades: tuple[Trade, ...]
    # One for each candle that was traded.
    points: Sequence[Point]
    # The number of candles during which a position was open.
    exposed: int
    # Why the bot stopped itself; empty where it did not.
    stopped_because: str
    # Whether a settlement was left out, as its rate is not known.
    skipped_funding: bool
    # Why each refused signal was refused, in sentences without their full stops, oldest first.
    refused: tuple[str, ...] = ()
    # The rules that came into force on the way, where the price had left those from before.
    regrids: Rules = ()
    # Trades that ended in a candle which held both their take-profit and their stop-loss or
    # liquidation price: which came first is an assumption.
    ambiguous_trades: int


def run_backtest(
    plan: Plan, on_progress: Callable[[float], None] = lambda _: None
) -> BacktestResult:
    """The result of ``plan``; ``on_progress`` is called now and then with the part that is done,
    from 0 to 1, and may raise :class:`Cancelled`.

    Raises:
        Cancelled: ``on_progress`` did.
        Exception: whatever the strategy raises.
    """
    test = _Test(plan)
    candles, marks = plan.history.candles, plan.history.marks
    count = max(len(candles) - plan.begin, 1)
    for place in range(plan.begin, len(candles)):
        if (place - plan.begin) % _PROGRESS_EVERY == 0:
            on_progress((place - plan.begin) / count)
        test.play(candles[place], marks[place] if marks else None)
    on_progress(1.0)
    return test.result()


class _Frame:
    """The candles of the timeframe as those of the past come in; it goes by Unix seconds."""

    def __init__(self, seconds: int, *, is_own: bool) -> None:
        """``is_own``: each candle of the past is one of the timeframe, and begins where it says."""
        self.buffer = CandleBuffer()
        # The last price of a candle comes after three quarters of its time; the next candle may
        # begin early, as on a day on which clocks are changed.
        self._seconds = 3 * seconds // 4 + 1 if is_own else seconds
        self._is_own, self._first = is_own, first_begin(seconds)
        # Of the candle that is still growing: when it began, whether its first part began later,
        # and its parts.
        self._begin, self._is_later = 0, False
        self._parts: list[Candle] = []

    def add(self, candle: Candle, stamp: int) -> None:
        """Add ``candle``, which began at ``stamp``."""
        self.close_by(stamp)
        if not self._parts:
            self._first = stamp if self._is_own else self._first
            self._begin = self._begin_of(stamp)
            self._is_later = stamp > self._begin
        self._parts.append(candle)

    def close_by(self, stamp: int) -> bool:
        """Whether another candle has closed by ``stamp``; it is in the buffer then."""
        if not self._parts or self._begin_of(stamp) == self._begin:
            return False
        if len(self._parts) > 1 or self._is_later:
            self.buffer.add(merge_into_one(datetime.fromtimestamp(self._begin, UTC), self._parts))
        else:
            self.buffer.add(self._parts[0])
        self._parts.clear()
        return True

    def _begin_of(self, stamp: int) -> int:
        return stamp - (stamp - self._first) % self._seconds


class _Test:
    """The account and the bot as the candles are played."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._instrument = plan.history.instrument
        # The rules that come into force later, the next one last, and those that have.
        self._coming = list(reversed(plan.history.rules))
        self._regrids: list[tuple[datetime, Instrument]] = []
        self._symbol = self._instrument.symbol
        self._account = start_account(plan.starting_balance).account
        # All that a price causes is done before the next one, so that one market will do, whose
        # quote is replaced.
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
        self._quiet_band = QuietBand()
        self._running = True
        self._stopped_because = ""
        self._sums, self._run = TradeSums(), Run()
        self._trades: list[Trade] = []
        self._points: list[Point] = []
        self._exposed = 0
        self._skipped = False
        self._refused: list[str] = []
        self._ambiguous = 0
        # The lowest and the highest mark price of the candle.
        self._range = ZERO, ZERO
        self._evaluations = 0
        # The newest minute in which the bot was evaluated.
        self._minute = -1
        # The time from the first price of a candle to its last.
        self._way = 3 * timedelta(seconds=plan.history.seconds) / 4
        length = max(plan.settings.seconds, plan.history.seconds)
        self._frame = _Frame(length, is_own=length == plan.history.seconds)
        for candle in plan.history.candles[: plan.begin]:
            self._frame.add(candle, int(candle.time.timestamp()))

    def play(self, candle: Candle, marks: MarkPrices | None = None) -> None:
        """Play ``candle``, of which ``marks`` may be known: its first price, and the others where
        they could matter."""
        stamp, of = int(candle.time.timestamp()), marks or candle
        while self._coming and self._coming[-1][0] <= candle.time:
            self._regrid(*self._coming.pop())
        self._range = of.low, of.high
        self._play_price(candle.time, stamp, candle.open, of.open)
        was_held = self._held is not None
        if not self._is_quiet(candle, stamp):
            seconds = self._plan.history.seconds
            for quote in islice(moves(self._instrument, candle, seconds, marks), 1, None):
                at, before = int(quote.time.timestamp()), quote.moved_from
                self._play_price(quote.time, at, quote.last, quote.mark, before)
        self._frame.add(candle, stamp)
        self._exposed += was_held or self._held is not None
        equity = self._equity_at(of.close)
        self._points.append(Point(time=candle.time, equity=equity, close=candle.close))

    def result(self) -> BacktestResult:
        """The result, with what is still open at the last price."""
        account = self._account
        if self._points:
            marks = self._plan.history.marks
            mark = marks[-1].close if marks and marks[-1] else None
            self._quote(self._points[-1].time + self._way, self._points[-1].close, mark)
            account = account.marked(self._market)
        account.check()
        return BacktestResult(
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
        # Those in force at the first candle have not changed.
        if self._points:
            self._regrids.append((since, rules))
            self._take(regrid(self._account, rules))

    def _is_quiet(self, candle: Candle, stamp: int) -> bool:
        """Whether nothing can happen after the first price of ``candle``: it is all of one minute,
        in which the bot was evaluated, and whatever a price would cause, the extreme one on its
        side causes."""
        if self._plan.history.seconds > MINUTE or stamp % MINUTE:
            return False
        return self._quiet_band.holds(*self._range, candle.time + self._way)

    def _play_price(
        self,
        moment: datetime,
        stamp: int,
        price: Decimal,
        mark: Decimal,
        moved_from: Quote | None = None,
    ) -> None:
        """Play one price: what it, or the way to it, does to the account, and then what the bot
        does. The quiet band of the end holds for the whole way."""
        if not self._quiet_band.holds(mark, mark, moment):
            self._quote(moment, price, mark, moved_from)
            change = advance(self._account, self._market, self._settlements())
            if moved_from is not None:
                # What a jump to its open ended, no later price of the candle could have.
                self._ambiguous += any(map(self._is_ambiguous, change.bookings))
            self._take(change)
        if stamp // MINUTE != self._minute:
            self._minute = stamp // MINUTE
            self._evaluate(moment, stamp, price, mark)

    def _is_ambiguous(self, booking: Booking) -> bool:
        """Whether ``booking`` ended a trade by one of its exits in a candle that held another, on
        the other side of the price."""
        fill = booking.fill
        if fill is None or fill.trade is None or fill.reason == "order":
            return False
        low, high = self._range
        stops = ("stop_loss", "trailing_stop")
        others = stops if fill.reason == "take_profit" else ("take_profit",)
        return any(
            each.reason in others and low <= (each.trigger_level or ZERO) <= high
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
            (symbol, instant): self._plan.history.settlement(instant)
            for symbol, instant in due(self._account, self._market)
        }
        self._skipped = self._skipped or None in found.values()
        return found

    def _evaluate(self, moment: datetime, stamp: int, price: Decimal, mark: Decimal) -> None:
        # A candle that had closed before the first price is no news.
        closed = self._frame.close_by(stamp) and bool(self._points)
        settings = self._settings
        is_limited = settings.max_daily_loss is not None or settings.max_drawdown is not None
        if not self._running or not (closed or is_limited):
            return
        signal = self._decided(mark) if closed else None
        acts = signal is not None and signal.side != "hold"
        if not (acts or is_limited):
            return
        self._evaluations += 1
        self._quote(moment, price, mark)
        step = evaluate(
            View(
                owner=_OWNER,
                settings=settings,
                status="running",
                sums=self._sums,
                run=self._run,
                account=self._account.marked(self._market),
                market=self._market,
                time=moment,
                order_id=str(self._evaluations),
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
        self._quiet_band = quiet_band(
            change.account, self._symbol, self._instrument.funding_interval
        )
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
