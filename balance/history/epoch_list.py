"""The list of the epochs: those that are asked for, in the order that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, Final

from balance.core.money import exactly
from balance.history.epoch_rows import FIGURES, MEASURES, Present
from balance.history.epochs import EpochRow
from balance.history.question import Question

#: What the equity of an epoch did, by the epoch's number: ``MEASURES``.
Measure = Callable[[int], tuple[Decimal | None, Decimal | None]]

_PLAIN: Final = ("epoch", "opened_at", "ended_at", "entries")
_VALUES: Final[Mapping[str, Callable[[EpochRow], Any]]] = MappingProxyType(
    {**{name: attrgetter(name) for name in _PLAIN}, **FIGURES}
)


@exactly
def fitting(rows: Iterable[EpochRow], asked: Question) -> list[EpochRow]:
    """Those of ``rows`` that are not left out: by their numbers, when and by which revision they
    were opened, and their P&L."""
    wanted = frozenset(asked.one_of.get("epoch", ()))
    return [
        row
        for row in rows
        if (not wanted or row.epoch in wanted)
        and _is_within(row.opened_at, asked.begin, asked.end)
        and _is_within(row.first_revision, asked.after and asked.after + 1, asked.until)
        and _is_within(row.pnl, asked.least, asked.most)
    ]


@exactly
def in_order(
    rows: Sequence[EpochRow], asked: Question, present: Present, measure: Measure
) -> list[EpochRow]:
    """``rows``, which come newest first, in the order that is asked for: ties turn with it, oldest
    first, and what is not known comes last."""
    name, falls = asked.order
    value = _value(name, present, measure)
    valued = [(value(row), row) for row in (rows if falls else reversed(rows))]
    known = [each for each in valued if each[0] is not None]
    unknown = [each for each in valued if each[0] is None]
    return [row for _, row in sorted(known, key=itemgetter(0), reverse=falls) + unknown]


def _value(name: str, present: Present, measure: Measure) -> Callable[[EpochRow], Any]:
    if name == "seconds":
        return present.seconds
    if name in MEASURES:
        place = MEASURES.index(name)
        return lambda row: measure(row.epoch)[place]
    return _VALUES[name]


def _is_within(value: Any, least: Any, most: Any) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)
