"""The figures of the account as it is now: those of its epoch, and the P&L of each period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final, TypedDict

from balance.core.money import exactly, quantized
from balance.core.periods import period_percent
from balance.core.rows import Row
from balance.core.shape import Count, Doc, Texts, includes, text_names
from balance.core.snapshot import Snapshot
from balance.history.epochs import Epoch
from balance.performance.derivations.account import (
    Books,
    Past,
    account_derivations,
    pnl_derivation,
    position_derivations,
    total_derivation,
)
from balance.performance.derivations.derivation import Derivation
from balance.performance.derivations.period import (
    all_time_derivation,
    period_derivation,
    period_percent_derivation,
)
from balance.performance.figures import (
    AVERAGE_TRADE,
    FIGURES,
    GAIN,
    MONEY,
    PERCENT,
    Figure,
    texts_of,
    types_of,
    values_of,
)
from balance.performance.results import Results
from balance.performance.sample import Sample, pnl_since


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """What the figures of the account are made from."""

    snapshot: Snapshot
    # The same moment as a sample.
    sample: Sample
    # The account as it was when the day and the week began; None where that is not known.
    day: Sample | None
    week: Sample | None
    # What the running epoch goes on with.
    past: Past
    # The newest epochs by number, as far as they are indexed.
    epochs: Mapping[int, Epoch]
    results: Results

    @property
    def decimals(self) -> int:
        """How many decimals money is shown with."""
        return self.results.decimals

    @property
    def books(self) -> Books:
        """What the derivations of the wallet read."""
        return Books(self.snapshot, self.past, self.decimals)

    def derive_period(self, title: str, base: Sample | None) -> Derivation:
        """How the P&L since ``base`` comes about."""
        return period_derivation(title, base, self.sample, self.epochs, self.decimals)


def _percent_today(view: AccountView) -> Decimal | None:
    found = period_percent(pnl_since(view.day, view.sample), view.sample.equity)
    return None if found is None else quantized(found)


#: The figures of the account beside those of its epoch. Those of periods are on Overview as live
#: figures of the snapshot.
ACCOUNT_FIGURES: Final[Sequence[Figure[AccountView]]] = (
    Figure(
        "fees_paid",
        "Fees paid",
        "Trading fees of the epoch.",
        MONEY,
        lambda view: view.snapshot.fees_paid,
        lambda view: total_derivation(view.books, "fees_paid"),
    ),
    Figure(
        "funding_paid",
        "Funding paid",
        "Funding paid less received in the epoch.",
        MONEY,
        lambda view: view.snapshot.funding_paid,
        lambda view: total_derivation(view.books, "funding_paid"),
    ),
    Figure(
        "pnl_today",
        "P&L today",
        "P&L since 00:00 UTC.",
        GAIN,
        lambda view: pnl_since(view.day, view.sample),
        lambda view: view.derive_period("P&L today", view.day),
        is_shown=False,
    ),
    Figure(
        "pnl_today_percent",
        "P&L today, in percent",
        "P&L since 00:00 UTC in percent of what the equity would be without it.",
        PERCENT,
        _percent_today,
        lambda view: period_percent_derivation(
            pnl_since(view.day, view.sample), view.sample, view.decimals
        ),
        is_shown=False,
    ),
    Figure(
        "pnl_week",
        "P&L this week",
        "P&L since Monday 00:00 UTC.",
        GAIN,
        lambda view: pnl_since(view.week, view.sample),
        lambda view: view.derive_period("P&L this week", view.week),
        is_shown=False,
    ),
    Figure(
        "pnl_epoch",
        "P&L of this epoch",
        "P&L of the epoch.",
        GAIN,
        lambda view: view.sample.pnl,
        lambda view: pnl_derivation(view.books),
        is_shown=False,
    ),
    Figure(
        "pnl_all_time",
        "P&L of all time",
        "P&L of all epochs.",
        GAIN,
        lambda view: view.sample.all_pnl,
        lambda view: all_time_derivation(view.sample, view.epochs, view.decimals),
        is_shown=False,
    ),
)


_EPOCH_FIGURES: Final = (*FIGURES, AVERAGE_TRADE)
_TYPES: Final = types_of((*_EPOCH_FIGURES, *ACCOUNT_FIGURES))


@includes(_TYPES)
class PerformanceFigures(TypedDict):
    """The figures of performance, by name."""


class Performance(TypedDict):
    """The figures of the account's performance, and how every figure comes about."""

    revision: Count
    figures: PerformanceFigures
    display: Annotated[Texts, text_names(_TYPES)]
    derivations: Annotated[
        Mapping[str, Derivation], Doc("By the name of the figure, those of the snapshot too.")
    ]


@exactly
def account_performance(view: AccountView) -> Row:
    """The figures of the account by name, None where one is not known; the same as texts; and the
    derivation of each of them and of the figures of the snapshot."""
    ours = values_of(_EPOCH_FIGURES, view.results)
    account = values_of(ACCOUNT_FIGURES, view)
    derivations = {
        **account_derivations(view.books),
        **position_derivations(view.snapshot),
        **{each.name: each.derivation(view.results) for each in _EPOCH_FIGURES},
        **{each.name: each.derivation(view) for each in ACCOUNT_FIGURES},
    }
    decimals = view.decimals
    return {
        "figures": {**ours, **account},
        "display": {
            **texts_of(_EPOCH_FIGURES, ours, decimals),
            **texts_of(ACCOUNT_FIGURES, account, decimals),
        },
        "derivations": {name: each.row for name, each in derivations.items()},
    }
