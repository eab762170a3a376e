"""The parts of the account as JSON objects and back: money and numbers as decimal strings.

What is read is checked: the functions raise KeyError, TypeError, ValueError or InvalidAmount, with
words that name the member, where something is missing or of the wrong kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, cast

from balance.core.entry import Booking, Entry
from balance.core.errors import InvalidAmount
from balance.core.figures import plain
from balance.core.moments import from_iso, iso
from balance.core.money import LIMIT, number, quantized
from balance.core.position import Order, Position, Side
from balance.core.wallet import KINDS, Wallet

# a total adds up amounts that each stay within LIMIT, over the life of an account
_LARGEST_TOTAL: Final = LIMIT * 10**12

_WALLET_MONEY: Final = tuple(field.name for field in fields(Wallet) if field.name != "epoch")
_POSITION_NUMBERS: Final = (
    "quantity",
    "entry_price",
    "leverage",
    "isolated_margin",
    "maintenance_rate",
    "maintenance_amount",
    "mark_price",
)


def wallet_document(wallet: Wallet) -> dict[str, Any]:
    """``wallet`` as members; the balance first, as a person who opens the file looks for it."""
    amounts = {name: plain(getattr(wallet, name)) for name in _WALLET_MONEY}
    return {"balance": amounts.pop("balance"), "epoch": wallet.epoch, **amounts}


def read_wallet(document: Mapping[str, Any]) -> Wallet:
    """The wallet that ``document`` tells."""
    amounts = {name: _amount(document, name) for name in _WALLET_MONEY}
    return Wallet(epoch=count(document, "epoch"), **amounts)


def position_document(position: Position) -> dict[str, Any]:
    """``position`` as an object."""
    return {
        "symbol": position.symbol,
        "side": position.side,
        **{name: plain(getattr(position, name)) for name in _POSITION_NUMBERS},
        "marked_at": iso(position.marked_at),
        "opened_at": iso(position.opened_at),
    }


def read_position(document: Mapping[str, Any]) -> Position:
    """The position that ``document`` tells."""
    numbers = {name: number(document[name], name) for name in _POSITION_NUMBERS}
    for name in ("quantity", "entry_price", "leverage", "mark_price"):
        if numbers[name] <= 0:
            raise InvalidAmount(f"{name} must be above zero, not {numbers[name]}")
    if numbers["isolated_margin"] < 0:
        raise InvalidAmount("isolated_margin must not be negative")
    return Position(
        symbol=text(document, "symbol"),
        side=cast(Side, _one_of(document, "side", ("long", "short"))),
        marked_at=moment(document, "marked_at"),
        opened_at=moment(document, "opened_at"),
        **numbers,
    )


def order_document(order: Order) -> dict[str, Any]:
    """``order`` as an object."""
    return {
        "id": order.id,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "quantity": plain(order.quantity),
        "price": None if order.price is None else plain(order.price),
        "reserved_margin": plain(order.reserved_margin),
        "placed_at": iso(order.placed_at),
    }


def read_order(document: Mapping[str, Any]) -> Order:
    """The order that ``document`` tells."""
    price = document["price"]
    reserved = number(document["reserved_margin"], "reserved_margin")
    if reserved < 0:
        raise InvalidAmount("reserved_margin must not be negative")
    return Order(
        id=text(document, "id"),
        symbol=text(document, "symbol"),
        side=cast(Literal["buy", "sell"], _one_of(document, "side", ("buy", "sell"))),
        type=text(document, "type"),
        quantity=number(document["quantity"], "quantity"),
        price=None if price is None else number(price, "price"),
        reserved_margin=reserved,
        placed_at=moment(document, "placed_at"),
    )


def entry_document(entry: Entry) -> dict[str, Any]:
    """``entry`` as an object."""
    booking = entry.booking
    document = {
        "revision": entry.revision,
        "line": entry.line,
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "kind": booking.kind,
        "amount": plain(booking.amount),
        "balance": plain(booking.balance),
        "source": entry.source,
        "note": booking.note,
    }
    if booking.restated is not None:
        document["wallet"] = wallet_document(booking.restated)
    return document


def read_entry(document: Mapping[str, Any]) -> Entry:
    """The entry that ``document`` tells."""
    wallet = document.get("wallet")
    booking = Booking(
        epoch=count(document, "epoch"),
        kind=_one_of(document, "kind", KINDS),
        amount=_amount(document, "amount"),
        balance=_amount(document, "balance"),
        note=text(document, "note", empty=True),
        restated=None if wallet is None else read_wallet(wallet),
    )
    return Entry(
        revision=count(document, "revision"),
        line=count(document, "line"),
        time=moment(document, "time"),
        source=text(document, "source"),
        booking=booking,
    )


def _amount(document: Mapping[str, Any], name: str) -> Decimal:
    return quantized(number(document[name], name, _LARGEST_TOTAL))


def count(document: Mapping[str, Any], name: str) -> int:
    """The whole number from 1 on that is called ``name``."""
    value = document[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}")
    return value


def text(document: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    """The text that is called ``name``."""
    value = document[name]
    if not isinstance(value, str) or not (value or empty):
        raise ValueError(f"{name} must be a text, not {value!r}")
    return value


def _one_of(document: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str:
    value = document[name]
    if value not in values:
        raise ValueError(f"{name} must be one of {', '.join(values)}, not {value!r}")
    return cast(str, value)


def moment(document: Mapping[str, Any], name: str) -> datetime:
    """The moment that is called ``name``."""
    return from_iso(text(document, name))
