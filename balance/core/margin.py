"""The arithmetic of linear perpetuals with isolated margin.

Quantities are in base units and above zero, prices in the quote currency per base unit, money in
the quote currency, rates are fractions. Nothing is rounded here. Sources: Binance USD-M
documentation and FAQ where none is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from balance.core.instrument import Bracket
from balance.core.money import ZERO, exactly

Side = Literal["long", "short"]


def sign(side: Side) -> int:
    """+1 for long, -1 for short."""
    return 1 if side == "long" else -1


@exactly
def initial_margin(quantity: Decimal, price: Decimal, leverage: Decimal) -> Decimal:
    """``quantity * price / leverage``."""
    return quantity * price / leverage


@exactly
def open_loss(side: Side, quantity: Decimal, order_price: Decimal, mark: Decimal) -> Decimal:
    """What a position is under water in the moment it opens:
    ``quantity * |min(0, side * (mark - order price))|`` (FAQ 87fa7ee33b574f7084d42bd2ce2e463b)."""
    return quantity * max(ZERO, sign(side) * (order_price - mark))


@exactly
def unrealized_pnl(side: Side, quantity: Decimal, entry: Decimal, mark: Decimal) -> Decimal:
    """``side * quantity * (mark - entry)``, without fees and funding. It is also the P&L that is
    realised, gross, where the position is closed at ``mark``."""
    return sign(side) * quantity * (mark - entry)


@exactly
def roe(side: Side, quantity: Decimal, entry: Decimal, mark: Decimal, leverage: Decimal) -> Decimal:
    """Unrealised P&L over the initial margin at the entry price, as a fraction."""
    return unrealized_pnl(side, quantity, entry, mark) / initial_margin(quantity, entry, leverage)


@exactly
def average_entry(quantity: Decimal, entry: Decimal, added: Decimal, price: Decimal) -> Decimal:
    """The quantity-weighted average after ``added`` came at ``price``; fees never enter it."""
    return (quantity * entry + added * price) / (quantity + added)


@exactly
def trading_fee(quantity: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """``quantity * price * rate``: on the notional, whatever the leverage (FAQ 360033544231)."""
    return quantity * price * rate


@exactly
def break_even_price(side: Side, entry: Decimal, rate: Decimal) -> Decimal:
    """Where a fresh position has earned its opening fee: ``entry * (1 + side * rate)``."""
    return entry * (1 + sign(side) * rate)


@exactly
def open_value(side: Side, quantity: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """What opening costs a long or brings a short, with its fee: ``quantity * price * (1 + side *
    rate)``."""
    return quantity * price * (1 + sign(side) * rate)


@exactly
def close_value(
    side: Side, quantity: Decimal, price: Decimal, rate: Decimal, funding: Decimal = ZERO
) -> Decimal:
    """What closing brings a long or costs a short, with its fee and the funding received."""
    return quantity * price * (1 - sign(side) * rate) + sign(side) * funding


@exactly
def net_pnl(
    side: Side,
    quantity: Decimal,
    entry: Decimal,
    exit_price: Decimal,
    open_rate: Decimal,
    close_rate: Decimal,
    funding: Decimal = ZERO,
) -> Decimal:
    """A round trip's P&L less both fees, with the funding received."""
    opened = open_value(side, quantity, entry, open_rate)
    closed = close_value(side, quantity, exit_price, close_rate, funding)
    return sign(side) * (closed - opened)


@exactly
def maintenance_margin(notional: Decimal, rate: Decimal, amount: Decimal) -> Decimal:
    """``notional * rate - amount`` at mark price, at least zero
    (FAQ b3c689c1f50a44cabb3a84e663b81d93)."""
    return max(ZERO, notional * rate - amount)


@exactly
def bankruptcy_price(
    side: Side, quantity: Decimal, entry: Decimal, isolated_wallet: Decimal
) -> Decimal:
    """Where the isolated wallet is lost to the cent: ``entry - side * wallet / quantity``."""
    return entry - sign(side) * isolated_wallet / quantity


@exactly
def liquidation_price(
    side: Side,
    quantity: Decimal,
    entry: Decimal,
    isolated_wallet: Decimal,
    brackets: Sequence[Bracket],
) -> Decimal | None:
    """The mark price at which ``wallet + unrealised P&L = maintenance margin``, by the bracket that
    holds ``quantity * price``; None where no price above zero does it, as of a long at 1x.

    Of one bracket it is ``(entry - side * (wallet + amount) / quantity) / (1 - side * rate)``
    (FAQ b3c689c1f50a44cabb3a84e663b81d93)."""
    # The maintenance margin is convex over the brackets: of the prices that they give, the first
    # that the mark comes to counts, and it lies in its own bracket.
    direction = sign(side)
    prices = [
        (entry - direction * (isolated_wallet + bracket.maintenance_amount) / quantity)
        / (1 - direction * bracket.maintenance_rate)
        for bracket in brackets
    ]
    if not prices:
        return None
    price = max(prices) if side == "long" else min(prices)
    return price if price > 0 else None


@exactly
def funding_received(side: Side, quantity: Decimal, mark: Decimal, rate: Decimal) -> Decimal:
    """``-side * quantity * mark * rate`` at one settlement: at a rate above zero longs pay and
    shorts receive."""
    return -sign(side) * quantity * mark * rate
