"""What keeps an order back or lets it through: open orders, nothing free, the end of a market."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from balance.core.account import Account
from balance.core.errors import InvalidAmount, InvalidRequest, NoLivePrice
from balance.core.orders import close_position, place_order
from balance.core.ticket import Ticket
from tests.accounts import MOMENT, account, position
from tests.markets import BTC, FREE, market, quote

MARKET = market(quote(BTC, 40_000), terms=FREE)
ENDED = replace(MARKET, state="ended", live=frozenset(), message="The replay has ended.")


def _limit(quantity: str, price: int, **more: Any) -> Ticket:
    return Ticket(
        symbol=BTC,
        side="buy",
        type="limit",
        quantity=Decimal(quantity),
        price=Decimal(price),
        leverage=Decimal(150),
        **more,
    )


def _placed(of: Account, ticket: Ticket, id: str) -> Account:
    return place_order(of, ticket, MARKET, id, MOMENT).account


def test_orders_that_wait_count_for_the_leverage_that_a_position_may_have() -> None:
    # at 150x a position in BTC may be worth less than 300,000 USDT
    waiting = _placed(account(100_000), _limit("4", 39_000), "a")
    with pytest.raises(InvalidRequest, match=r"310,000\.00 USDT in BTC/USDT, open orders counted"):
        _placed(waiting, _limit("4", 38_750), "b")
    assert len(_placed(waiting, _limit("2", 38_750), "b").orders) == 2


def test_a_share_of_nothing_is_refused_in_words() -> None:
    of = account(800, positions=(position(leverage=Decimal(10)),))
    assert of.available_balance == 0
    ticket = Ticket(symbol=BTC, side="buy", percent=Decimal(50))
    with pytest.raises(InvalidAmount, match="Nothing is available for this order"):
        place_order(of, ticket, MARKET, "a", MOMENT)


def test_at_the_end_of_a_replay_a_position_is_closed_at_its_last_price() -> None:
    of = account(positions=(position(),))
    change = close_position(of, BTC, ENDED, "a", MOMENT)
    fill = change.bookings[0].fill
    assert fill is not None
    assert (fill.price, fill.quantity, fill.realized_pnl) == (40_000, Decimal("0.1"), 0)
    assert change.account.positions == ()


@pytest.mark.parametrize("ticket", [_limit("0.1", 39_000), Ticket(symbol=BTC, side="buy")])
def test_at_the_end_of_a_replay_nothing_is_opened_and_nothing_waits(ticket: Ticket) -> None:
    with pytest.raises(NoLivePrice, match=r"The replay has ended\."):
        place_order(account(), replace(ticket, quantity=Decimal("0.1")), ENDED, "a", MOMENT)


def test_prices_that_only_stopped_close_nothing() -> None:
    stale = replace(ENDED, state="stale")
    with pytest.raises(NoLivePrice):
        close_position(account(positions=(position(),)), BTC, stale, "a", MOMENT)
