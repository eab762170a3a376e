"""The candles that a backtest runs on: from a file, or from the feed that runs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from math import ceil
from operator import attrgetter
from pathlib import PurePath
from typing import Final

from balance.backtests.backtest import CandleHistory, Decide, Plan
from balance.bots.settings import BotSettings
from balance.core.candles import MINUTE
from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import CENTS, grouped
from balance.core.instrument import Instrument
from balance.core.instruments import check_dollars, is_same_but_for_dollars, rules_over
from balance.core.market import Terms
from balance.core.money import DEFAULT_STARTING_BALANCE, money
from balance.core.quote import Settlement
from balance.core.symbols import symbol_alone
from balance.market.board import Candles
from balance.market.replay.candle_file import CandleFile
from balance.market.replay.cells import time_text
from balance.market.symbols import symbol_in
from balance.strategies.strategy import Strategy, lookback_of

#: The settlement of a symbol at an instant; None where its rate is not known.
Settle = Callable[[str, datetime], Settlement | None]

#: With less, no strategy could trade.
LEAST_BALANCE: Final = Decimal(1)
_TIME: Final = attrgetter("time")
# More than any feed has.
_ALL: Final = 10**7
_NONE_AT_HAND: Final = (
    "No past prices of {symbol} are at hand here. Test on a CSV file of candles instead, or wait "
    "until the market has run for some minutes."
)


def symbol_of(name: str, requested: object = None, column: str | None = None) -> str:
    """The symbol of the file called ``name``: the one that is ``requested``, or else the one that
    its ``column`` of symbols or its name says.

    Raises:
        InvalidRequest: none says one, they say two, or its prices are in no dollars.
    """
    found = column or symbol_in(PurePath(name).stem)
    if requested is None and found is None:
        raise InvalidRequest(
            f"The name of {name} does not say of which symbol its candles are: name the symbol, "
            "such as BTC/USDT."
        )
    chosen = None
    if isinstance(requested, str):
        chosen = symbol_alone(requested) or symbol_in(requested)
    if requested is not None and chosen is None:
        raise InvalidRequest(f"The symbol must be such as BTC/USDT, not {requested!r:.40}.")
    symbol, named = chosen or found or "", found or chosen or ""
    check_dollars(named)
    check_dollars(symbol)
    if symbol != named and not is_same_but_for_dollars(symbol, named):
        raise InvalidRequest(
            f"{name} has candles of {found}, not of {chosen}. Test on a file of {chosen}, or "
            f"choose the symbol {found}."
        )
    return symbol


def history_of_file(
    file: CandleFile,
    symbol: str,
    funding_rate: Decimal | None = None,
    funding_interval: timedelta | None = None,
) -> CandleHistory:
    """The history of ``symbol`` in ``file``; ``funding_rate``, a fraction, and
    ``funding_interval`` count where it has none."""
    traded = file.instrument(symbol, funding_interval)
    rules = rules_over(traded, file.candles)
    return CandleHistory(
        instrument=traded,
        rules=rules,
        candles=file.candles,
        seconds=file.seconds,
        settlement=partial(file.settlement, rules, funding_rate),
        marks=file.marks,
        notes=file.notes,
    )


def history_of_feed(candles: Candles, settle: Settle, traded: Instrument) -> CandleHistory:
    """All of the history of ``traded`` that the feed has, but for the candle that still grows.

    Raises:
        InvalidRequest: there is none.
    """
    known = candles(traded.symbol, MINUTE, _ALL)[:-1]
    if len(known) < 2:
        raise InvalidRequest(_NONE_AT_HAND.format(symbol=traded.symbol))
    apart = min((after.time - before.time for before, after in pairwise(known)))
    return CandleHistory(
        instrument=traded,
        rules=rules_over(traded, known),
        candles=known,
        seconds=int(apart.total_seconds()),
        settlement=partial(settle, traded.symbol),
    )


def plan_backtest(
    history: CandleHistory,
    settings: BotSettings,
    chosen: Strategy,
    decide: Decide,
    *,
    balance: Decimal,
    since: datetime | None = None,
    until: datetime | None = None,
    hours: Decimal | None = None,
    terms: Terms = Terms(),  # noqa: B008 - frozen
    decimals: int = CENTS,
) -> Plan:
    """A backtest of ``settings`` with the strategy ``chosen``, which decides by ``decide``, on a
    part of ``history`` and what must be known from before it. It begins at ``since``, or ``hours``
    before its end, or with the history, and ends before ``until``; ``balance`` is in the quote
    currency. It trades on ``terms``, and its report shows money with ``decimals``.

    Raises:
        InvalidAmount: the balance is too small for any trade, or no number.
        InvalidRequest: nothing is left to be tested.
    """
    candles, length = history.candles, timedelta(seconds=history.seconds)
    end = len(candles) if until is None else bisect_left(candles, until, key=_TIME)
    begin = 0 if since is None else bisect_left(candles, since, key=_TIME)
    if hours is not None and end:
        first = candles[end - 1].time + length - _time(hours)
        begin = max(begin, bisect_left(candles, first, key=_TIME))
    if begin >= end:
        raise InvalidRequest(
            f"There are no candles in that time: they are from {time_text(candles[0].time)} to "
            f"{time_text(candles[-1].time + length)}."
        )
    lookback = lookback_of(chosen)
    # Counted, as some may be missing; the running one of the timeframe may have begun before.
    warm = max(0, begin - (lookback + 1) * ceil(max(settings.seconds / history.seconds, 1)))
    return Plan(
        settings=settings,
        decide=decide,
        lookback=lookback,
        history=replace(history, candles=candles[warm:end], marks=history.marks[warm:end]),
        begin=begin - warm,
        starting_balance=balance,
        terms=terms,
        decimals=decimals,
    )


def starting_balance(requested: object) -> Decimal:
    """The balance that a backtest begins with, in the quote currency; None is the usual one.

    Raises:
        InvalidAmount: it is no number, or less than any strategy could trade with.
    """
    if requested is None:
        return DEFAULT_STARTING_BALANCE
    balance = money(requested, "balance")
    if balance < LEAST_BALANCE:
        raise InvalidAmount(
            f"The balance must be at least {grouped(LEAST_BALANCE)}, not {grouped(balance)}."
        )
    return balance


def _time(hours: Decimal) -> timedelta:
    # At most further back than any market.
    return timedelta(hours=float(min(hours, Decimal(10**6))))
