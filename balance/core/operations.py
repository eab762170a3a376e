"""What can be done to an account: pure functions from an account to its next state.

All amounts are in the quote currency. Each returns a :class:`Change`; none touches a clock or a
file, and what is refused raises an error that carries the figures.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Booking
from balance.core.errors import InsufficientBalance, InvalidAmount
from balance.core.figures import grouped
from balance.core.fills import Execution, apply_fill
from balance.core.money import CURRENCY, DEFAULT_STARTING_BALANCE, LIMIT, ZERO, money
from balance.core.order import Order, Reason, closing_side
from balance.core.position import Position
from balance.core.wallet import Wallet


def set_balance(account: Account, balance: object, note: str = "") -> Change:
    """The wallet balance is now ``balance``; the difference is booked as an adjustment.

    Raises:
        InvalidAmount: not a number, or negative.
        InsufficientBalance: less than the margin in use.
    """
    target = _not_negative(money(balance, "balance"), "balance")
    return adjust_by(account, target - account.wallet.balance, note)


def adjust(account: Account, amount: object, note: str = "") -> Change:
    """Book a gain (above zero) or a loss (below) from outside; it counts as P&L.

    Raises:
        InvalidAmount: not a number, or zero.
        InsufficientBalance: a loss larger than what is available.
    """
    step = money(amount, "adjustment")
    if not step:
        raise InvalidAmount("The adjustment must not be zero.")
    return adjust_by(account, step, note)


def adjust_by(account: Account, amount: Decimal, note: str) -> Change:
    """Book an adjustment that may be zero."""
    return _booked(account, "adjustment", amount, note)


def deposit(account: Account, amount: object, note: str = "") -> Change:
    """Put money in; it is no gain.

    Raises:
        InvalidAmount: not a number, or not above zero.
    """
    return _booked(account, "deposit", _positive(money(amount, "deposit"), "deposit"), note)


def withdraw(account: Account, amount: object, note: str = "") -> Change:
    """Take money out; it is no loss.

    Raises:
        InvalidAmount: not a number, or not above zero.
        InsufficientBalance: more than is available.
    """
    step = _positive(money(amount, "withdrawal"), "withdrawal")
    return _booked(account, "withdrawal", -step, note)


def reset(account: Account, balance: object = None, note: str = "") -> Change:
    """Close the epoch and open the next one with ``balance`` (None: 10,000.00).

    Open orders are cancelled; positions are closed at their last known mark price and their
    result is booked in the epoch that ends. The entry keeps the account as it was, so that the
    reset can be undone.

    Raises:
        InvalidAmount: not a number, or negative.
    """
    wanted = DEFAULT_STARTING_BALANCE if balance is None else balance
    starting = _not_negative(money(wanted, "starting balance"), "starting balance")
    opened = Wallet.opened(account.wallet.epoch + 1, starting)
    booking = replace(_booking(opened, "reset", opened.balance, note), ended=account)
    return Change(Account(opened), (*close_positions(account, "reset").bookings, booking))


def close_positions(account: Account, reason: Reason) -> Change:
    """Close every position at its last known mark price, for ``reason``, one of ``ENDINGS``; it
    loses at most its isolated margin."""
    change = Change(account)
    for position in account.positions:
        change = change.then(_closed(change.account, position, reason))
    return change


def start_account(balance: Decimal = DEFAULT_STARTING_BALANCE) -> Change:
    """A new account: its first epoch, with ``balance`` to begin with."""
    wallet = Wallet.opened(1, _not_negative(money(balance, "starting balance"), "starting balance"))
    return Change(Account(wallet), (_booking(wallet, "start", wallet.balance, ""),))


def restate(account: Account, kind: str, known_balance: Decimal, note: str) -> Change:
    """Take ``account`` as somebody stated it from outside, and book the difference to what was
    known as an entry of ``kind``; what its totals leave unexplained becomes an adjustment."""
    account = account.reconciled()
    wallet = account.wallet
    booking = _booking(wallet, kind, wallet.balance - known_balance, note)
    return Change(account, (replace(booking, restated=account),))


def _booked(account: Account, kind: str, amount: Decimal, note: str) -> Change:
    if amount < 0 and account.available_balance + amount < 0:
        raise InsufficientBalance(-amount, account.available_balance)
    change = Change(account).booked(kind, amount, note)
    balance = change.account.wallet.balance
    if balance > LIMIT:
        raise InvalidAmount(
            f"The balance would be {grouped(balance)} {CURRENCY}; at most {LIMIT:,} may be."
        )
    return change


def _booking(wallet: Wallet, kind: str, amount: Decimal, note: str) -> Booking:
    return Booking(epoch=wallet.epoch, kind=kind, amount=amount, balance=wallet.balance, note=note)


def _closed(account: Account, position: Position, reason: Reason) -> Change:
    order = Order(
        id=reason,
        symbol=position.symbol,
        feed=position.feed,
        side=closing_side(position.side),
        type="market",
        quantity=position.quantity,
        leverage=position.leverage,
        reduce_only=True,
        placed_at=position.marked_at,
    )
    execution = Execution(
        order=order,
        quantity=position.quantity,
        price=position.mark_price,
        fee=ZERO,
        liquidity="taker",
        time=position.marked_at,
        reason=reason,
    )
    return apply_fill(account, execution)


def _positive(amount: Decimal, what: str) -> Decimal:
    if amount <= 0:
        raise InvalidAmount(f"The {what} must be above zero, not {grouped(amount)}.")
    return amount


def _not_negative(amount: Decimal, what: str) -> Decimal:
    if amount < 0:
        raise InvalidAmount(f"The {what} must not be negative, not {grouped(amount)}.")
    return amount
