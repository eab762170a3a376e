"""Whose a position is: one owner a symbol, and what a trade brought its owner."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from balance.core.account import Account
from balance.core.errors import NotYours
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.orders import close_position, place_order
from balance.core.ticket import Ticket
from balance.core.trade import Trade
from balance.store.codec import (
    FILL,
    ORDER,
    POSITION,
)
from tests.accounts import MOMENT, account, order, position
from tests.markets import BTC, FREE, market, quote

BOT = "trend-1"


def buy(of: Account, *, at: Market | None = None, **members: Any) -> Account:
    """``of`` after an order of 0.1 BTC at 2x."""
    usual = {"symbol": BTC, "side": "buy", "quantity": Decimal("0.1"), "leverage": Decimal(2)}
    ticket = Ticket(**{**usual, **members})
    return place_order(of, ticket, at or market(terms=FREE), "o-1", MOMENT).account


def trade_of(change: Any) -> Trade | None:
    fills = [booking.fill for booking in change.bookings if booking.fill is not None]
    trade: Trade | None = fills[-1].trade
    return trade


def test_a_position_belongs_to_the_bot_that_opened_it_and_so_do_its_exits() -> None:
    held = buy(account(), owner=BOT, because="Rose", stop_loss=Decimal(30_000)).position(BTC)
    assert held is not None
    assert (held.owner, held.opened_because) == (BOT, "Rose")
    after = buy(account(), owner=BOT, stop_loss=Decimal(30_000), take_profit=Decimal(50_000))
    assert {each.owner for each in after.orders} == {BOT}


@pytest.mark.parametrize(("first", "second"), [(BOT, ""), ("", BOT), (BOT, "other-2")])
def test_nobody_adds_to_or_turns_what_another_one_holds(first: str, second: str) -> None:
    held = buy(account(), owner=first)
    for side in ("buy", "sell"):
        with pytest.raises(NotYours) as refused:
            buy(held, owner=second, side=side)
        assert refused.value.owner == first


def test_an_open_order_that_would_open_keeps_the_symbol_for_its_owner() -> None:
    resting = buy(account(), type="limit", price=Decimal(30_000))
    with pytest.raises(NotYours):
        buy(resting, owner=BOT)


def test_a_person_may_close_what_a_bot_holds_but_no_bot_what_a_person_holds() -> None:
    free = market(terms=FREE)
    assert not close_position(buy(account(), owner=BOT), BTC, free, "o-2", MOMENT).account.positions
    with pytest.raises(NotYours):
        buy(buy(account()), owner=BOT, side="sell", reduce_only=True)


def test_the_last_fill_tells_the_whole_trade() -> None:
    held = buy(account(), owner=BOT, because="Rose")
    later = MOMENT + timedelta(minutes=7)
    half = market(quote(mark=41_000, time=MOMENT + timedelta(minutes=5)), terms=FREE)
    first = close_position(held, BTC, half, "o-2", MOMENT, percent=Decimal(50))
    assert trade_of(first) is None
    full = market(quote(mark=43_000, time=later), terms=FREE)
    trade = trade_of(close_position(first.account, BTC, full, "o-3", MOMENT))
    assert trade is not None
    # 0.05 went at 41,000 and 0.05 at 43,000, all bought at 40,000
    assert trade.pnl == trade.gross == Decimal(200)
    assert (trade.entry_price, trade.exit_price) == (40_000, 42_000)
    assert (trade.quantity, trade.side, trade.owner) == (Decimal("0.1"), "long", BOT)
    assert trade.closed_at - trade.opened_at == timedelta(minutes=7)
    assert trade.opened_because == "Rose"


def test_a_trade_bears_its_fees_and_its_funding() -> None:
    held = position(
        owner=BOT, fees_paid=Decimal(3), funding=Decimal("-1.5"), mark_price=Decimal(41_000)
    )
    change = close_position(
        account(positions=(held,)), BTC, market(quote(mark=41_000)), "o-2", MOMENT
    )
    fill = next(booking.fill for booking in change.bookings if booking.fill is not None)
    assert fill.trade is not None
    assert fill.trade.fees == 3 + fill.fee
    assert fill.trade.pnl == fill.position_pnl == fill.realized_pnl - fill.fee - 3 - Decimal("1.5")


@pytest.mark.parametrize(
    ("mark", "because"), [(38_000, "Stop-loss"), (45_000, "Take-profit"), (15_000, "Liquidation")]
)
def test_a_trade_says_what_ended_it(mark: int, because: str) -> None:
    held = buy(account(), owner=BOT, stop_loss=Decimal(39_000), take_profit=Decimal(44_000))
    trade = trade_of(advance(held, market(quote(mark=mark), terms=FREE), {}))
    assert trade is not None
    assert (trade.owner, trade.closed_because) == (BOT, because)


def test_what_older_versions_wrote_is_the_persons() -> None:
    new = {"owner", "opened_because", "closed_quantity", "closed_cost", "closed_value"}
    old = {name: v for name, v in POSITION.encode(position()).items() if name not in new}
    assert POSITION.decode(old) == position()
    old = {n: v for n, v in ORDER.encode(order()).items() if n not in ("owner", "because")}
    assert ORDER.decode(old) == order()


def test_a_fill_with_its_trade_is_read_back_as_it_was_written() -> None:
    held = buy(account(), owner=BOT, because="Rose")
    change = close_position(held, BTC, market(quote(mark=41_000)), "o-2", MOMENT)
    fill = next(booking.fill for booking in change.bookings if booking.fill is not None)
    written = json.loads(json.dumps(FILL.encode(fill)))
    assert FILL.decode(written) == fill
    old = {n: v for n, v in written.items() if n not in ("owner", "filled_at", "trade")}
    assert FILL.decode(old).trade is None
