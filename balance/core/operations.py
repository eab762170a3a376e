"""Operations on the balance: pure functions from an account to its next state.

All amounts are in the quote currency. Each returns a :class:`Change`; none touches a clock or a
file. InvalidAmount is raised where an amount is no number or out of its range, InsufficientBalance
where more is needed than what is available.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Booking
from balance.core.errors import InsufficientBalance, InvalidAmount, NothingToUndo
from balance.core.figures import grouped
from balance.core.fills import Execution, apply_fill
from balance.core.market import Market
from balance.core.money import CURRENCY, DEFAULT_STARTING_BALANCE, LIMIT, ZERO, money
from balance.core.order import Order, Reason, closing_side
from balance.core.wallet import Wallet


def set_balance(account: Account, balance: object, note: str = "") -> Change:
    """The wallet balance is now ``balance``, at least the margin in use; the difference is booked
    as an adjustment."""
    target = _not_negative(balance, "balance")
    return adjust_by(account, target - account.wallet.balance, note)


def adjust(account: Account, amount: object, note: str = "") -> Change:
    """Book a gain (above zero) or a loss (below) from outside; it counts as P&L."""
    step = money(amount, "adjustment")
    if not step:
        raise InvalidAmount("The adjustment must not be zero.")
    return adjust_by(account, step, note)


def adjust_by(account: Account, amount: Decimal, note: str) -> Change:
    """Book an adjustment that may be zero."""
    return _book(account, "adjustment", amount, note)


def deposit(account: Account, amount: object, note: str = "") -> Change:
    """Put ``amount``, above zero, in; it is no gain."""
    return _book(account, "deposit", _positive(amount, "deposit"), note)


def withdraw(account: Account, amount: object, note: str = "") -> Change:
    """Take ``amount``, above zero and at most what is available, out; it is no loss."""
    step = _positive(amount, "withdrawal")
    return _book(account, "withdrawal", -step, note)


def reset(account: Account, balance: object = None, note: str = "") -> Change:
    """Close the epoch and open the next one with ``balance`` (None: 10,000.00).

    Open orders are cancelled; positions are closed at their last known mark price and their
    result is booked in the epoch that ends. The entry keeps the account as it was, so that the
    reset can be undone.
    """
    amount = DEFAULT_STARTING_BALANCE if balance is None else balance
    starting = _not_negative(amount, "starting balance")
    opened = Wallet.opened(account.wallet.epoch + 1, starting)
    booking = replace(_booking(opened, "reset", opened.balance, note), ended=account)
    after = Account(opened, leverages=account.leverages)
    return Change(after, (*close_positions(account, "reset").bookings, booking))


def close_positions(account: Account, reason: Reason) -> Change:
    """Close every position at its last known mark price, for ``reason``, one of ``ENDINGS``; it
    loses at most its isolated margin."""
    change = Change(account)
    for position in account.positions:
        order = Order(
            id=f"{reason} of {position.symbol}",
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
        change = change.then(apply_fill(change.account, execution))
    return change


def undo_reset(account: Account, opening: Booking | None, market: Market, note: str = "") -> Change:
    """Close the epoch as a reset does, and open the next one as the account that the reset ended:
    with all its totals, positions and orders. Leverages that were set since stay. ``opening`` is
    what opened the running epoch.

    What the market did meanwhile acts with the next quote: funding that fell due is settled, as
    the positions are held on; stops, limits and liquidations go by that quote alone.

    Raises:
        NothingToUndo: no reset opened the epoch, or what it ended can't go on in ``market``.
    """
    ended = _ended_account(account.wallet.epoch, opening)
    _check_market(ended, market)
    wallet = replace(ended.wallet, epoch=account.wallet.epoch + 1)
    back = replace(ended, wallet=wallet, leverages=account.leverages)
    text = f"Epoch {ended.wallet.epoch} goes on"
    booking = Booking(
        epoch=wallet.epoch,
        kind="undo",
        amount=wallet.balance,
        balance=wallet.balance,
        note=f"{text}. {note}" if note else text,
        restated=back,
        continues=ended.wallet.epoch,
    )
    return Change(back, (*close_positions(account, "undo").bookings, booking))


def can_undo(epoch: int, opening: Booking | None, market: Market) -> bool:
    """Whether ``opening``, which opened ``epoch``, is a reset that :func:`undo_reset` can undo."""
    try:
        _check_market(_ended_account(epoch, opening), market)
    except NothingToUndo:
        return False
    return True


def start_account(balance: Decimal = DEFAULT_STARTING_BALANCE) -> Change:
    """A new account: its first epoch, with ``balance`` to begin with."""
    wallet = Wallet.opened(1, _not_negative(balance, "starting balance"))
    return Change(Account(wallet), (_booking(wallet, "start", wallet.balance, ""),))


def restate(account: Account, kind: str, known_balance: Decimal, note: str) -> Change:
    """Take over ``account`` as it was stated from outside, and book the difference to the known
    balance as an entry of ``kind``; what its totals leave unexplained becomes an adjustment."""
    account = account.reconciled()
    wallet = account.wallet
    booking = _booking(wallet, kind, wallet.balance - known_balance, note)
    return Change(account, (replace(booking, restated=account),))


def _book(account: Account, kind: str, amount: Decimal, note: str) -> Change:
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


def _positive(value: object, what: str) -> Decimal:
    if (amount := money(value, what)) <= 0:
        raise InvalidAmount(f"The {what} must be above zero, not {grouped(amount)}.")
    return amount


def _not_negative(value: object, what: str) -> Decimal:
    if (amount := money(value, what)) < 0:
        raise InvalidAmount(f"The {what} must not be negative, not {grouped(amount)}.")
    return amount


def _ended_account(epoch: int, opening: Booking | None) -> Account:
    """The account that ``opening`` ended."""
    if opening is None:
        raise NothingToUndo(
            f"The ledger does not tell what opened epoch {epoch}. The history before it is kept."
        )
    if opening.epoch != epoch:
        raise NothingToUndo(
            f"Epoch {epoch} has just started. Look at the balance again before you undo."
        )
    if opening.ended is not None and opening.kind == "reset":
        return opening.ended
    raise NothingToUndo(f"There is no reset to undo: {_why_none(opening)}")


def _why_none(opening: Booking) -> str:
    epoch = f"epoch {opening.epoch}"
    match opening.kind:
        case "start":
            return f"{epoch} is the first of the account."
        case "undo":
            return f"that was done already, and {epoch} goes on where {opening.continues} ended."
        case "reset":
            return (
                f"the one that opened {epoch} was made by an older version, which did not keep "
                "what it ended. The history before it is kept."
            )
        case _:
            return f"what opened {epoch} was lost and repaired. The history that is left is kept."


def _check_market(ended: Account, market: Market) -> None:
    """Prove that what is open in ``ended`` can go on in ``market``; without a feed, any can."""
    for name, feed, symbol, since in _open(ended):
        if market.feed not in (None, feed):
            raise NothingToUndo(
                f"{name} was open on {feed} when the account was reset, but prices come from "
                f"{market.feed} now. Start with that feed again, then undo the reset."
            )
        if market.instruments and symbol not in market.instruments:
            raise NothingToUndo(
                f"{name} was open when the account was reset, but {symbol} has no prices now. "
                "Start with that symbol again, then undo the reset."
            )
        quote = market.quotes.get(symbol)
        if quote is not None and quote.time < since:
            raise NothingToUndo(
                f"{name} was open when the account was reset, but the market is at an earlier "
                f"time now than when it was opened. Wait until it is {since:%Y-%m-%d %H:%M} UTC "
                "there, then undo the reset."
            )


def _open(account: Account) -> Iterator[tuple[str, str, str, datetime]]:
    """What is open in ``account``: its name, feed and symbol, and its newest known moment."""
    for each in account.positions:
        newest = max(each.opened_at, each.funded_at)
        yield f"{each.symbol} {each.side}", each.feed, each.symbol, newest
    for order in account.orders:
        yield f"An order of {order.symbol}", order.feed, order.symbol, order.since
