"""Client ids: names that those who trade give their orders."""

from __future__ import annotations

from typing import Any

import pytest

from balance import Desk
from balance.core.errors import InvalidRequest, UnknownOrder
from balance.store.codec import FILL, ORDER
from balance.store.memory_store import MemoryStore
from tests.boards import board
from tests.markets import ETH


@pytest.fixture
def desk() -> Desk:
    return Desk(MemoryStore(), board())


def rest(desk: Desk, name: object, price: int = 1_900, **more: Any) -> str:
    outcome = desk.place_order(
        symbol=ETH, side="buy", type="limit", quantity=1, price=price, client_id=name, **more
    )
    return str(outcome.snapshot.open_orders[-1]["id"])


def test_an_order_is_amended_and_cancelled_by_its_name_and_its_fill_has_it(desk: Desk) -> None:
    rest(desk, "low-1")
    rest(desk, "low-2", 1_800)
    assert [each["client_id"] for each in desk.snapshot().open_orders] == ["low-1", "low-2"]
    desk.cancel_order("low-2")
    desk.amend_order("low-1", price=1_850)
    (order,) = desk.snapshot().open_orders
    assert (order["client_id"], order["price"]) == ("low-1", 1_850)
    filled = desk.amend_order("low-1", price=2_100)
    (fill,) = [each.booking.fill for each in filled.entries if each.booking.fill]
    assert fill.client_id == "low-1"
    assert FILL.decode(FILL.encode(fill)) == fill
    with pytest.raises(UnknownOrder):
        desk.cancel_order("low-1")
    rest(desk, "low-1")  # It is free again.


def test_a_name_is_that_of_one_open_order(desk: Desk) -> None:
    order_id = rest(desk, "low-1")
    for taken in ("low-1", order_id):
        with pytest.raises(InvalidRequest, match=r"is called .* already"):
            rest(desk, taken, 1_700)
    assert len(desk.snapshot().open_orders) == 1


@pytest.mark.parametrize("name", ["", "a" * 37, "with space", "ä", "line\n", 7, True], ids=repr)
def test_what_is_no_name_is_refused(desk: Desk, name: object) -> None:
    with pytest.raises(InvalidRequest, match="client_id must be 1 to 36"):
        rest(desk, name)


def test_an_order_without_a_name_is_written_as_before(desk: Desk) -> None:
    rest(desk, None)
    (order,) = desk.account().orders
    assert "client_id" not in ORDER.encode(order)
    with pytest.raises(UnknownOrder):
        desk.cancel_order("")
