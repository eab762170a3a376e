"""Epochs as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from balance.core.figures import CENTS, NONE, dollars, gain, percent
from balance.core.moments import iso
from balance.core.money import exactly, quantized
from balance.core.rows import Row
from balance.history.epochs import EpochRow
from balance.history.ledger_rows import KIND_WORDS

#: What the equity of an epoch did, in percent; None where nobody has seen it.
Measured = Mapping[str, Decimal | None]
#: The names of that.
MEASURES: Final = ("return_percent", "max_drawdown_percent")
#: The figures of an epoch, by name: money in the quote currency, percentages as they are called.
FIGURES: Final[Mapping[str, Callable[[EpochRow], Decimal | int | None]]] = MappingProxyType(
    {
        "starting_balance": attrgetter("wallet.starting_balance"),
        "deposits": attrgetter("wallet.deposits"),
        "withdrawals": attrgetter("wallet.withdrawals"),
        "adjustments": attrgetter("wallet.adjustments"),
        "realized_pnl": attrgetter("wallet.realized_pnl"),
        "fees_paid": attrgetter("wallet.fees_paid"),
        "funding_paid": lambda row: -row.wallet.funding,
        "balance": attrgetter("wallet.balance"),
        "pnl": attrgetter("pnl"),
        "pnl_percent": attrgetter("pnl_percent"),
        "carried": attrgetter("carried"),
        "trades": attrgetter("trades.trades"),
        "wins": attrgetter("trades.wins"),
        "losses": attrgetter("trades.losses"),
        "even": attrgetter("trades.even"),
        "win_rate": attrgetter("trades.win_rate"),
        "profit_factor": attrgetter("trades.profit_factor"),
        "best_trade": attrgetter("trades.best"),
        "worst_trade": attrgetter("trades.worst"),
    }
)

_QUOTIENTS: Final = ("pnl_percent", "win_rate", "profit_factor")
_MONEY: Final[Mapping[str, Callable[[Decimal | None, int], str]]] = MappingProxyType(
    {
        "starting_balance": dollars,
        "deposits": dollars,
        "withdrawals": dollars,
        "adjustments": gain,
        "realized_pnl": gain,
        "fees_paid": dollars,
        "funding_paid": dollars,
        "balance": dollars,
        "pnl": gain,
        "carried": gain,
        "best_trade": gain,
        "worst_trade": gain,
    }
)


@dataclass(frozen=True, slots=True)
class Present:
    """What epochs are told against: the number of the running one, and the time."""

    epoch: int
    time: datetime
    # how many decimals money is shown with
    decimals: int = CENTS

    def seconds(self, row: EpochRow) -> int | None:
        """How long an epoch has lasted; None where its end is not indexed yet."""
        end = self.time if row.epoch == self.epoch and row.ended_at is None else row.ended_at
        return None if end is None else max(0, int((end - row.opened_at).total_seconds()))


@exactly
def epoch_row(row: EpochRow, measured: Measured, present: Present) -> Row:
    """``row`` with what its equity did."""
    figures = {name: figure(row) for name, figure in FIGURES.items()}
    figures |= {name: _quantized(figures[name]) for name in _QUOTIENTS}
    figures |= {name: _quantized(measured.get(name)) for name in MEASURES}
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
        **figures,
        "display": _texts(row, figures, present.decimals),
    }


def _texts(row: EpochRow, figures: Row, decimals: int) -> Row:
    factor, rate = figures["profit_factor"], figures["win_rate"]
    return {
        "epoch": str(row.epoch),
        "opened_by": KIND_WORDS.get(row.opened_by, row.opened_by),
        "entries": f"{row.entries:,}",
        **{name: write(figures[name], decimals) for name, write in _MONEY.items()},
        "pnl_percent": percent(figures["pnl_percent"]),
        **{name: f"{figures[name]:,}" for name in ("trades", "wins", "losses", "even")},
        "win_rate": percent(rate).lstrip("+"),
        "profit_factor": NONE if factor is None else f"{factor:,.2f}",
        "return_percent": percent(figures["return_percent"]),
        "max_drawdown_percent": percent(figures["max_drawdown_percent"]),
    }


def _quantized(number: Decimal | int | None) -> Decimal | None:
    return None if number is None else quantized(Decimal(number))
