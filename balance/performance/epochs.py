"""The list of the epochs: rows of figures, which of them fit a question, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Annotated, Any, Final, NotRequired, TypedDict, cast

from balance.core.figures import CENTS
from balance.core.moments import iso
from balance.core.money import exactly, quantized
from balance.core.shape import Count, Doc, Percent, Texts, Time, Whole, includes, text_names
from balance.core.wallet import OPENINGS
from balance.history.epochs import Epoch
from balance.history.question import Question
from balance.history.rows import KIND_LABELS
from balance.performance.figures import (
    FIGURES,
    GAIN,
    MONEY,
    PERCENT,
    Number,
    Unit,
    texts_of,
    types_of,
    values_of,
)
from balance.performance.results import Results

#: What gives the results of an epoch, but for its trades, by its number.
Measure = Callable[[int], Results]


@dataclass(frozen=True, slots=True)
class WalletFigure:
    """A figure of the wallet of an epoch: how it is counted, where it stands, and what it is."""

    unit: Unit
    value: Callable[[Epoch], Number]
    doc: str


#: The figures of the wallet of an epoch, by name.
WALLET_FIGURES: Final[Mapping[str, WalletFigure]] = MappingProxyType(
    {
        name: WalletFigure(unit, attrgetter(path), doc)
        for name, unit, path, doc in (
            ("starting_balance", MONEY, "wallet.starting_balance", "What it began with."),
            ("deposits", MONEY, "wallet.deposits", "Put in."),
            ("withdrawals", MONEY, "wallet.withdrawals", "Taken out."),
            ("adjustments", GAIN, "wallet.adjustments", "Gains less losses booked from outside."),
            ("realized_pnl", GAIN, "wallet.realized_pnl", "Closed P&L before fees."),
            ("fees_paid", MONEY, "wallet.fees_paid", "Trading fees."),
            ("funding_paid", MONEY, "funding_paid", "Funding paid less funding received."),
            ("balance", MONEY, "wallet.balance", "The wallet balance at its end, or now."),
            ("pnl", GAIN, "pnl", "Balance - (starting balance + deposits - withdrawals)."),
            ("pnl_percent", PERCENT, "pnl_percent", "P&L in percent of the money put in."),
            ("carried", GAIN, "carried", "P&L of all time before it."),
        )
    }
)
_BY_NAME: Final = {each.name: each for each in FIGURES}
#: What the list may be sorted by; a "-" before it reverses the order.
EPOCH_SORTS: Final = (
    *("epoch", "opened_at", "ended_at", "seconds", "entries"),
    *WALLET_FIGURES,
    *_BY_NAME,
)


class EpochSpan(TypedDict):
    """Which part of the ledger an epoch is."""

    epoch: Count
    opened_at: Time
    ended_at: Annotated[
        Time | None, Doc("Null: it is the running one, or its end is not indexed yet.")
    ]
    seconds: Annotated[Whole | None, Doc("How long it lasted; null: its end is not indexed yet.")]
    opened_by: Annotated[str, Doc(enum=[*OPENINGS, "repair"])]
    continues: Annotated[Count | None, Doc("The epoch that an undo goes on with.")]
    first_revision: Count
    last_revision: Count
    entries: Count


@includes(
    EpochSpan,
    {name: Annotated[each.unit.type, Doc(each.doc)] for name, each in WALLET_FIGURES.items()},
    types_of(FIGURES),
)
class EpochRow(TypedDict):
    """An epoch with its sums and its figures."""

    is_current: NotRequired[
        Annotated[bool, Doc("Whether it is the running one."), Doc("Not in a file.")]
    ]
    pnl_percent: Annotated[
        Percent | None, Doc("P&L in percent of the money put in; null where none is left in.")
    ]
    display: NotRequired[
        Annotated[
            Texts,
            text_names(("epoch", "opened_by", "entries", *WALLET_FIGURES, *_BY_NAME)),
            Doc("Not in a file."),
        ]
    ]


@dataclass(frozen=True, slots=True)
class Present:
    """What epochs are compared with: the number of the running one, and the time."""

    epoch: int
    time: datetime
    # How many decimals money is shown with.
    decimals: int = CENTS

    def seconds(self, row: Epoch) -> int | None:
        """How long an epoch has lasted; None where its end is not indexed yet."""
        end = self.time if row.epoch == self.epoch and row.ended_at is None else row.ended_at
        return None if end is None else max(0, int((end - row.opened_at).total_seconds()))


@exactly
def epoch_row(row: Epoch, results: Results, present: Present) -> EpochRow:
    """``row`` as readers see it, with what came of it."""
    wallet = {name: each.value(row) for name, each in WALLET_FIGURES.items()}
    if row.pnl_percent is not None:
        wallet["pnl_percent"] = quantized(row.pnl_percent)
    figures = values_of(FIGURES, replace(results, trades=row.trades))
    found = {
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
                name: each.unit.write(wallet[name], present.decimals)
                for name, each in WALLET_FIGURES.items()
            },
            **texts_of(FIGURES, figures, present.decimals),
        },
    }
    return cast(EpochRow, found)


@exactly
def fitting(rows: Iterable[Epoch], query: Question) -> list[Epoch]:
    """The ``rows`` that fit ``query``: by their numbers, when and by which revision they were
    opened, and their P&L."""
    numbers = frozenset(query.one_of.get("epoch", ()))
    return [
        row
        for row in rows
        if (not numbers or row.epoch in numbers)
        and _is_within(row.opened_at, query.begin, query.end)
        and _is_within(row.first_revision, query.after and query.after + 1, query.until)
        and _is_within(row.pnl, query.least.get("pnl"), query.most.get("pnl"))
    ]


@exactly
def in_order(
    rows: Sequence[Epoch], query: Question, present: Present, measure: Measure
) -> list[Epoch]:
    """``rows``, which come newest first, in the order of ``query``: ties turn with it, oldest
    first, and what is not known comes last."""
    name, is_descending = query.order
    value = _value(name, present, measure)
    valued = [(value(row), row) for row in (rows if is_descending else reversed(rows))]
    known = [each for each in valued if each[0] is not None]
    unknown = [each for each in valued if each[0] is None]
    return [row for _, row in sorted(known, key=itemgetter(0), reverse=is_descending) + unknown]


def _value(name: str, present: Present, measure: Measure) -> Callable[[Epoch], Any]:
    if name == "seconds":
        return present.seconds
    if name in _BY_NAME:
        figure = _BY_NAME[name]
        return lambda row: figure.value(replace(measure(row.epoch), trades=row.trades))
    return WALLET_FIGURES[name].value if name in WALLET_FIGURES else attrgetter(name)


def _is_within(value: Any, least: Any, most: Any) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)
