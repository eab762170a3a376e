"""Accounts, positions and orders for the tests, and the equation that each account must fulfil."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from balance.core.account import Account
from balance.core.order import Order
from balance.core.position import Position
from balance.core.wallet import Wallet

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def position(**changes: Any) -> Position:
    """A long of 0.1 BTC bought at 40,000, now at 41,000: 100 of unrealised gain, 800 of margin."""
    usual = Position(
        symbol="BTC/USDT",
        feed="simulated",
        side="long",
        quantity=Decimal("0.1"),
        entry_price=Decimal(40_000),
        leverage=Decimal(5),
        isolated_margin=Decimal(800),
        maintenance_rate=Decimal("0.004"),
        maintenance_amount=Decimal(0),
        liquidation_price=Decimal("32128.51405622"),
        mark_price=Decimal(41_000),
        marked_at=MOMENT,
        opened_at=MOMENT,
        funded_at=MOMENT,
    )
    return dataclasses.replace(usual, **changes)


def order(**changes: Any) -> Order:
    """A limit order that keeps back 150."""
    usual = Order(
        id="o-1",
        symbol="ETH/USDT",
        feed="simulated",
        side="buy",
        type="limit",
        quantity=Decimal("0.5"),
        price=Decimal(1_500),
        leverage=Decimal(5),
        reserved_margin=Decimal(150),
        placed_at=MOMENT,
    )
    return dataclasses.replace(usual, **changes)


def account(balance: object = 10_000, **parts: Any) -> Account:
    """An account in its first epoch that began with ``balance``; ``parts`` as Account has them."""
    return Account(Wallet.opened(1, Decimal(str(balance))), **parts)


def explained(wallet: Wallet) -> Decimal:
    """The design's equation, written out here anew."""
    return (
        wallet.starting_balance
        + wallet.deposits
        - wallet.withdrawals
        + wallet.adjustments
        + wallet.realized_pnl
        - wallet.fees_paid
        + wallet.funding
    )
