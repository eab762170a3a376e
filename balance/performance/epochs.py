"""The list of the epochs: rows of figures, which of them fit a question, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, Final

from balance.core.figures import CENTS
from balance.core.moments import iso
from balance.core.money import exactly, quantized
from balance.core.rows import Row
from balance.history.epochs import EpochRow
from balance.history.question import SORTS, Question
from balance.history.rows import KIND_LABELS
from balance.performance.figures import (
    FIGURES,
    GAIN,
    MONEY,
    PERCENT,
    Number,
    Unit,
    texts_of,
    values_of,
)
from balance.performance.results import Results

#: What gives the results of an epoch, but for its trades, by its number.
Measure = Callable[[int], Results]
#: The figures of the wallet of an epoch, by name: how they are counted, and their values.
WALLET_FIGURES: Final[Mapping[str, tuple[Unit, Callable[[EpochRow], Number]]]] = MappingProxyType(
    {
        "starting_balance": (MONEY, attrgetter("wallet.starting_balance")),
        "deposits": (MONEY, attrgetter("wallet.deposits")),
        "withdrawals": (MONEY, attrgetter("wallet.withdrawals")),
        "adjustments": (GAIN, attrgetter("wallet.adjustments")),
        "realized_pnl": (GAIN, attrgetter("wallet.realized_pnl")),
        "fees_paid": (MONEY, attrgetter("wallet.fees_paid")),
        "funding_paid": (MONEY, lambda row: -row.wallet.funding),
        "balance": (MONEY, attrgetter("wallet.balance")),
        "pnl": (GAIN, attrgetter("pnl")),
        "pnl_percent": (PERCENT, attrgetter("pnl_percent")),
        "carried": (GAIN, attrgetter("carried")),
    }
)
_BY_NAME: Final = {each.name: each for each in FIGURES}
#: What the list may be sorted by.
EPOCH_SORTS: Final = (*SORTS["epochs"], *_BY_NAME)


@dataclass(frozen=True, slots=True)
class Present:
    """What epochs are compared with: the number of the running one, and the time."""

    epoch: int
    time: datetime
    # How many decimals money is shown with.
    decimals: int = CENTS

    def seconds(self, row: EpochRow) -> int | None:
        """How long an epoch has lasted; None where its end is not indexed yet."""
        end = self.time if row.epoch == self.epoch and row.ended_at is None else row.ended_at
        return None if end is None else max(0, int((end - row.opened_at).total_seconds()))


@exactly
def epoch_row(row: EpochRow, results: Results, present: Present) -> Row:
    """``row`` as readers see it, with what came of it."""
    wallet = {name: value(row) for name, (_, value) in WALLET_FIGURES.items()}
    if row.pnl_percent is not None:
        wallet["pnl_percent"] = quantized(row.pnl_percent)
    figures = values_of(FIGURES, replace(results, trades=row.trades))
    return {
        "epoch": row.epoch,
        "opened_at": iso(row.opened_at),
        "ended_at": None if row.ended_at is None else iso(row.ended_at),
        "seconds": present.seconds(row),
        "opened_by": row.opened_by,
        "continues": row.continues,
        "is_current": row.epoch == present.epoch,
        "first_revision": row.first_revision,
        "last_revision": row.last_revision,
        "entries": row.entries,
        **wallet,
        **figures,
        "display": {
            "epoch": str(row.epoch),
            "opened_by": KIND_LABELS.get(row.opened_by, row.opened_by),
            "entries": f"{row.entries:,}",
            **{
                name: unit.write(wallet[name], present.decimals)
                for name, (unit, _) in WALLET_FIGURES.items()
            },
            **texts_of(FIGURES, figures, present.decimals),
        },
    }


@exactly
def fitting(rows: Iterable[EpochRow], query: Question) -> list[EpochRow]:
    """The ``rows`` that fit ``query``: by their numbers, when and by which revision they were
    opened, and their P&L."""
    numbers = frozenset(query.one_of.get("epoch", ()))
    return [
        row
        for row in rows
        if (not numbers or row.epoch in numbers)
        and _is_within(row.opened_at, query.begin, query.end)
        and _is_within(row.first_revision, query.after and query.after + 1, query.until)
        and _is_within(row.pnl, query.least, query.most)
    ]


@exactly
def in_order(
    rows: Sequence[EpochRow], query: Question, present: Present, measure: Measure
) -> list[EpochRow]:
    """``rows``, which come newest first, in the order of ``query``: ties turn with it, oldest
    first, and what is not known comes last."""
    name, is_descending = query.order
    value = _value(name, present, measure)
    valued = [(value(row), row) for row in (rows if is_descending else reversed(rows))]
    known = [each for each in valued if each[0] is not None]
    unknown = [each for each in valued if each[0] is None]
    return [row for _, row in sorted(known, key=itemgetter(0), reverse=is_descending) + unknown]


def _value(name: str, present: Present, measure: Measure) -> Callable[[EpochRow], Any]:
    if name == "seconds":
        return present.seconds
    if name in _BY_NAME:
        figure = _BY_NAME[name]
        return lambda row: figure.value(replace(measure(row.epoch), trades=row.trades))
    return WALLET_FIGURES[name][1] if name in WALLET_FIGURES else attrgetter(name)


def _is_within(value: Any, least: Any, most: Any) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)
