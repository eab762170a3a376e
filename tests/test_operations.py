"""Each operation does what its name says, says no with figures, and books every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core import operations
from balance.core.account import Account
from balance.core.change import Change, Operation
from balance.core.entry import Entry, replay
from balance.core.errors import (
    AccountingError,
    BalanceError,
    InsufficientBalance,
    InvalidAmount,
)
from balance.core.money import LIMIT, ZERO, exact
from balance.core.wallet import Wallet
from balance.store.state import State, first_state, next_state
from tests.accounts import MOMENT, account, explained, order, position

AMOUNT_OPERATIONS = [
    operations.set_balance,
    operations.adjust,
    operations.deposit,
    operations.withdraw,
    operations.reset,
]


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def only(change: Change) -> tuple[str, Decimal, Decimal, str]:
    """What the one booking of ``change`` says."""
    (booking,) = change.bookings
    assert booking.epoch == change.account.wallet.epoch
    return booking.kind, booking.amount, booking.balance, booking.note


def test_a_new_account_begins_with_ten_thousand() -> None:
    change = operations.start_account()
    assert only(change) == ("start", 10_000, 10_000, "")
    assert change.account == account(10_000)


def test_set_books_the_difference_as_an_adjustment() -> None:
    change = operations.set_balance(account(10_000), "9876.54321", "from my bot")
    assert only(change) == (
        "adjustment",
        Decimal("-123.45679"),
        Decimal("9876.54321"),
        "from my bot",
    )
    assert change.account.wallet.adjustments == Decimal("-123.45679")
    assert change.account.pnl == Decimal("-123.45679")


def test_setting_the_same_balance_books_nothing_but_a_line() -> None:
    assert only(operations.set_balance(account(250), 250)) == ("adjustment", 0, 250, "")


def test_set_takes_zero_and_refuses_less() -> None:
    assert operations.set_balance(account(), 0).account.wallet.balance == 0
    with pytest.raises(InvalidAmount, match=r"must not be negative, not -0\.01"):
        operations.set_balance(account(), "-0.01")


def test_an_adjustment_is_a_gain_or_a_loss() -> None:
    gain = operations.adjust(account(100), "0.00000001", "dust")
    assert only(gain) == ("adjustment", Decimal("1E-8"), Decimal("100.00000001"), "dust")
    loss = operations.adjust(account(100), -100)
    assert (loss.account.wallet.balance, loss.account.pnl) == (0, -100)
    assert loss.account.pnl_percent == -100


@pytest.mark.parametrize("nothing", [0, "0.000000004", -0.0])
def test_an_adjustment_by_nothing_is_refused(nothing: object) -> None:
    with pytest.raises(InvalidAmount, match="must not be zero"):
        operations.adjust(account(), nothing)


def test_a_deposit_and_a_withdrawal_are_no_gain_and_no_loss() -> None:
    deposited = operations.deposit(account(100), 50, "pay day")
    assert only(deposited) == ("deposit", 50, 150, "pay day")
    withdrawn = operations.withdraw(deposited.account, 120)
    assert only(withdrawn) == ("withdrawal", -120, 30, "")
    wallet = withdrawn.account.wallet
    assert (wallet.deposits, wallet.withdrawals, wallet.capital) == (50, 120, 30)
    assert (withdrawn.account.pnl, withdrawn.account.pnl_percent) == (0, 0)


@pytest.mark.parametrize("operation", [operations.deposit, operations.withdraw])
@pytest.mark.parametrize("amount", [0, -5, "0.000000004"])
def test_only_amounts_above_zero_move_in_or_out(operation: Any, amount: object) -> None:
    with pytest.raises(InvalidAmount, match="must be above zero"):
        operation(account(), amount)


@pytest.mark.parametrize("operation", AMOUNT_OPERATIONS)
@pytest.mark.parametrize("amount", [True, "much", float("nan"), 10**13, [5]])
def test_no_operation_takes_what_is_no_amount(operation: Any, amount: object) -> None:
    with pytest.raises(InvalidAmount):
        operation(account(), amount)


@pytest.mark.parametrize(
    ("operation", "required"),
    [
        (partial(operations.withdraw, amount="5150.01"), "5150.01"),
        (partial(operations.adjust, amount="-5150.01"), "5150.01"),
        (partial(operations.set_balance, balance="949.99"), "5150.01"),
    ],
)
def test_the_margin_in_use_can_not_be_taken_away(operation: Operation, required: str) -> None:
    trading = account(6_100, positions=(position(),), orders=(order(),))
    with pytest.raises(InsufficientBalance, match=r"needs 5,150\.01 USDT") as refused:
        operation(trading)
    assert (refused.value.required, refused.value.available) == (Decimal(required), 5_150)
    assert "5,150.00" in str(refused.value)


def test_all_that_is_available_can_be_taken() -> None:
    trading = account(1_100, positions=(position(),), orders=(order(),))
    taken = operations.withdraw(trading, 150).account
    assert (taken.wallet.balance, taken.available_balance) == (950, 0)
    assert taken.positions == trading.positions
    assert taken.orders == trading.orders


def test_unrealised_gains_are_no_money_to_take() -> None:
    rich = account(800, positions=(position(mark_price=Decimal(90_000)),))
    assert rich.equity == 5_800
    with pytest.raises(InsufficientBalance):
        operations.withdraw(rich, 1)


def test_no_balance_grows_beyond_the_limit() -> None:
    full = operations.set_balance(account(), LIMIT).account
    with pytest.raises(InvalidAmount, match=r"would be 1,000,000,000,000\.00000001 USDT"):
        operations.deposit(full, "0.00000001")


def test_positions_and_orders_make_up_equity_and_margin() -> None:
    short = position(
        symbol="ETH/USDT",
        side="short",
        quantity=Decimal(2),
        entry_price=Decimal(1_500),
        mark_price=Decimal(1_520),
        isolated_margin=Decimal(600),
        maintenance_rate=Decimal("0.01"),
        maintenance_amount=Decimal(5),
    )
    trading = account(10_000, positions=(position(), short), orders=(order(),))
    assert trading.unrealized_pnl == 100 - 40
    assert trading.equity == 10_060
    assert trading.used_margin == 800 + 600 + 150
    assert trading.available_balance == 8_450
    assert trading.maintenance_margin == Decimal("16.4") + Decimal("25.4")
    assert trading.pnl == 60
    assert trading.pnl_percent == Decimal("0.6")
    trading.check()


def test_maintenance_margin_is_never_negative() -> None:
    assert position(maintenance_amount=Decimal(1_000)).maintenance_margin == 0


def test_an_account_with_more_margin_than_money_is_a_fault() -> None:
    with pytest.raises(AccountingError, match=r"700\.00 is less than the margin in use, 800\.00"):
        account(700, positions=(position(),)).check()


def test_a_reset_opens_the_next_epoch_with_ten_thousand() -> None:
    change = operations.reset(operations.deposit(account(5), 5).account, note="anew")
    assert only(change) == ("reset", 10_000, 10_000, "anew")
    assert change.account == Account(Wallet.opened(2, Decimal(10_000)))
    assert operations.reset(account(), 0).account.wallet.balance == 0
    with pytest.raises(InvalidAmount, match="must not be negative"):
        operations.reset(account(), -1)


def test_a_reset_closes_positions_at_mark_and_books_them_in_the_old_epoch() -> None:
    lost = position(symbol="ETH/USDT", side="short", mark_price=Decimal(60_000))
    trading = account(2_000, positions=(position(), lost), orders=(order(),))
    change = operations.reset(trading, 500)
    assert [(b.epoch, b.kind, b.amount, b.balance) for b in change.bookings] == [
        (1, "fill", 0, 2_000),
        (1, "realized_pnl", 100, 2_100),
        (1, "fill", 0, 2_100),
        # 2,000 by its price, but its margin is all that a position can lose
        (1, "realized_pnl", -800, 1_300),
        (2, "reset", 500, 500),
    ]
    assert change.bookings[0].note == "Sold 0.1 BTC/USDT at 41,000 (reset)"
    assert change.bookings[1].note == "Closed 0.1 BTC/USDT at 41,000"
    assert (change.account.positions, change.account.orders) == ((), ())


def test_what_is_restated_from_outside_is_explained_by_an_adjustment() -> None:
    edited = replace(account(100), wallet=replace(account(100).wallet, balance=Decimal(75)))
    change = operations.restate(edited, "external_edit", Decimal(100), "was edited")
    assert only(change) == ("external_edit", -25, 75, "was edited")
    assert change.account.wallet.adjustments == -25
    assert change.bookings[0].restated == change.account
    change.account.check()


def test_a_balance_that_is_not_explained_is_a_fault() -> None:
    with pytest.raises(AccountingError, match=r"90\.00 is not the sum of its parts, 100\.00"):
        replace(account(100).wallet, balance=Decimal(90)).check()
    with pytest.raises(AccountingError, match="negative"):
        Wallet.opened(1, Decimal(-1)).check()


def test_percent_of_no_capital_is_unknown() -> None:
    assert operations.adjust(account(0), 5).account.pnl_percent is None


steps = st.tuples(
    st.sampled_from(AMOUNT_OPERATIONS),
    st.decimals(min_value=-12_000, max_value=12_000, places=9)
    | st.sampled_from([0, "0.00000001", LIMIT, "1e13", True]),
)
trades = st.builds(
    position,
    symbol=st.sampled_from(["BTC/USDT", "ETH/USDT", "SOL/USDT"]),
    side=st.sampled_from(["long", "short"]),
    mark_price=st.decimals(min_value="0.01", max_value=90_000, places=7),
    isolated_margin=st.decimals(min_value=0, max_value=2_000, places=8),
)


@given(
    st.lists(trades, max_size=3, unique_by=lambda each: each.symbol), st.lists(steps, max_size=20)
)
def test_after_any_sequence_the_account_explains_itself(
    positions: list[Any], sequence: list[tuple[Any, object]]
) -> None:
    state = first_state("a", operations.start_account(), MOMENT, "program")
    state = replace(state, account=replace(state.account, positions=tuple(positions)))
    entries: list[Entry] = list(state.entries)
    begun = state.account
    for operation, amount in sequence:
        with localcontext() as context:
            context.prec = 6
            state = _stepped(state, partial(operation, **{_amount_name(operation): amount}))
        if state.revision > entries[-1].revision:
            entries += state.entries
        wallet = state.account.wallet
        epoch = [e.booking for e in entries if e.booking.epoch == wallet.epoch]
        assert wallet.balance == explained(wallet) == sum((b.amount for b in epoch), ZERO)
        assert wallet.balance == epoch[-1].balance >= 0
        assert state.account.available_balance >= 0
        assert state.account.equity == wallet.balance + state.account.unrealized_pnl
        assert replay(entries[1:], begun) == state.account


def _amount_name(operation: Any) -> str:
    return "amount" if operation.__name__ in ("adjust", "deposit", "withdraw") else "balance"


def _stepped(state: State, operation: Operation) -> State:
    try:
        return next_state(state, operation, MOMENT, "program")
    except AccountingError:
        raise
    except BalanceError:
        return state
