"""Exposure: what the open positions are worth at mark price, beside the equity."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from balance.core.account import Account
from balance.core.money import ZERO, quantized


def exposures(account: Account) -> Mapping[str, Decimal | None]:
    """What ``account`` holds long and short, both at least zero, and what that leaves: in the quote
    currency; all of it in percent of the equity, None where there is none."""
    held = {"long": ZERO, "short": ZERO}
    for position in account.positions:
        held[position.side] += quantized(position.notional)
    return {
        "long_exposure": held["long"],
        "short_exposure": held["short"],
        "net_exposure": held["long"] - held["short"],
        "exposure_percent": share_of_equity(account, held["long"] + held["short"]),
    }


def share_of_equity(account: Account, held: Decimal) -> Decimal | None:
    """``held`` in percent of the equity of ``account``; None where that is nothing."""
    return quantized(held / account.equity * 100) if account.equity > 0 else None
