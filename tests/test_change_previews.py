"""Previews of changes to what is open: they show what the change does then, and do nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from balance import Desk
from balance.core.errors import InsufficientBalance, InvalidAmount, UnknownOrder, UnknownPosition
from balance.core.market import Terms
from balance.store.memory_store import MemoryStore
from tests.boards import board
from tests.markets import BTC, ETH


@pytest.fixture
def desk() -> Desk:
    """A position of half a bitcoin, and an order that waits."""
    made = Desk(MemoryStore(), board())
    made.place_order(symbol=BTC, side="buy", quantity="0.1", stop_loss=39_000)
    made.place_order(symbol=ETH, side="buy", type="limit", quantity=1, price=1_900)
    return made


def order_id(desk: Desk, symbol: str = ETH) -> str:
    return next(each["id"] for each in desk.snapshot().open_orders if each["symbol"] == symbol)


def of_btc(desk: Desk) -> Any:
    return next(each for each in desk.snapshot().positions if each["symbol"] == BTC)


@pytest.mark.parametrize("amount", ["250.5", -1])
def test_moved_margin_is_as_its_preview_says(desk: Desk, amount: object) -> None:
    desk.move_margin(BTC, 10)
    before = desk.snapshot()
    found = desk.preview_margin(BTC, amount)
    assert desk.snapshot() == before
    desk.move_margin(BTC, amount)
    position = of_btc(desk)
    assert found.isolated_margin == position["isolated_margin"]
    assert found.liquidation_price == position["liquidation_price"]
    assert found.available_after == desk.snapshot().available_balance
    assert (found.fee, found.realized_pnl, found.side) == (0, None, "long")
    assert found.display["liquidation_price"] == position["display"]["liquidation_price"]


def test_a_reversal_is_as_its_preview_says(desk: Desk) -> None:
    before = desk.snapshot()
    found = desk.preview_reversal(BTC)
    assert desk.snapshot() == before
    done = desk.reverse_position(BTC)
    position = of_btc(desk)
    assert (found.side, found.quantity, found.leverage) == ("short", Decimal("0.1"), 10)
    assert found.isolated_margin == position["isolated_margin"]
    assert found.liquidation_price == position["liquidation_price"]
    assert found.available_after == desk.snapshot().available_balance
    assert found.realized_pnl == sum(
        each.booking.amount for each in done.entries if each.booking.kind == "realized_pnl"
    )
    assert found.fee == sum(
        -each.booking.amount for each in done.entries if each.booking.kind == "fee"
    )


def test_an_amended_order_keeps_back_what_its_preview_says(desk: Desk) -> None:
    before = desk.snapshot()
    found = desk.preview_amendment(order_id(desk), price=1_800, quantity=2)
    assert desk.snapshot() == before
    assert (found.margin, found.affordable, found.fills_at_once) == (360, True, False)
    desk.amend_order(order_id(desk), price=1_800, quantity=2)
    order = next(each for each in desk.snapshot().open_orders if each["symbol"] == ETH)
    assert found.margin == order["reserved_margin"]
    assert desk.preview_amendment(order_id(desk), price=9_999).fills_at_once


def test_a_preview_says_what_cannot_be_paid(desk: Desk) -> None:
    found = desk.preview_amendment(order_id(desk), quantity=60)
    assert (found.margin, found.affordable) == (11_400, False)
    with pytest.raises(InsufficientBalance):
        desk.amend_order(order_id(desk), quantity=60)
    # What keeps back no more than before is never too much.
    desk.withdraw(desk.snapshot().available_balance)
    assert desk.preview_amendment(order_id(desk), price=1_850).affordable
    with pytest.raises(InsufficientBalance):
        desk.preview_margin(BTC, 1)
    with pytest.raises(InsufficientBalance):
        desk.preview_reversal(BTC)


def test_what_would_be_refused_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidAmount, match="At most"):
        desk.preview_margin(BTC, -300)
    for asked in (desk.preview_reversal, lambda of: desk.preview_margin(of, 1)):
        with pytest.raises(UnknownPosition):
            asked("SOL/USDT")
    with pytest.raises(UnknownOrder):
        desk.preview_amendment("7", price=1)


@pytest.mark.parametrize("is_beyond", [True, False])
def test_a_waiting_order_behind_the_liquidation_price_is_warned_of(
    desk: Desk, is_beyond: bool
) -> None:
    price = of_btc(desk)["liquidation_price"] + (-1 if is_beyond else 1)
    stop = {"symbol": BTC, "side": "sell", "type": "stop_market", "quantity": "0.1"}
    found = desk.preview_order(**stop, trigger_price=price)
    assert found.affordable
    assert ("would be liquidated first, and this order cancelled" in found.warning) == is_beyond


def test_a_waiting_flip_that_lacks_the_fee_of_what_it_closes_is_accepted_with_a_warning() -> None:
    terms = Terms(maker_fee=Decimal(0), taker_fee=Decimal("0.01"), slippage=Decimal(0))
    desk = Desk(MemoryStore(), board(terms=terms), lambda: Decimal(840))
    desk.reset(840)
    # 400 of margin, 40 of fee, 400 left; the loss to 36,200 leaves 20 of the margin.
    desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=10)
    flip = {"symbol": BTC, "side": "sell", "type": "stop_market", "quantity": "0.2"}
    found = desk.preview_order(**flip, trigger_price=36_200)
    # 362 of margin and a fee of 36.20 to be accepted; as much of a fee again for what it closes.
    assert (found.cost, found.available_after) == (Decimal("434.4"), Decimal("-14.4"))
    assert found.affordable
    assert "It is cancelled when it fills unless $14.40 more is available then" in found.warning
    desk.place_order(**flip, trigger_price=36_200)
