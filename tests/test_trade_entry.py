"""The entry of a closed trade: the average over all that was ever bought into it, or sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Entry
from balance.core.fills import Execution, apply_fill
from balance.core.instruments import KNOWN
from balance.core.margin import sign
from balance.core.matching import liquidate
from balance.core.money import ZERO, exact
from balance.core.operations import reset, undo_reset
from balance.core.trade import Trade
from balance.history.rows import closed_trade_row
from balance.store.codec import (
    FILL,
    POSITION,
)
from tests.accounts import MOMENT, account, order
from tests.markets import BTC, market

# Buy 1 at 40,000, sell 0.5 at 44,000, buy 0.5 at 48,000; closed at 52,000 the entry is
# (40,000 + 24,000) / 1.5.
STEPS = (("buy", "1", 40_000), ("sell", "0.5", 44_000), ("buy", "0.5", 48_000))
ENTRY = Decimal("42666.66666666667")


def d(number: object) -> Decimal:
    return Decimal(str(number))


def traded(of: Account, side: str, quantity: object, price: object, **changes: Any) -> Change:
    usual = {"id": "o-9", "symbol": BTC, "type": "market", "price": None, "reserved_margin": ZERO}
    execution = Execution(
        order=order(**{**usual, "side": side, "quantity": d(quantity), **changes}),
        quantity=d(quantity),
        price=d(price),
        fee=ZERO,
        liquidity="taker",
        time=MOMENT,
    )
    with exact():
        return apply_fill(of, execution, KNOWN[BTC].brackets)


def held(steps: Any = STEPS, leverage: object = 10) -> Account:
    """An account in which ``steps`` were traded."""
    of = account(10**6)
    for side, quantity, price in steps:
        of = traded(of, side, quantity, price, leverage=d(leverage)).account
    return of


def mirrored() -> list[tuple[str, str, int]]:
    """The same trade on the other side, at prices that fall as the others rise."""
    other = {"buy": "sell", "sell": "buy"}
    return [(other[side], quantity, 80_000 - price) for side, quantity, price in STEPS]


def trades(change: Change) -> list[Trade]:
    """What the entries of ``change`` say of trades that ended."""
    fills = [booking.fill for booking in change.bookings if booking.fill is not None]
    return [fill.trade for fill in fills if fill.trade is not None]


def is_explained(trade: Trade) -> bool:
    """Whether side * (exit - entry) * quantity is the gross P&L, but for rounded prices."""
    with exact():
        told = sign(trade.side) * (trade.exit_price - trade.entry_price) * trade.quantity
        rounding = trade.quantity * (trade.entry_price + trade.exit_price) * d("1e-15") + d("1e-6")
        return abs(told - trade.gross) <= rounding


def test_the_entry_of_a_trade_is_the_average_of_all_its_entries() -> None:
    (trade,) = trades(traded(held(), "sell", 1, 52_000))
    assert (trade.quantity, trade.entry_price, trade.gross) == (d("1.5"), ENTRY, 10_000)
    assert is_explained(trade)


def test_the_entry_of_a_short_is_the_average_of_all_its_entries() -> None:
    (trade,) = trades(traded(held(mirrored()), "buy", 1, 28_000))
    assert (trade.side, trade.entry_price, trade.gross) == ("short", d("37333.33333333333"), 10_000)
    assert is_explained(trade)


def test_a_trade_that_was_only_added_to_has_the_entry_of_its_position() -> None:
    of = held([("buy", "1", "40000.1"), ("buy", "0.5", "43000.4")])
    (trade,) = trades(traded(of, "sell", "1.5", 44_000))
    assert trade.entry_price == d("41000.2")


def test_a_trade_that_was_only_reduced_keeps_its_entry_to_the_digit() -> None:
    of = held([("buy", "0.7", "40000.1"), ("sell", "0.3", "40000.3"), ("sell", "0.3", "40000.7")])
    (trade,) = trades(traded(of, "sell", "0.1", 44_000))
    assert trade.entry_price == d("40000.1")


def test_a_flip_ends_the_trade_with_its_entry_and_begins_another_one() -> None:
    change = traded(held(), "sell", "1.2", 52_000)
    (trade,) = trades(change)
    assert (trade.entry_price, trade.gross) == (ENTRY, 10_000)
    (last,) = trades(traded(change.account, "buy", "0.2", 51_000))
    assert (last.side, last.entry_price, last.gross) == ("short", 52_000, 200)


@pytest.mark.parametrize("steps", [STEPS, mirrored()])
def test_a_liquidation_after_a_partial_close_explains_what_was_lost(steps: Any) -> None:
    of = held(steps)
    (position,) = of.positions
    (trade,) = trades(liquidate(of, position))
    expected = ENTRY if position.side == "long" else d("37333.33333333333")
    assert trade.entry_price == expected
    assert trade.gross == 2_000 - position.isolated_margin
    assert is_explained(trade)


def test_a_reset_ends_the_trade_with_the_entry_of_all() -> None:
    with exact():
        (trade,) = trades(reset(held(), d(10_000)))
    assert trade.entry_price == ENTRY
    assert is_explained(trade)


def test_an_undone_reset_gives_back_what_the_entry_is_made_of() -> None:
    of = held()
    with exact():
        new = reset(of, d(10_000))
        back = undo_reset(new.account, new.bookings[-1], market())
    (trade,) = trades(traded(back.account, "sell", 1, 52_000))
    assert trade.entry_price == ENTRY


@pytest.mark.parametrize(
    ("steps", "closing", "price"),
    [(STEPS, "sell", 30_000), (mirrored(), "buy", 55_000)],
)
def test_a_close_beyond_bankruptcy_counts_as_one_at_the_bankruptcy_price(
    steps: Any, closing: str, price: int
) -> None:
    of = held(steps)
    (part,) = [traded(of, closing, "0.4", price)]
    change = traded(part.account, closing, "0.6", price)
    (trade,) = trades(change)
    assert trade.gross == 2_000 - of.positions[0].isolated_margin
    assert is_explained(trade)


def test_the_row_of_a_trade_shows_the_entry_of_all() -> None:
    booking = traded(held(), "sell", 1, 52_000).bookings[0]
    entry = Entry(revision=2, line=1, time=MOMENT, source="http", booking=booking)
    row = closed_trade_row(entry)
    assert (row["entry_price"], row["gross"]) == (ENTRY, 10_000)


def test_a_position_of_an_older_version_is_read_with_what_it_had_paid() -> None:
    (position,) = held().positions
    written = POSITION.encode(position)
    assert POSITION.decode(written) == position
    del written["closed_cost"]
    assert POSITION.decode(written) == position


def test_a_position_of_an_older_version_that_was_only_reduced_keeps_its_entry() -> None:
    of = held([("buy", "0.7", "40000.123456"), ("sell", "0.3333", "40000.3")])
    written = POSITION.encode(of.positions[0])
    del written["closed_cost"]
    assert POSITION.decode(written) == of.positions[0]


def test_a_position_of_the_oldest_version_is_read_without_what_was_closed() -> None:
    written = POSITION.encode(held().positions[0])
    for name in ("closed_cost", "closed_value", "closed_quantity"):
        del written[name]
    assert POSITION.decode(written).closed_cost == 0


def test_a_trade_of_an_older_ledger_is_read_with_the_entry_that_explains_it() -> None:
    fill = traded(held(), "sell", 1, 52_000).bookings[0].fill
    assert fill is not None
    written = FILL.encode(fill)
    assert FILL.decode(written) == fill
    old = {**written, "trade": {**written["trade"], "entry_price": "44000.00"}}
    trade = FILL.decode(old).trade
    assert trade is not None
    assert abs(trade.entry_price - ENTRY) < d("1e-9")
    assert is_explained(trade)


def test_a_trade_of_the_oldest_ledger_keeps_its_entry_where_its_parts_were_not_counted() -> None:
    fill = traded(held([("buy", "1", 40_000)]), "sell", 1, 44_000).bookings[0].fill
    assert fill is not None
    written = FILL.encode(fill)
    # half of it was closed by a version that did not count what was closed, for 2,000
    old = {**written, "trade": {**written["trade"], "gross": "6000.00"}}
    trade = FILL.decode(old).trade
    assert trade is not None
    assert trade.entry_price == 40_000


def test_a_position_of_ten_thousand_billion_units_is_read_back() -> None:
    of = held([("buy", "30000000000000", "1.2e-9"), ("sell", "10000000000000", "1.3e-9")])
    (position,) = of.positions
    assert POSITION.decode(POSITION.encode(position)) == position


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["buy", "sell"]),
            st.decimals(d("0.001"), d(3), places=3),
            st.decimals(d(100), d(900), places=2),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 100),
    st.sampled_from(["close", "liquidation", "reset"]),
)
def test_the_entry_of_any_trade_explains_its_gross_pnl(
    steps: list[tuple[str, Decimal, Decimal]], leverage: int, end: str
) -> None:
    of, ended = account(10**6), list[Trade]()
    entries: tuple[Decimal, Decimal] = (ZERO, ZERO)
    for side, quantity, price in steps:
        before = of.position(BTC)
        change = traded(of, side, quantity, price, leverage=d(leverage))
        of = change.account
        opens = before is None or (before.side == "long") == (side == "buy")
        closing = ZERO if opens or before is None else min(quantity, before.quantity)
        if before is not None and closing == before.quantity:
            (trade,) = trades(change)
            assert trade.quantity == entries[0]
            assert abs(trade.entry_price * trade.quantity - entries[1]) <= d("1e-9")
            entries = (ZERO, ZERO)
        entries = entries[0] + quantity - closing, entries[1] + (quantity - closing) * price
        ended += trades(change)
        (position,) = of.positions or (None,)
        if position is not None:
            written = POSITION.encode(position)
            assert POSITION.decode(written) == position
    if (position := of.position(BTC)) is not None:
        with exact():
            if end == "liquidation":
                ended += trades(liquidate(of, position))
            elif end == "reset":
                ended += trades(reset(of, d(10_000)))
            else:
                side = "sell" if position.side == "long" else "buy"
                ended += trades(traded(of, side, position.quantity, 400))
    assert all(map(is_explained, ended))
