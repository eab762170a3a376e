"""The curve of the equity over a range of time, as ``GET /equity`` answers it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import groupby
from operator import mul
from types import MappingProxyType
from typing import Annotated, Any, Final, TypedDict

from balance.core.entry import Entry, cursor
from balance.core.figures import dollars, gain, grouped, percent
from balance.core.moments import from_milliseconds, iso, utc_text
from balance.core.money import CURRENCY, exactly, quantized
from balance.core.rows import Row
from balance.core.shape import Doc, Money, Percent, Texts, Time, includes, text_names
from balance.history.epochs import Epoch
from balance.performance.baselines import baseline
from balance.performance.derivations.derivation import Derivation
from balance.performance.derivations.period import BEFORE, period_derivation
from balance.performance.derivations.returns import in_percent, linked_derivation
from balance.performance.drawdown import depths
from balance.performance.sample import ONE, Point, Sample, pnl_since
from balance.performance.sample_reader import Placed, SampleReader
from balance.performance.sample_rows import point_of
from balance.performance.thinning import drawn

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
_TEXTS: Final = MappingProxyType(
    {
        "deposit": "Deposited {amount}",
        "withdrawal": "Withdrew {amount}",
        "reset": "Reset to {amount}",
        "undo": "Reset undone: {amount} again",
        "liquidation": "Liquidated: {amount} lost",
    }
)
#: The kinds that are marked.
MARKED: Final = tuple(_TEXTS)
# Floats are for drawing: more digits would only make the answer longer.
_DIGITS: Final = 4
_UNKNOWN: Final = "Null where it is not known."


class MarkRow(TypedDict):
    """An entry that is marked on the curve."""

    place: Annotated[str, Doc("Where the entry stands in the ledger: 42 or 42.3.")]
    time: Time
    kind: Annotated[str, Doc(enum=list(MARKED))]
    amount: Annotated[
        Money, Doc("What it moved the balance by; of a reset, what the epoch begins with.")
    ]
    display: Annotated[Texts, text_names(("kind", "amount", "words"))]


class _RangeValues(TypedDict):
    equity_low: Annotated[Money, Doc("The lowest equity.")]
    equity_high: Annotated[Money, Doc("The highest equity.")]
    pnl: Annotated[Money | None, Doc(f"P&L in the range. {_UNKNOWN}")]
    return_percent: Annotated[Percent | None, Doc(f"Time-weighted, across resets too. {_UNKNOWN}")]
    max_drawdown_percent: Annotated[
        Percent,
        Doc("The deepest that the growth was below its best before, of the same epoch, at most 0."),
    ]


@includes(_RangeValues)
class RangeFigures(TypedDict):
    """The figures of a range."""

    display: Annotated[Texts, text_names(_RangeValues.__annotations__)]


_Span = TypedDict("_Span", {"from": Time, "to": Time})


@includes(_Span)
class Curve(TypedDict):
    """The equity over a range of time."""

    range: Annotated[str, Doc(enum=list(RANGES))]
    points: Annotated[
        list[Annotated[list[str | Decimal | None], Doc()] | None],
        Doc(
            "Of each the time, the equity, the P&L of all time (null where it is not known), and "
            "how far the time-weighted growth is below its best before, of the same epoch, in "
            "percent, at most 0. Null instead of a point: nothing was sampled before the next one.",
            maxItems=MOST_POINTS,
        ),
    ]
    marks: Annotated[list[MarkRow], Doc(f"The newest {MOST_MARKS} in the range, oldest first.")]
    figures: RangeFigures
    derivations: Annotated[
        Mapping[str, Derivation],
        Doc("How the P&L and the return of the range come about.", names=("pnl", "return_percent")),
    ]
    since: Annotated[Time | None, Doc("When the first sample is of; null: there is none.")]
    words: Annotated[
        str,
        Doc(
            "What became of an earlier file of samples, and whether there are more marks than are "
            "listed; else empty."
        ),
    ]


def begin_of(name: str, reader: SampleReader, now: datetime) -> datetime:
    """When the range ``name``, one of ``RANGES``, begins."""
    length = RANGES[name]
    if length is not None:
        return now - length
    oldest = reader.oldest()
    return now if oldest is None else min(oldest.time, now)


def _factors(points: Sequence[Point], base: Sample) -> Iterator[tuple[str, Decimal]]:
    """What one unit grew by from ``base`` while each chain of epochs went on, and since when; an
    undo goes on with an older one after another."""
    begin, label = base.growth, f"Growth since {utc_text(base.time)}"
    for number, (chain, run) in enumerate(groupby(points, key=lambda each: each.chain)):
        growths = [Decimal(repr(each.growth)) for each in run]
        if number or chain != base.chain:
            begin, label = growths[0], f"Growth of epoch {chain}, or what goes on with it"
        yield label, growths[-1] / begin if begin else ONE


def _return_percent(
    factors: Sequence[tuple[str, Decimal]], base: Sample, now: Sample
) -> Decimal | None:
    """The time-weighted return from ``base`` to ``now``, across resets too; None where it is not
    known."""
    if not now.is_whole and (base.is_whole or base.chain != now.chain):
        return None
    return in_percent(reduce(mul, (factor for _, factor in factors), ONE))


@exactly
def curve(
    reader: SampleReader,
    begin: datetime,
    now: Sample,
    epochs: Mapping[int, Epoch],
    decimals: int,
) -> Row:
    """The points from ``begin`` up to ``now``, at most ``MOST_POINTS``, each ``[time, equity, P&L
    of all time, drawdown in percent]`` with None before one that nobody saw come; and the figures
    of that range: money in the quote currency. P&L and return are measured from the last sample
    before it, or the first in it, and come with how they come about; ``epochs`` are those that are
    indexed."""
    placed = [*reader.points(begin, now.time), _placed(now)]
    points = [each.point for each in placed]
    base = baseline(reader, begin) or _sample(reader, placed[0], now)
    since = "the first moment known in it" if base.time > begin else BEFORE
    factors = tuple(_factors(points, base))
    fallen = list(depths(points, reader.best_growths(begin, [each.chain for each in points])))
    chosen = drawn(points, MOST_POINTS)
    figures = {
        **_extremes(reader, placed, now),
        "pnl": pnl_since(base, now),
        "return_percent": _return_percent(factors, base, now),
        "max_drawdown_percent": quantized(Decimal(str(round(min(fallen), 10)))),
    }
    return {
        "points": [None if at is None else _point_row(placed[at], fallen[at]) for at in chosen],
        "figures": {**figures, "display": _texts(figures, decimals)},
        "derivations": {
            "pnl": period_derivation("P&L of this range", base, now, epochs, decimals, since).row,
            "return_percent": linked_derivation(factors, figures["return_percent"]).row,
        },
    }


def mark_row(entry: Entry, decimals: int) -> Row:
    """``entry`` as readers see it."""
    kind, moved = entry.booking.kind, entry.booking.amount
    text = _TEXTS.get(kind, "{amount}")
    amount = f"{grouped(moved.copy_abs())} {CURRENCY}"
    write = gain if kind in ("deposit", "withdrawal", "liquidation") else dollars
    return {
        "place": cursor(entry.place),
        "time": iso(entry.time),
        "kind": kind,
        "amount": moved,
        "display": {
            "kind": kind.capitalize(),
            "amount": write(moved, decimals),
            "words": text.format(amount=amount),
        },
    }


def _placed(now: Sample) -> Placed:
    carried = None if now.carried is None else float(now.carried)
    return Placed(0, point_of(now), carried)


def _point_row(placed: Placed, fall: float) -> list[Any]:
    point, carried = placed.point, placed.carried
    pnl = None if carried is None else round(carried + point.pnl, _DIGITS)
    time = iso(from_milliseconds(point.time))
    return [time, round(point.equity, _DIGITS), pnl, round(fall, _DIGITS) or 0.0]


def _sample(reader: SampleReader, placed: Placed, now: Sample) -> Sample:
    """The sample that was drawn, with its exact figures."""
    return (reader.sample(placed.number) if placed.number else None) or now


def _extremes(reader: SampleReader, placed: Sequence[Placed], now: Sample) -> dict[str, Decimal]:
    low = min(placed, key=lambda each: each.point.equity)
    high = max(placed, key=lambda each: each.point.equity)
    return {
        "equity_low": _sample(reader, low, now).equity,
        "equity_high": _sample(reader, high, now).equity,
    }


def _texts(figures: Mapping[str, Decimal | None], decimals: int) -> dict[str, str]:
    return {
        "equity_low": dollars(figures["equity_low"], decimals),
        "equity_high": dollars(figures["equity_high"], decimals),
        "pnl": gain(figures["pnl"], decimals),
        "return_percent": percent(figures["return_percent"]),
        "max_drawdown_percent": percent(figures["max_drawdown_percent"]),
    }
