"""Backtests for the tests: candles made by hand, and strategies that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from balance.backtests.backtest import CandleHistory, Plan
from balance.bots.settings import BotSettings
from balance.core.instruments import KNOWN
from balance.core.market import Terms
from balance.core.quote import Candle, Settlement
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, hold
from tests.markets import BTC

#: A minute after a settlement.
BEGIN = datetime(2022, 1, 3, 0, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def candle(
    number: int,
    opened: object,
    high: object,
    low: object,
    close: object,
    *,
    seconds: int = 60,
    begin: datetime = BEGIN,
) -> Candle:
    """The ``number``-th candle of ``seconds`` from ``begin`` on."""
    opened, high, low, close = (Decimal(str(each)) for each in (opened, high, low, close))
    time = begin + number * timedelta(seconds=seconds)
    return Candle(time=time, open=opened, high=high, low=low, close=close, volume=Decimal(2))


def bodies(*prices: float, begin: datetime = BEGIN) -> list[Candle]:
    """Candles without wicks, each from one of ``prices`` to the next."""
    return [
        candle(number, first, max(first, last), min(first, last), last, begin=begin)
        for number, (first, last) in enumerate(pairwise(prices))
    ]


def settings(**changes: Any) -> BotSettings:
    """A bot of Bitcoin on minutes with 1,000 USDT at 1x; ``changes`` as BotSettings has them."""
    usual: dict[str, Any] = {
        "name": "By hand",
        "symbol": BTC,
        "timeframe": "1m",
        "strategy": "by_hand",
        "stake": Decimal(1_000),
        "stake_unit": "usdt",
        "leverage": Decimal(1),
    }
    return BotSettings(**{**usual, **changes})


def past(
    candles: Sequence[Candle], *, seconds: int = 60, rate: str | None = None, mark: object = None
) -> CandleHistory:
    """The past of Bitcoin that ``candles`` tell; every settlement at ``rate``, at ``mark`` or the
    first price."""
    price = Decimal(str(candles[0].open if mark is None else mark))
    told = None if rate is None else Settlement(rate=Decimal(rate), mark=price)
    return CandleHistory(
        instrument=KNOWN[BTC], candles=candles, seconds=seconds, settlement=lambda _instant: told
    )


def plan(
    on: CandleHistory | Sequence[Candle],
    decide: Callable[[Candles, Holding | None], Signal],
    *,
    begin: int = 0,
    lookback: int = 200,
    balance: object = 10_000,
    terms: Terms | None = None,
    **changes: Any,
) -> Plan:
    """A backtest of ``decide``; ``changes`` as the settings have them."""
    return Plan(
        settings=settings(**changes),
        decide=decide,
        lookback=lookback,
        history=on if isinstance(on, CandleHistory) else past(on),
        begin=begin,
        starting_balance=Decimal(str(balance)),
        terms=terms or Terms(),
    )


def script(*sides: str) -> Callable[[Candles, Holding | None], Signal]:
    """Says one of ``sides`` after the other, and then holds."""
    left = list(sides)

    def decide(_candles: Candles, _position: Holding | None) -> Signal:
        side: Any = left.pop(0) if left else "hold"
        return hold("Nothing more") if side == "hold" else Signal(side, 1.0, f"Told to {side}")

    return decide


def csv_of(candles: Iterable[Candle]) -> str:
    """``candles`` as a file has them."""
    rows = [
        f"{each.time:%Y-%m-%d %H:%M:%S},{each.open},{each.high},{each.low},{each.close},"
        f"{each.volume}"
        for each in candles
    ]
    return "\n".join(["time,open,high,low,close,volume", *rows, ""])
