"""The curve of the equity over a range of time, as ``GET /equity`` answers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from balance.core.entry import cursor
from balance.core.figures import dollars, gain, grouped, percent
from balance.core.moments import iso
from balance.core.money import CURRENCY, exactly, quantized
from balance.core.performance import ONE, Sample
from balance.core.return_derivations import in_percent
from balance.core.rows import Row
from balance.core.thinning import Point, drawdowns, drawn
from balance.equity.baselines import baseline
from balance.equity.history import Mark
from balance.equity.reader import Placed, Reader
from balance.equity.sample_rows import milliseconds, moment

#: How many points there are at most, and how many marks.
MOST_POINTS: Final = 800
MOST_MARKS: Final = 200
#: How long the ranges are; None: from the first sample on.
RANGES: Final[Mapping[str, timedelta | None]] = MappingProxyType(
    {
        "day": timedelta(days=1),
        "week": timedelta(days=7),
        "month": timedelta(days=30),
        "quarter": timedelta(days=91),
        "year": timedelta(days=365),
        "all": None,
    }
)
_WORDS: Final = MappingProxyType(
    {
        "deposit": "Deposited {amount}",
        "withdrawal": "Withdrew {amount}",
        "reset": "Reset to {amount}",
        "undo": "Reset undone: {amount} again",
        "liquidation": "Liquidated: {amount} lost",
    }
)
#: The kinds that are marked.
MARKED: Final = tuple(_WORDS)
# floats are for drawing: more digits would only make the answer longer
_DIGITS: Final = 4


def begin_of(wanted: str, reader: Reader, now: datetime) -> datetime:
    """When the range ``wanted``, one of ``RANGES``, begins."""
    length = RANGES[wanted]
    if length is not None:
        return now - length
    oldest = reader.oldest()
    return now if oldest is None else min(oldest.time, now)


@exactly
def curve(reader: Reader, begin: datetime, now: Sample, decimals: int) -> Row:
    """The points from ``begin`` up to ``now``, at most ``MOST_POINTS``, each ``[time, equity, P&L
    of all time, drawdown in percent]`` with None before one that nobody saw come; and the figures
    of that range: money in the quote currency. P&L and return are measured from the last sample
    before it, or the first in it."""
    base = baseline(reader, begin)
    placed = [*reader.points(begin, now.time), _placed(now)]
    points = [each.point for each in placed]
    falls = list(drawdowns(points, reader.best_growths(begin)))
    chosen = drawn(points, MOST_POINTS)
    figures = {
        **_extremes(reader, placed, now),
        **_results(points, base or _sample(reader, placed[0], now), now),
        "max_drawdown_percent": quantized(Decimal(str(round(min(falls), 10)))),
    }
    return {
        "points": [None if at is None else _told(placed[at], falls[at]) for at in chosen],
        "figures": {**figures, "display": _texts(figures, decimals)},
    }


def mark_row(mark: Mark, decimals: int) -> Row:
    """``mark`` as readers see it."""
    words = _WORDS.get(mark.kind, "{amount}")
    amount = f"{grouped(mark.amount.copy_abs())} {CURRENCY}"
    write = gain if mark.kind in ("deposit", "withdrawal", "liquidation") else dollars
    return {
        "place": cursor(mark.place),
        "time": iso(mark.time),
        "kind": mark.kind,
        "amount": mark.amount,
        "display": {
            "kind": mark.kind.capitalize(),
            "amount": write(mark.amount, decimals),
            "words": words.format(amount=amount),
        },
    }


def _placed(now: Sample) -> Placed:
    carried = None if now.carried is None else float(now.carried)
    return Placed(0, _point(now), carried)


def _point(sample: Sample) -> Point:
    return Point(
        time=milliseconds(sample.time),
        chain=sample.chain,
        equity=float(sample.equity),
        pnl=float(sample.pnl),
        growth=float(sample.growth),
        gap=sample.gap,
    )


def _told(placed: Placed, fall: float) -> list[Any]:
    point, carried = placed.point, placed.carried
    pnl = None if carried is None else round(carried + point.pnl, _DIGITS)
    time = iso(moment(point.time))
    return [time, round(point.equity, _DIGITS), pnl, round(fall, _DIGITS) or 0.0]


def _sample(reader: Reader, placed: Placed, now: Sample) -> Sample:
    """The sample that was drawn, with its exact figures."""
    return (reader.sample(placed.number) if placed.number else None) or now


def _extremes(reader: Reader, placed: Sequence[Placed], now: Sample) -> dict[str, Decimal]:
    low = min(placed, key=lambda each: each.point.equity)
    high = max(placed, key=lambda each: each.point.equity)
    return {
        "equity_low": _sample(reader, low, now).equity,
        "equity_high": _sample(reader, high, now).equity,
    }


def _results(points: Sequence[Point], base: Sample, now: Sample) -> dict[str, Decimal | None]:
    pnl = now.pnl - base.pnl if base.epoch == now.epoch else None
    if base.all_pnl is not None and now.all_pnl is not None:
        pnl = now.all_pnl - base.all_pnl
    is_known = now.is_whole or (base.chain == now.chain and not base.is_whole)
    return {
        "pnl": pnl,
        "return_percent": in_percent(_growth(points, base, now)) if is_known else None,
    }


def _growth(points: Iterable[Point], base: Sample, now: Sample) -> Decimal:
    """What one unit became from ``base`` to ``now``: what it grew by while each chain of epochs
    went on between them, multiplied; an undo goes on with an older one after another."""
    chain, begin, growth = base.chain, base.growth, ONE
    end = begin
    for point in points:
        if point.chain != chain:
            growth *= _ratio(end, begin)
            chain, begin = point.chain, Decimal(repr(point.growth))
        end = Decimal(repr(point.growth))
    # the last point is that of now
    return growth * _ratio(now.growth, begin)


def _ratio(end: Decimal, begin: Decimal) -> Decimal:
    # after a total loss nothing grows any more
    return end / begin if begin else ONE


def _texts(figures: Mapping[str, Decimal | None], decimals: int) -> dict[str, str]:
    return {
        "equity_low": dollars(figures["equity_low"], decimals),
        "equity_high": dollars(figures["equity_high"], decimals),
        "pnl": gain(figures["pnl"], decimals),
        "return_percent": percent(figures["return_percent"]),
        "max_drawdown_percent": percent(figures["max_drawdown_percent"]),
    }
