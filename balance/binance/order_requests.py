"""What a client asks of an order: which one it means, and the members of one that it places.

The desk rounds to tick and step; here what is off them is refused, as an exchange does.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from balance.binance.call import Params
from balance.binance.errors import Refusal, illegal, missing, other_side
from balance.binance.ids import client_id_of, order_id_of
from balance.binance.market_rows import largest_quantity
from balance.binance.numbers import unit_text
from balance.binance.order_rows import TYPE_NAMES
from balance.core.account import Account
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.money import exact
from balance.core.order import ORDER_KINDS, PATIENCE, Order, OrderKind
from balance.core.ticket import CLIENT_ID

_Choice = TypeVar("_Choice")

_TYPES: Final = {name: each for each, name in TYPE_NAMES.items()}
_SIDES: Final = {"BUY": "buy", "SELL": "sell"}
_FORCES: Final = {str(each): each for each in PATIENCE}
_PRICES: Final = ("price", "trigger_price", "activation_price")
# Bytes of a client id that is made here, which are 22 letters.
_RANDOM_BYTES: Final = 16


class Names(NamedTuple):
    """What the parameters are called that differ between ``/order`` and ``/algoOrder``."""

    number: str
    client_id: str
    new_client_id: str
    # Its trigger price, by all names that it has had; the first is the one that is missed.
    trigger_prices: tuple[str, ...]


ORDER_NAMES: Final = Names(
    "orderId", "origClientOrderId", "newClientOrderId", ("stopPrice", "triggerPrice")
)
ALGO_NAMES: Final = Names("algoId", "clientAlgoId", "clientAlgoId", ("triggerPrice", "stopPrice"))


@dataclass(frozen=True, slots=True)
class OrderName:
    """Which order is meant: the one with that id or, where that is None, with that client id."""

    id: str | None
    client_id: str = ""

    def find(self, orders: tuple[Order, ...]) -> Order | None:
        """The one of ``orders`` that is meant."""
        if self.id is not None:
            return next((each for each in orders if each.id == self.id), None)
        names = ((client_id_of(each.id, each.client_id), each) for each in orders)
        return next((each for name, each in names if name == self.client_id), None)


def read_name(params: Params, names: Names) -> OrderName:
    """The order that ``params`` mean.

    Raises:
        Refusal: they name none.
    """
    number = params.integer(names.number)
    if number is not None:
        return OrderName(order_id_of(number))
    client_id = params.text(names.client_id)
    if client_id is None:
        raise Refusal(
            -1102,
            f"Param '{names.client_id}' or '{names.number}' must be sent, but both were "
            "empty/null!",
        )
    return OrderName(None, client_id)


def read_order(params: Params, names: Names, market: Market, account: Account) -> dict[str, Any]:
    """The members of the desk's order that ``params`` ask for; it always has a client id.

    Raises:
        Refusal: a parameter is missing, makes no sense, or is off the tick or the step.
    """
    symbol = params.symbol(market)
    side = _chosen(params, "side", _SIDES, -1117, "Invalid side.")
    kind = ORDER_KINDS[_chosen(params, "type", _TYPES, -1116, "Invalid orderType.")]
    if params.text("positionSide") not in (None, "BOTH"):
        raise other_side()
    rules = market.instrument(symbol)
    members: dict[str, Any] = {
        "symbol": symbol,
        "side": side,
        "type": kind.type,
        "reduce_only": params.flag("reduceOnly"),
        "client_id": _client_id(params, names),
        **_numbers(params, names, kind, rules),
    }
    if kind.is_timed:
        needed = kind.type == "limit"
        members["time_in_force"] = _time_in_force(params, needed=needed)
    if not params.flag("closePosition"):
        held = account.position(symbol) if members["reduce_only"] else None
        whole = None if held is None else held.quantity
        members["quantity"] = _quantity(params, rules, whole=whole)
        return members
    if kind.exit == "order":
        name = TYPE_NAMES[kind.type]
        raise Refusal(-4136, f"Target strategy invalid for orderType {name},closePosition true")
    if params.number("quantity"):
        raise Refusal(-4137, "Quantity must be zero with closePosition equals true")
    members["reduce_only"] = True
    return members


def read_amendment(params: Params, order: Order, market: Market) -> dict[str, Decimal]:
    """The price and quantity that ``params`` ask for of the open limit order ``order``.

    Raises:
        Refusal: one is missing or off its grid, nothing would change, or it is no limit order.
    """
    if order.type != "limit":
        name = TYPE_NAMES[order.type]
        raise Refusal(-1106, f"Only a LIMIT order can be modified, and this is a {name} order.")
    if _chosen(params, "side", _SIDES, -1117, "Invalid side.") != order.side:
        raise Refusal(-1106, f"The side of an order can't change: this one is a {order.side}.")
    rules = market.instrument(order.symbol)
    price = params.number("price")
    if price is None:
        raise missing("price")
    _check_tick(price, rules)
    quantity = _quantity(params, rules, whole=None)
    if (price, quantity) == (order.price, order.quantity):
        raise Refusal(-5027, "No need to modify the order.")
    return {"price": price, "quantity": quantity}


def _chosen(
    params: Params, name: str, choices: Mapping[str, _Choice], code: int, message: str
) -> _Choice:
    found = choices.get(params.needed(name).upper())
    if found is None:
        raise Refusal(code, message)
    return found


def _time_in_force(params: Params, *, needed: bool) -> str:
    if not needed and params.text("timeInForce") is None:
        return "GTC"
    return _chosen(params, "timeInForce", _FORCES, -1115, "Invalid timeInForce.")


def _client_id(params: Params, names: Names) -> str:
    found = params.text(names.new_client_id)
    if found is None:
        return secrets.token_urlsafe(_RANDOM_BYTES)
    if not re.fullmatch(CLIENT_ID[1:-1], found):
        raise illegal(names.new_client_id, CLIENT_ID)
    return found


def _numbers(
    params: Params, names: Names, kind: OrderKind, rules: Instrument
) -> dict[str, Decimal]:
    """The numbers that ``params`` give beside the size, by what the desk calls them. It refuses
    those that an order of ``kind`` does not have."""
    called = {
        "price": ("price",),
        "trigger_price": names.trigger_prices,
        "callback_percent": ("callbackRate",),
        "activation_price": ("activatePrice", "activationPrice"),
    }
    found = dict[str, Decimal]()
    for member, texts in called.items():
        number = next((each for name in texts if (each := params.number(name)) is not None), None)
        if number is not None:
            if member in _PRICES:
                _check_tick(number, rules)
            found[member] = number
        elif kind.needed(member):
            raise missing(texts[0])
    return found


def _check_tick(price: Decimal, rules: Instrument) -> None:
    if not price:
        raise Refusal(-4001, "Price less than or equal to zero.")
    with exact():
        if price % rules.tick_size:
            raise Refusal(-4014, "Price not increased by tick size.")


def _quantity(params: Params, rules: Instrument, *, whole: Decimal | None) -> Decimal:
    """The quantity, on the step unless it is the ``whole`` position."""
    quantity = params.number("quantity")
    if quantity is None:
        raise missing("quantity")
    if not quantity:
        raise Refusal(-4003, "Quantity less than or equal to zero.")
    with exact():
        if quantity % rules.step_size and quantity != whole:
            raise Refusal(-1111, "Precision is over the maximum defined for this asset.")
    largest = largest_quantity(rules)
    if quantity > largest and quantity != whole:
        raise Refusal(-4005, f"Quantity greater than max quantity {unit_text(largest)}.")
    return quantity
