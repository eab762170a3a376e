"""How the figures of the account itself come about: its balance, equity, margin and exposure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from balance.core.figures import dollars
from balance.core.money import ZERO, exactly
from balance.core.snapshot import Snapshot
from balance.performance.derivations.derivation import (
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
)
from balance.performance.derivations.wallet import Books, Past, pnl_parts, wallet_derivations


@exactly
def account_derivations(snapshot: Snapshot, past: Past, decimals: int) -> dict[str, Derivation]:
    """The derivations of the figures of ``snapshot``, by name; ``past`` is what its epoch goes on
    with."""
    told = Books(snapshot, past, decimals)
    return {
        **wallet_derivations(told),
        "portfolio_value": _equity(told),
        "unrealized_pnl": _unrealized(told),
        "available_balance": _available(told),
        "used_margin": _used_margin(told),
        "current_pnl": _pnl(told),
        "pnl_percent": _pnl_percent(told),
        **_exposures(told),
    }


def _equity(told: Books) -> Derivation:
    parts = [
        told.part("+", "balance", "Wallet balance"),
        told.part("+", "unrealized_pnl", "Unrealised P&L"),
    ]
    return summed(
        "Total equity",
        "What there would be if all positions were closed at their mark price, without fees.",
        parts,
        told.total("portfolio_value", "Total equity"),
        told.decimals,
    )


def _unrealized(told: Books) -> Derivation:
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


def _used_margin(told: Books) -> Derivation:
    parts = [
        Part("+", f"Margin of {_named(row)}", row["isolated_margin"], _of_symbol(row))
        for row in told.snapshot.positions
    ]
    kept_back = sum((row["reserved_margin"] for row in told.snapshot.open_orders), ZERO)
    if told.snapshot.open_orders:
        href = link("ledger", kind="order,cancel", epoch=told.snapshot.epoch)
        parts.append(Part("+", "Kept back by open orders", kept_back, href))
    return _summed_up(
        told, "used_margin", "Margin in use", "Of positions and of open orders.", parts
    )


def _summed_up(told: Books, name: str, title: str, words: str, parts: Iterable[Part]) -> Derivation:
    """The sum of what the positions say, each rounded for itself."""
    found, total = list(parts), told.snapshot[name]
    rest = total - sum((part.amount for part in found), ZERO)
    if rest or not found:
        found.append(Part("+", "Rounding" if rest else "Nothing is open", rest))
    return summed(title, words, found, told.total(name, title), told.decimals)


def _available(told: Books) -> Derivation:
    parts = [
        told.part("+", "balance", "Wallet balance"),
        told.part(MINUS, "used_margin", "Margin in use"),
    ]
    return summed(
        "Available",
        "What a new order may take. Unrealised P&L stays with its position.",
        parts,
        told.total("available_balance", "Available"),
        told.decimals,
    )


def _pnl(told: Books) -> Derivation:
    return summed(
        "P&L of this epoch",
        "The equity less what was put in: what was gained or lost since the epoch began.",
        pnl_parts(told),
        told.total("current_pnl", "P&L"),
        told.decimals,
    )


def _pnl_percent(told: Books) -> Derivation:
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


def _exposures(told: Books) -> dict[str, Derivation]:
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
        told.part("+", "long_exposure", "Longs"),
        told.part(MINUS, "short_exposure", "Shorts"),
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


def _exposure_percent(told: Books) -> Derivation:
    snapshot, words = told.snapshot, "Longs and shorts together, in percent of the equity."
    if snapshot.exposure_percent is None:
        return Derivation("Gross exposure", f"{words} There is none.", ())
    held = [
        told.part("+", "long_exposure", "Longs"),
        told.part("+", "short_exposure", "Shorts"),
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
                derive="portfolio_value",
            ),
            Term(TIMES, "In percent", "100", HUNDRED),
            told.total("exposure_percent", "Gross exposure"),
        ),
    )


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['symbol']} {row['side']}"


def _of_symbol(row: Mapping[str, Any]) -> str:
    return link("fills", symbol=row["symbol"])
