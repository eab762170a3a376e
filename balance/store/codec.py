"""The state as JSON and back: schema 1, money as decimal strings, a seal over the content.

The seal tells a state that this package wrote from one that was edited by hand or by another
program: whoever changes the content without it has made an outside edit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, cast

from balance.core.account import Account
from balance.core.entry import Booking, Entry
from balance.core.errors import BalanceError, InvalidAmount
from balance.core.figures import plain
from balance.core.moments import from_iso, iso
from balance.core.money import CURRENCY, LIMIT, exact, number, quantized
from balance.core.position import Order, Position, Side
from balance.core.wallet import KINDS, Wallet
from balance.store.state import Request, State

SCHEMA: Final = 1

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


class Unreadable(Exception):
    """Text that is no state or no entry; its words say what is wrong."""


def encode_state(state: State) -> bytes:
    """``state`` as the text of its file, sealed."""
    document = {
        "schema": SCHEMA,
        "account": state.account_id,
        "revision": state.revision,
        "changed_at": iso(state.changed_at),
        "currency": CURRENCY,
        **_wallet_document(state.account.wallet),
        "positions": [_position_document(position) for position in state.account.positions],
        "orders": [_order_document(order) for order in state.account.orders],
        "entries": [_entry_document(entry) for entry in state.entries],
        "request": _request_document(state.request),
    }
    return json.dumps({**document, "seal": _seal(document)}, indent=2).encode() + b"\n"


def decode_state(text: bytes) -> tuple[State, bool]:
    """The state in ``text``, and whether its seal is whole.

    Raises:
        Unreadable: not JSON, another schema, wrong types, or numbers that break the account's laws.
    """
    document = _parsed(text)
    if document.get("schema") != SCHEMA:
        raise Unreadable(f"has schema {document.get('schema')!r}, not {SCHEMA}")
    sealed = document.pop("seal", None) == _seal(document)
    try:
        state = _state(document)
        with exact():
            if sealed:
                state.account.check()
            else:
                _check_edit(state.account)
    except _FAULTS as fault:
        raise Unreadable(f"does not hold a valid account: {_reason(fault)}") from fault
    return state, sealed


def encode_entry(entry: Entry) -> bytes:
    """``entry`` as one line of the ledger, with its newline."""
    return json.dumps(_entry_document(entry), separators=(",", ":")).encode() + b"\n"


def decode_entry(line: bytes) -> Entry:
    """The entry in one line of the ledger.

    Raises:
        Unreadable: the line is none.
    """
    try:
        return _entry(_parsed(line))
    except _FAULTS as fault:
        raise Unreadable(f"does not hold a valid entry: {_reason(fault)}") from fault


def encode_answer(state: State) -> bytes:
    """A state that answered a keyed request as one line, with its newline; the key comes first."""
    if state.request is None:
        raise ValueError("only the state of a keyed request is kept as an answer")
    document = json.loads(encode_state(state))
    del document["seal"]  # what an outside edit led to may be an answer too
    return json.dumps({"key": state.request.key, "state": document}).encode() + b"\n"


def decode_answer(line: bytes) -> State:
    """The state in one line of the kept answers.

    Raises:
        Unreadable: the line is none.
    """
    document = _parsed(line).get("state")
    return decode_state(json.dumps(document, default=str).encode())[0]


_FAULTS: Final = (
    BalanceError,
    ArithmeticError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)


def _reason(fault: Exception) -> str:
    return f"{fault} is missing" if isinstance(fault, KeyError) else str(fault).rstrip(".")


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_float=Decimal)
    except ArithmeticError as fault:
        raise Unreadable("holds a number that is out of range") from fault
    except (ValueError, RecursionError) as fault:
        raise Unreadable(f"is not valid JSON: {fault}") from fault
    if not isinstance(document, dict):
        raise Unreadable("does not hold an object")
    return document


def _seal(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_edit(account: Account) -> None:
    # an outside edit need not explain its balance, but it can't break the other laws
    wallet = account.wallet
    if wallet.balance < 0 or wallet.starting_balance < 0:
        raise InvalidAmount("the balance is negative")
    if account.available_balance < 0:
        raise InvalidAmount(
            f"the balance {plain(wallet.balance)} is less than "
            f"the margin in use, {plain(account.used_margin)}"
        )


def _wallet_document(wallet: Wallet) -> dict[str, Any]:
    amounts = {name: plain(getattr(wallet, name)) for name in _WALLET_MONEY}
    # the balance first: it is what a person who opens the file looks for
    return {"balance": amounts.pop("balance"), "epoch": wallet.epoch, **amounts}


def _wallet(document: Mapping[str, Any]) -> Wallet:
    amounts = {name: _amount(document, name) for name in _WALLET_MONEY}
    return Wallet(epoch=_count(document, "epoch"), **amounts)


def _position_document(position: Position) -> dict[str, Any]:
    return {
        "symbol": position.symbol,
        "side": position.side,
        **{name: plain(getattr(position, name)) for name in _POSITION_NUMBERS},
        "marked_at": iso(position.marked_at),
        "opened_at": iso(position.opened_at),
    }


def _position(document: Mapping[str, Any]) -> Position:
    numbers = {name: number(document[name], name) for name in _POSITION_NUMBERS}
    for name in ("quantity", "entry_price", "leverage", "mark_price"):
        if numbers[name] <= 0:
            raise InvalidAmount(f"{name} must be above zero, not {numbers[name]}")
    if numbers["isolated_margin"] < 0:
        raise InvalidAmount("isolated_margin must not be negative")
    return Position(
        symbol=_text(document, "symbol"),
        side=cast(Side, _one_of(document, "side", ("long", "short"))),
        marked_at=_moment(document, "marked_at"),
        opened_at=_moment(document, "opened_at"),
        **numbers,
    )


def _order_document(order: Order) -> dict[str, Any]:
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


def _order(document: Mapping[str, Any]) -> Order:
    price = document["price"]
    reserved = number(document["reserved_margin"], "reserved_margin")
    if reserved < 0:
        raise InvalidAmount("reserved_margin must not be negative")
    return Order(
        id=_text(document, "id"),
        symbol=_text(document, "symbol"),
        side=cast(Literal["buy", "sell"], _one_of(document, "side", ("buy", "sell"))),
        type=_text(document, "type"),
        quantity=number(document["quantity"], "quantity"),
        price=None if price is None else number(price, "price"),
        reserved_margin=reserved,
        placed_at=_moment(document, "placed_at"),
    )


def _entry_document(entry: Entry) -> dict[str, Any]:
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
        document["wallet"] = _wallet_document(booking.restated)
    return document


def _entry(document: Mapping[str, Any]) -> Entry:
    wallet = document.get("wallet")
    booking = Booking(
        epoch=_count(document, "epoch"),
        kind=_one_of(document, "kind", KINDS),
        amount=_amount(document, "amount"),
        balance=_amount(document, "balance"),
        note=_text(document, "note", empty=True),
        restated=None if wallet is None else _wallet(wallet),
    )
    return Entry(
        revision=_count(document, "revision"),
        line=_count(document, "line"),
        time=_moment(document, "time"),
        source=_text(document, "source"),
        booking=booking,
    )


def _amount(document: Mapping[str, Any], name: str) -> Decimal:
    return quantized(number(document[name], name, _LARGEST_TOTAL))


def _request_document(request: Request | None) -> dict[str, str] | None:
    if request is None:
        return None
    return {"key": request.key, "fingerprint": request.fingerprint}


def _entries(document: Mapping[str, Any], revision: int) -> tuple[Entry, ...]:
    entries = tuple(_entry(each) for each in document["entries"])
    places = [(revision, line) for line in range(1, len(entries) + 1)]
    if not entries or [entry.place for entry in entries] != places:
        raise ValueError(f"entries are not those of revision {revision}")
    return entries


def _state(document: Mapping[str, Any]) -> State:
    if document["currency"] != CURRENCY:
        raise ValueError(f"currency is {document['currency']!r}, not {CURRENCY!r}")
    request, revision = document["request"], _count(document, "revision")
    return State(
        account_id=_text(document, "account"),
        revision=revision,
        changed_at=_moment(document, "changed_at"),
        account=Account(
            wallet=_wallet(document),
            positions=tuple(_position(each) for each in document["positions"]),
            orders=tuple(_order(each) for each in document["orders"]),
        ),
        entries=_entries(document, revision),
        request=request
        and Request(key=_text(request, "key"), fingerprint=_text(request, "fingerprint")),
    )


def _count(document: Mapping[str, Any], name: str) -> int:
    value = document[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}")
    return value


def _text(document: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = document[name]
    if not isinstance(value, str) or not (value or empty):
        raise ValueError(f"{name} must be a text, not {value!r}")
    return value


def _one_of(document: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str:
    value = document[name]
    if value not in values:
        raise ValueError(f"{name} must be one of {', '.join(values)}, not {value!r}")
    return cast(str, value)


def _moment(document: Mapping[str, Any], name: str) -> datetime:
    return from_iso(_text(document, name))
