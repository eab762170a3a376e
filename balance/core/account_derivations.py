"""How the figures of the account itself come about: its balance, equity, margin and exposure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from balance.core.derivation import (
    DIVIDED,
    HUNDRED,
    MINUS,
    TIMES,
    Derivation,
    Part,
    Term,
    added,
    link,
    summed,
    total_of,
)
from balance.core.figures import dollars
from balance.core.money import ZERO, exactly
from balance.core.snapshot import Snapshot
from balance.core.wallet import Wallet

#: The totals of the wallet: which kinds of entries make each up, what it is called, and what it is.
TOTALS: Final[Mapping[str, tuple[str, str, str]]] = {
    "deposits": ("deposit", "Deposits", "Money put in since the epoch began. It is no gain."),
    "withdrawals": (
        "withdrawal",
        "Withdrawals",
        "Money taken out since the epoch began. It is no loss.",
    ),
    "adjustments": (
        "adjustment,external_edit,repair",
        "Adjustments",
        "Gains less losses booked from outside, by a person or a program.",
    ),
    "realized_pnl": (
        "realized_pnl,liquidation",
        "Realised P&L",
        "What closed positions brought, before fees and funding.",
    ),
    "fees_paid": ("fee", "Fees", "Paid for fills."),
    "funding_paid": ("funding", "Funding", "Paid less received while positions were open."),
}


@exactly
def account_derivations(
    snapshot: Snapshot, brought: Wallet | None, decimals: int
) -> dict[str, Derivation]:
    """The derivations of the figures of ``snapshot``, by name. ``brought`` is the wallet with which
    an undo opened the running epoch; None where it began with nothing but its starting balance."""
    told = _Told(snapshot, decimals)
    return {
        **{name: _total(told, name, brought) for name in TOTALS},
        "balance": _balance(told),
        "portfolio_value": _equity(told),
        "unrealized_pnl": _unrealized(told),
        "available_balance": _available(told),
        "used_margin": _used_margin(told),
        "starting_balance": _starting(told),
        "current_pnl": _pnl(told),
        "pnl_percent": _pnl_percent(told),
        **_exposures(told),
    }


class _Told:
    """A snapshot, and how it is written."""

    def __init__(self, snapshot: Snapshot, decimals: int) -> None:
        self.snapshot = snapshot
        self.decimals = decimals

    def total(self, name: str, label: str) -> Term:
        """The line that says what a figure is."""
        return total_of(label, self.snapshot[name], self.snapshot.display[name])

    def part(self, sign: Any, name: str, label: str, kinds: str) -> Part:
        """A total of the wallet, with its entries."""
        href = link("ledger", kind=kinds, epoch=self.snapshot.epoch)
        return Part(sign, label, self.snapshot[name], href)

    def first(self, name: str, label: str) -> Term:
        """A figure to begin with."""
        return Term(" ", label, self.snapshot.display[name], self.snapshot[name])


def _total(told: _Told, name: str, brought: Wallet | None) -> Derivation:
    """A total of the wallet: what an undo brought back of it, and what came since."""
    kinds, label, words = TOTALS[name]
    snapshot, parts = told.snapshot, list[Part]()
    before = ZERO if brought is None else _of_wallet(brought, name)
    if before:
        parts.append(Part("+", "Brought back by the undo of a reset", before))
    href = link("ledger", kind=kinds, epoch=snapshot.epoch)
    parts.append(Part("+", f"In epoch {snapshot.epoch}", snapshot[name] - before, href))
    return summed(label, words, parts, told.total(name, label), told.decimals)


def _of_wallet(wallet: Wallet, name: str) -> Decimal:
    total: Decimal = -wallet.funding if name == "funding_paid" else getattr(wallet, name)
    return total


def _starting(told: _Told) -> Derivation:
    opened = link("ledger", kind="start,reset,undo", epoch=told.snapshot.epoch)
    parts = [Part("+", f"Epoch {told.snapshot.epoch}", told.snapshot.starting_balance, opened)]
    return summed(
        "Starting balance",
        "What the epoch began with.",
        parts,
        told.total("starting_balance", "Starting balance"),
        told.decimals,
    )


def _balance(told: _Told) -> Derivation:
    signs: dict[str, Any] = {"withdrawals": MINUS, "fees_paid": MINUS, "funding_paid": MINUS}
    opened = link("ledger", kind="start,reset,undo", epoch=told.snapshot.epoch)
    parts = [
        Part("+", "Starting balance", told.snapshot.starting_balance, opened),
        *(
            told.part(signs.get(name, "+"), name, label, kinds)
            for name, (kinds, label, _) in TOTALS.items()
        ),
    ]
    return summed(
        "Wallet balance",
        "Settled money. It is also the sum of the epoch's entries in the ledger.",
        parts,
        told.total("balance", "Wallet balance"),
        told.decimals,
    )


def _equity(told: _Told) -> Derivation:
    parts = [
        Part("+", "Wallet balance", told.snapshot.balance),
        Part("+", "Unrealised P&L", told.snapshot.unrealized_pnl),
    ]
    return summed(
        "Total equity",
        "What there would be if all positions were closed at their mark price, without fees.",
        parts,
        told.total("portfolio_value", "Total equity"),
        told.decimals,
    )


def _unrealized(told: _Told) -> Derivation:
    parts = [
        Part("+", _named(row), row["unrealized_pnl"], _of_symbol(row))
        for row in told.snapshot.positions
    ]
    return _summed_up(
        told,
        "unrealized_pnl",
        "Unrealised P&L",
        "Of open positions, at the last known mark price.",
        parts,
    )


def _used_margin(told: _Told) -> Derivation:
    parts = [
        Part("+", f"Margin of {_named(row)}", row["isolated_margin"])
        for row in told.snapshot.positions
    ]
    kept_back = sum((row["reserved_margin"] for row in told.snapshot.open_orders), ZERO)
    if told.snapshot.open_orders:
        parts.append(Part("+", "Kept back by open orders", kept_back))
    return _summed_up(
        told, "used_margin", "Margin in use", "Of positions and of open orders.", parts
    )


def _summed_up(told: _Told, name: str, title: str, words: str, parts: Iterable[Part]) -> Derivation:
    """The sum of what the positions say, each rounded for itself."""
    found, total = list(parts), told.snapshot[name]
    rest = total - sum((part.amount for part in found), ZERO)
    if rest or not found:
        found.append(Part("+", "Rounding" if rest else "Nothing is open", rest))
    return summed(title, words, found, told.total(name, title), told.decimals)


def _available(told: _Told) -> Derivation:
    parts = [
        Part("+", "Wallet balance", told.snapshot.balance),
        Part(MINUS, "Margin in use", told.snapshot.used_margin),
    ]
    return summed(
        "Available",
        "What a new order may take. Unrealised P&L stays with its position.",
        parts,
        told.total("available_balance", "Available"),
        told.decimals,
    )


def pnl_parts(snapshot: Snapshot) -> list[Part]:
    """What the P&L of the epoch is made of."""
    epoch = snapshot.epoch
    return [
        Part("+", "Equity now", snapshot.portfolio_value),
        Part(
            MINUS,
            "Starting balance",
            snapshot.starting_balance,
            link("ledger", kind="start,reset,undo", epoch=epoch),
        ),
        Part(MINUS, "Deposits", snapshot.deposits, link("ledger", kind="deposit", epoch=epoch)),
        Part(
            "+",
            "Withdrawals",
            snapshot.withdrawals,
            link("ledger", kind="withdrawal", epoch=epoch),
        ),
    ]


def _pnl(told: _Told) -> Derivation:
    return summed(
        "P&L of this epoch",
        "The equity less what was put in: what was gained or lost since the epoch began.",
        pnl_parts(told.snapshot),
        told.total("current_pnl", "P&L"),
        told.decimals,
    )


def _pnl_percent(told: _Told) -> Derivation:
    snapshot = told.snapshot
    capital = snapshot.starting_balance + snapshot.deposits - snapshot.withdrawals
    words = "The P&L in percent of the capital: the starting balance + deposits - withdrawals."
    if snapshot.pnl_percent is None:
        return Derivation("P&L in percent", f"{words} None is left in.", ())
    return Derivation(
        "P&L in percent",
        words,
        (
            told.first("current_pnl", "P&L"),
            Term(DIVIDED, "Capital", dollars(capital, told.decimals), capital),
            Term(TIMES, "In percent", "100", HUNDRED),
            told.total("pnl_percent", "P&L in percent"),
        ),
    )


def _exposures(told: _Told) -> dict[str, Derivation]:
    snapshot, found = told.snapshot, dict[str, Derivation]()
    for side, title in (("long", "Longs"), ("short", "Shorts")):
        parts = [
            Part("+", _named(row), row["notional"], _of_symbol(row))
            for row in snapshot.positions
            if row["side"] == side
        ]
        name = f"{side}_exposure"
        found[name] = _summed_up(told, name, title, "Quantity times mark price of each.", parts)
    longs_and_shorts = [
        Part("+", "Longs", snapshot.long_exposure),
        Part(MINUS, "Shorts", snapshot.short_exposure),
    ]
    found["net_exposure"] = summed(
        "Net exposure",
        "What a rise of all prices would be felt on.",
        longs_and_shorts,
        told.total("net_exposure", "Net exposure"),
        told.decimals,
    )
    found["exposure_percent"] = _exposure_percent(told)
    return found


def _exposure_percent(told: _Told) -> Derivation:
    snapshot, words = told.snapshot, "Longs and shorts together, in percent of the equity."
    if snapshot.exposure_percent is None:
        return Derivation("Gross exposure", f"{words} There is none.", ())
    held = [
        Part("+", "Longs", snapshot.long_exposure),
        Part("+", "Shorts", snapshot.short_exposure),
    ]
    return Derivation(
        "Gross exposure",
        words,
        (
            *added(held, told.decimals),
            Term(
                DIVIDED,
                "Total equity",
                snapshot.display["portfolio_value"],
                snapshot.portfolio_value,
            ),
            Term(TIMES, "In percent", "100", HUNDRED),
            told.total("exposure_percent", "Gross exposure"),
        ),
    )


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['symbol']} {row['side']}"


def _of_symbol(row: Mapping[str, Any]) -> str:
    return link("fills", symbol=row["symbol"])
