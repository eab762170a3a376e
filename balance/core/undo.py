"""Undoing a reset: the account that it ended goes on, under the number of a new epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Booking
from balance.core.errors import NothingToUndo
from balance.core.market import Market
from balance.core.operations import close_positions
from balance.core.order import Order
from balance.core.position import Position


def undo_reset(account: Account, opening: Booking | None, market: Market, note: str = "") -> Change:
    """Close the epoch as a reset does, and open the next one as the account that the reset ended:
    with all its totals, positions and orders. ``opening`` is what opened the running epoch.

    What the market did meanwhile acts with the next quote: funding that fell due is settled, as
    the positions are held on; stops, limits and liquidations go by that quote alone.

    Raises:
        NothingToUndo: no reset opened the epoch, or what it ended can't go on in ``market``.
    """
    ended = _ended(account.wallet.epoch, opening)
    _check_market(ended, market)
    wallet = replace(ended.wallet, epoch=account.wallet.epoch + 1)
    back = replace(ended, wallet=wallet)
    words = f"Epoch {ended.wallet.epoch} goes on"
    booking = Booking(
        epoch=wallet.epoch,
        kind="undo",
        amount=wallet.balance,
        balance=wallet.balance,
        note=f"{words}. {note}" if note else words,
        restated=back,
        continues=ended.wallet.epoch,
    )
    return Change(back, (*close_positions(account, "undo").bookings, booking))


def can_undo(epoch: int, opening: Booking | None, market: Market) -> bool:
    """Whether ``opening``, which opened ``epoch``, is a reset that :func:`undo_reset` can undo."""
    try:
        _check_market(_ended(epoch, opening), market)
    except NothingToUndo:
        return False
    return True


def _ended(epoch: int, opening: Booking | None) -> Account:
    """The account that ``opening`` ended."""
    if opening is None:
        raise NothingToUndo(
            f"The ledger does not tell what opened epoch {epoch}. The history before it is kept."
        )
    if opening.epoch != epoch:
        raise NothingToUndo(
            f"Epoch {epoch} has just begun. Look at the balance again before you undo."
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
        yield _name(each), each.feed, each.symbol, max(each.opened_at, each.funded_at)
    for order in account.orders:
        yield _name(order), order.feed, order.symbol, order.placed_at


def _name(held: Position | Order) -> str:
    """``"BTC/USDT long"``, or ``"An order of ETH/USDT"``."""
    if isinstance(held, Position):
        return f"{held.symbol} {held.side}"
    return f"An order of {held.symbol}"
