"""Funding: what longs pay shorts, or shorts longs, at the settlements of a symbol: at 00:00, 08:00
and 16:00 UTC unless its interval is another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import gcd
from typing import Final

from balance.core import margin
from balance.core.account import Account
from balance.core.candles import interval_of
from balance.core.change import Change
from balance.core.instrument import FUNDING_INTERVAL, FUNDING_INTERVALS, Instrument
from balance.core.market import Market
from balance.core.money import ZERO, exactly, quantized
from balance.core.position import Position
from balance.core.quote import Settlement
from balance.core.trade import Effect

# The fewest rates that show an interval.
_LEAST_ROWS: Final = 3

#: Settlements by symbol and instant; None where the rate is not known.
Settlements = Mapping[tuple[str, datetime], Settlement | None]


def next_settlement(after: datetime, interval: timedelta = FUNDING_INTERVAL) -> datetime:
    """The first settlement later than ``after``, of those that are ``interval`` apart."""
    return interval_of(after, int(interval.total_seconds())) + interval


def settlements_between(
    after: datetime, until: datetime, interval: timedelta = FUNDING_INTERVAL
) -> Iterator[datetime]:
    """The settlements later than ``after`` up to ``until``, oldest first."""
    instant = next_settlement(after, interval)
    while instant <= until:
        yield instant
        instant += interval


def due(account: Account, market: Market) -> list[tuple[str, datetime]]:
    """What may have to be settled by the market's clock: symbols and instants, also of symbols in
    which a position may open on the way to the newest quote."""
    since = {
        order.symbol: start.time
        for order in account.orders
        if order.feed == market.feed
        and order.symbol in market.live
        and (start := market.quotes[order.symbol].moved_from) is not None
    }
    since |= {
        position.symbol: position.funded_at
        for position in account.positions
        if position.feed == market.feed and position.symbol in market.live
    }
    return [
        (symbol, instant)
        for symbol, after in since.items()
        for instant in settlements_between(
            after, market.quotes[symbol].time, market.instruments[symbol].funding_interval
        )
    ]


def interval_of_rates(rows: Sequence[tuple[datetime, Decimal]]) -> timedelta | None:
    """From one settlement to the next, as ``rows`` of time and rate say, oldest first; None where
    they say none that is closer than the usual one.

    Rows that are an hour or more apart are settlements, unless their rates show that several rows
    repeat the one of the coming settlement: then it is where they change.
    """
    changes = [after for before, after in pairwise(rows) if before[1] != after[1]]
    intervals = [_spacing(changes), _spacing(rows)]
    longest = max((each for each in intervals if each is not None), default=FUNDING_INTERVAL)
    return longest if longest < FUNDING_INTERVAL else None


def _spacing(rows: Sequence[tuple[datetime, Decimal]]) -> timedelta | None:
    """The longest interval of settlements that fits between all ``rows``; None where none does, or
    they are too few to tell."""
    times = [int(time.timestamp()) for time, _ in rows]
    apart = gcd(*(after - before for before, after in pairwise(times)))
    if len(times) < _LEAST_ROWS:
        return None
    fitting = (each for each in FUNDING_INTERVALS if apart % int(each.total_seconds()) == 0)
    return max(fitting, default=None)


@exactly
def settle(
    account: Account,
    symbol: str,
    instrument: Instrument,
    instant: datetime,
    settlement: Settlement | None,
) -> Change:
    """The account after the settlement of ``symbol`` at ``instant``. What is to be paid comes from
    the available balance and, where that is not enough, from the position's isolated margin, which
    moves its liquidation price; more than both is not taken.
    """
    position = account.position(symbol)
    if position is None:
        return Change(account)
    if settlement is None:
        effect = Effect(symbol=symbol, position=replace(position, funded_at=instant))
        text = f"Funding of {symbol} at {_minute(instant)} skipped: the rate is not known"
        return Change(account).booked("funding", ZERO, text, effect=effect)
    amount = quantized(
        margin.funding_received(position.side, position.quantity, settlement.mark, settlement.rate)
    )
    available = account.available_balance
    amount = max(amount, -(available + position.isolated_margin))
    isolated = position.isolated_margin - max(ZERO, -amount - available)
    text = (
        f"Funding of {symbol} at {_minute(instant)}: {_percent(settlement.rate)} of "
        f"{position.side} {position.quantity.normalize():f} at {settlement.mark.normalize():f}"
    )
    after = _fund(position, instrument, instant, amount, isolated)
    return Change(account).booked(
        "funding", amount, text, effect=Effect(symbol=symbol, position=after)
    )


def _fund(
    position: Position,
    instrument: Instrument,
    instant: datetime,
    amount: Decimal,
    isolated_margin: Decimal,
) -> Position:
    after = replace(
        position,
        funded_at=instant,
        funding=position.funding + amount,
        isolated_margin=isolated_margin,
    )
    if isolated_margin == position.isolated_margin:
        return after
    return after.measured(instrument.brackets)


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f} %"
