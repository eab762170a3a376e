"""Trading over HTTP: prices, candles, positions, orders and fills."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, NotRequired, TypedDict

from flask import Request, Response
from werkzeug.routing import PathConverter

from balance.api.account import Changed, changed
from balance.api.history import ListQuery, list_orders, list_parameters, list_query, query_texts
from balance.api.operations import Answer, delete, get, post, put
from balance.api.requests import Body, Conditional, Parameters
from balance.api.schema import Schemas
from balance.core.amendment import AMENDABLE
from balance.core.errors import InvalidRequest
from balance.core.market import Market
from balance.core.oco import SIZE, OcoPreview
from balance.core.order import NUMBERS, ORDER_KINDS, Order, OrderKind
from balance.core.orders import Preview
from balance.core.position_preview import PositionPreview
from balance.core.rows import (
    CandleRow,
    EndedOrder,
    FilledOrder,
    LeverageRow,
    MarketRow,
    OpenOrder,
    OrderRow,
    OrderTerms,
    PositionRow,
    candle_row,
    order_result,
    order_results,
    order_terms,
    order_texts,
)
from balance.core.shape import (
    Count,
    Doc,
    Money,
    Quantity,
    Texts,
    Time,
    Whole,
    includes,
    members,
    text_names,
)
from balance.core.ticket import MEMBERS, Ticket
from balance.desk.desk import MOST_CANDLES, Desk
from balance.desk.transactions import Outcome
from balance.history.history import LONGEST_PAGE
from balance.history.index import Progress
from balance.history.order_rows import OrderRecordRow, order_record_row
from balance.history.question import SORTS
from balance.history.rows import FillRow

_TIMEFRAME: Final = re.compile(r"(\d{1,4})([mhd])", re.ASCII)
_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400}

SymbolInPath = Annotated[str, Doc("BTC/USDT, also written BTC-USDT or BTCUSDT.P.")]
OrderInPath = Annotated[str, Doc("The id that placing it was answered with, or its client id.")]
Timeframe = Annotated[
    str, Doc("Whole minutes, hours or a day: 1m, 15m, 4h, 1d.", pattern="^[0-9]{1,4}[mhd]$")
]
CandleLimit = Annotated[int, Doc("How many at most.", minimum=1, maximum=MOST_CANDLES)]
PageLimit = Annotated[int, Doc("How many on a page.", minimum=1, maximum=LONGEST_PAGE)]
Before = Annotated[str | None, Doc("A revision, or the last page's next.")]
OfSymbol = Annotated[str | None, Doc("Only orders of this symbol.")]

# Which orders are listed that are in no one state.
_STILL_OPEN: Final = "open"
_ANY_STATE: Final = "all"
_SIZES: Final = ("quantity", "notional", "percent")
_HAS_SIZE: Final = {"anyOf": [{"required": [name]} for name in _SIZES]}
_CAN_OPEN: Final = {"properties": {"reduce_only": {"const": False}}}


def _kind_rules(kind: OrderKind) -> dict[str, Any]:
    """What an order of ``kind`` has: its numbers, no others, and a size, unless it may close
    all."""
    properties: dict[str, Any] = {name: False for name in NUMBERS if kind.needed(name) is None}
    if not kind.is_timed:
        properties["time_in_force"] = {"const": "GTC"}
    rules: dict[str, Any] = {"properties": properties}
    required = [each.name for each in kind.numbers if not each.is_optional]
    if required:
        rules["required"] = required
    if kind.exit == "order":
        return rules | _HAS_SIZE
    closes = {"required": ["reduce_only"], "properties": {"reduce_only": {"const": True}}}
    return rules | {"if": closes, "else": _HAS_SIZE}


def _order_rules() -> dict[str, Any]:
    """What JSON Schema says of an order beside its fields: one size, and what its type has."""
    rules = _kind_rules(ORDER_KINDS["market"])
    for name, kind in ORDER_KINDS.items():
        if name != "market":
            is_type = {"required": ["type"], "properties": {"type": {"const": name}}}
            rules = {"if": is_type, "then": _kind_rules(kind), "else": rules}
    exclusive = {
        "quantity": {"properties": {"notional": False, "percent": False}},
        "notional": {"properties": {"percent": False}},
        "take_profit": _CAN_OPEN,
        "stop_loss": _CAN_OPEN,
    }
    return {**rules, "dependentSchemas": exclusive}


_ORDER: Final = Body(Ticket, only=MEMBERS, **_order_rules())
OrderBody = Annotated[dict[str, Any], _ORDER]


class BothOrders(TypedDict):
    """The orders of an OCO."""

    orders: Annotated[
        list[Any],
        Doc("Both, of one symbol.", minItems=SIZE, maxItems=SIZE, items=_ORDER.schema(Schemas())),
    ]


OcoBody = Annotated[dict[str, Any], Body(BothOrders)]
AmendBody = Annotated[dict[str, Any], Body(Ticket, only=AMENDABLE, partial=True, minProperties=1)]


class ClosedPart(TypedDict):
    """How much of a position is closed; all of it where nothing is named."""

    quantity: NotRequired[Annotated[Quantity, Doc("Cut to the step.")]]
    percent: NotRequired[
        Annotated[Decimal, Doc("Of the position.", exclusiveMinimum=0, maximum=100)]
    ]


CloseBody = Annotated[dict[str, Any], Body(ClosedPart, optional=True, maxProperties=1)]


class MovedMargin(TypedDict):
    """How much margin a position gets."""

    amount: Annotated[Money, Doc("Above zero it is added, below it is removed.")]


MarginBody = Annotated[dict[str, Any], Body(MovedMargin)]


class SetLeverage(TypedDict):
    """The leverage that a symbol gets."""

    leverage: Annotated[
        Decimal, Doc("At most what the symbol allows.", type="integer", minimum=1, maximum=1_000)
    ]


LeverageBody = Annotated[dict[str, Any], Body(SetLeverage)]


class Prices(MarketRow):
    """The newest price of each symbol, and where it comes from."""


class Candles(TypedDict):
    """The newest candles of a symbol."""

    candles: list[CandleRow]


class _AtRevision(TypedDict):
    """What a list of what is open is a list at."""

    revision: Count
    as_of: Time


class Positions(_AtRevision):
    """The open positions."""

    positions: tuple[PositionRow, ...]


class Orders(_AtRevision):
    """The open orders or, with a state, a page of all orders."""

    orders: Annotated[tuple[OrderRow | OrderRecordRow, ...], Doc("With a state, records of them.")]
    total: Annotated[Whole | None, Doc("Of all pages; null: not known.")]
    offset: Whole
    index: Progress


class AskedOrder(OrderTerms):
    """An order as it was placed."""

    display: Annotated[Texts, text_names(("quantity", "price", "trigger_price"))]


class WholeOrder(OrderRecordRow):
    """An order from its placing to its end."""

    asked: Annotated[AskedOrder | None, Doc("Null: not known.")]


class FoundOrder(TypedDict):
    """An order, open or ended."""

    order: WholeOrder


class _OrdersQuery(NamedTuple):
    """Which orders are requested."""

    # Only the open one with this client id; empty: all that are open.
    client_id: str
    # All orders that it says, open or ended; None: those that are open.
    every: ListQuery | None


# The texts of the parameters of the list of all orders that have a default.
_USUAL: Final = {
    each["name"]: str(each["schema"]["default"])
    for each in list_parameters("orders").described
    if "default" in each["schema"]
}


def _read_orders_query(request: Request, _: object) -> _OrdersQuery:
    params = query_texts(request)
    state = params.pop("state", _STILL_OPEN)
    if state not in ("", _STILL_OPEN):
        named = {} if state == _ANY_STATE else {"state": state}
        return _OrdersQuery("", list_query("orders", {**params, **named}, SORTS["orders"]))
    client_id = params.pop("client_id", "")
    # Generated clients send what a parameter has by default.
    others = [name for name, text in params.items() if text not in ("", _USUAL.get(name))]
    if others:
        raise InvalidRequest(
            f"{sorted(others)[0][:40]!r} goes with a state: state={_ANY_STATE} lists every order, "
            "open or ended."
        )
    return _OrdersQuery(client_id, None)


def _orders_parameters() -> Parameters:
    """The parameters of the list of all orders, all of which but the client id go with a state."""
    filters = list_parameters("orders").described
    state = {
        "name": "state",
        "in": "query",
        "description": f"{_STILL_OPEN}: what is open; {_ANY_STATE}: every order; else those in one "
        "of these states, with commas between, and the other parameters filter them.",
        "schema": {"type": "string", "default": _STILL_OPEN},
    }
    others = [each for each in filters if each["name"] != "state"]
    return Parameters(_read_orders_query, (422,), state, *others)


OrdersQuery = Annotated[_OrdersQuery, _orders_parameters()]


class Leverages(_AtRevision):
    """The leverages of the symbols."""

    leverages: tuple[LeverageRow, ...]


class Fills(TypedDict):
    """A page of the fills."""

    fills: tuple[FillRow, ...]
    next: str | None


@includes(Changed)
class Traded(TypedDict):
    """The account after a trade."""

    order: Annotated[
        FilledOrder | OpenOrder | EndedOrder | None,
        Doc("What became of the order; null where none was placed."),
    ]


@includes(Changed)
class ClosedAll(TypedDict):
    """The account after all positions were closed."""

    orders: Annotated[list[FilledOrder], Doc("What closed each of them.")]


@includes(Preview)
class PreviewedOrder(TypedDict):
    """What one order of an OCO would do."""


@includes(OcoPreview)
class PreviewedOco(TypedDict):
    """What an OCO would do."""

    orders: Annotated[list[PreviewedOrder], Doc("What each order would do, if it is the one.")]


@includes(Changed)
class PlacedOco(TypedDict):
    """The account after an OCO was placed."""

    orders: Annotated[list[OpenOrder], Doc("Both, which wait.")]


class OrderIdConverter(PathConverter):
    """An id or a client id in a path, which may have slashes, also as its first letter, but is no
    path of another route."""

    # That of its class takes no first slash: /orders//low was redirected to /orders/low, another
    # order.
    regex = "(?!oco/preview$).+?"


class TradeRoutes:
    """Trading: prices, candles, positions, orders and fills."""

    tag = "trading"

    def __init__(self, desk: Desk, owner: str = "") -> None:
        """``owner`` is for whom previews are (empty: the person); the conditions of changes name
        their own."""
        self.desk = desk
        self._owner = owner

    @get("/prices")
    def list_prices(self) -> Answer[Prices]:
        """The newest price of each symbol, and where it comes from."""
        return Answer(self.desk.snapshot().market)

    @get("/candles/<path:symbol>", 422)
    def list_candles(
        self, symbol: SymbolInPath, timeframe: Timeframe = "1m", limit: CandleLimit = 500
    ) -> Answer[Candles]:
        """The newest candles of a symbol, oldest first, the running one last."""
        found = self.desk.candles(symbol, _seconds(timeframe), limit)
        return Answer(Candles(candles=[candle_row(each) for each in found]))

    @get("/positions")
    def list_positions(self) -> Answer[Positions]:
        """The open positions."""
        found = self.desk.snapshot()
        return Answer(
            Positions(revision=found.revision, as_of=found.as_of, positions=found.positions)
        )

    @get("/orders", types=("text/csv",))
    def list_orders(self, query: OrdersQuery) -> Answer[Orders] | Response:
        """The open orders, oldest first; with a state, those that were ever placed, newest first,
        filtered and sorted."""
        found = self.desk.snapshot()
        at = {"revision": found.revision, "as_of": found.as_of}
        if query.every is not None:
            return list_orders(self.desk, query.every, "orders", **at)
        name = query.client_id
        named = tuple(each for each in found.open_orders if name in ("", each["client_id"]))
        page = {"total": len(named), "offset": 0, "index": self.desk.ledger.progress}
        return Answer({**at, "orders": named, **page})

    @get("/orders/<order:order_id>", 404)
    def read_order(self, order_id: OrderInPath) -> Answer[FoundOrder]:
        """One order, open or ended, for ever; of several with that client id, the newest."""
        return Answer({"order": whole_order(self.desk, order_id)})

    @post("/orders", 404)
    def place_order(self, body: OrderBody, conditions: Conditional) -> Answer[Traded]:
        """Place an order; at market, it fills at once."""
        return _traded(self.desk.place_order(how=conditions, **body))

    @delete("/orders", 404)
    def cancel_orders(self, conditions: Conditional, symbol: OfSymbol = None) -> Answer[Traded]:
        """Cancel all open orders, or those of one symbol."""
        return _traded(self.desk.cancel_orders(symbol, **conditions))

    @post("/orders/preview", 404)
    def preview_order(self, body: OrderBody) -> Answer[Preview]:
        """What an order would do now, without placing it."""
        return Answer(members(self.desk.preview_order(owner=self._owner, **body)))

    @post("/orders/oco", 404)
    def place_oco(self, body: OcoBody, conditions: Conditional) -> Answer[PlacedOco]:
        """Place two orders of which at most one fills: the first that is reached cancels the
        other."""
        outcome = self.desk.place_oco(body.get("orders", ()), how=conditions)
        return changed(outcome, orders=order_results(outcome.entries))

    @post("/orders/oco/preview", 404)
    def preview_oco(self, body: OcoBody) -> Answer[PreviewedOco]:
        """What an OCO would do now, without placing it."""
        found = self.desk.preview_oco(body.get("orders", ()), owner=self._owner)
        return Answer({**members(found), "orders": [members(each) for each in found.orders]})

    @put("/orders/<order:order_id>")
    def amend_order(
        self, order_id: OrderInPath, body: AmendBody, conditions: Conditional
    ) -> Answer[Traded]:
        """Change the numbers of an open order, which keeps its id. It is as an order that is placed
        then: where it crosses the market, it fills at once."""
        return _traded(self.desk.amend_order(order_id, how=conditions, **body))

    @post("/orders/<order:order_id>/preview")
    def preview_amendment(self, order_id: OrderInPath, body: AmendBody) -> Answer[Preview]:
        """What an open order would do after it was amended, without amending it."""
        return Answer(members(self.desk.preview_amendment(order_id, owner=self._owner, **body)))

    @delete("/orders/<order:order_id>")
    def cancel_order(self, order_id: OrderInPath, conditions: Conditional) -> Answer[Traded]:
        """Cancel an open order."""
        return _traded(self.desk.cancel_order(order_id, **conditions))

    @post("/positions/<path:symbol>/close")
    def close_position(
        self, symbol: SymbolInPath, body: CloseBody, conditions: Conditional
    ) -> Answer[Traded]:
        """Close a position at market, or a part of it."""
        return _traded(self.desk.close_position(symbol, **body, **conditions))

    @post("/positions/close", 404)
    def close_positions(self, conditions: Conditional) -> Answer[ClosedAll]:
        """Close all positions at market, in one commit: all or none."""
        outcome = self.desk.close_positions(**conditions)
        return changed(outcome, orders=order_results(outcome.entries))

    @post("/positions/<path:symbol>/reverse")
    def reverse_position(self, symbol: SymbolInPath, conditions: Conditional) -> Answer[Traded]:
        """Close a position and open as much on the other side, both at market, in one commit."""
        return _traded(self.desk.reverse_position(symbol, **conditions))

    @post("/positions/<path:symbol>/margin")
    def move_margin(
        self, symbol: SymbolInPath, body: MarginBody, conditions: Conditional
    ) -> Answer[Traded]:
        """Add margin to a position, or remove it; its liquidation price moves at once."""
        return _traded(self.desk.move_margin(symbol, body.get("amount"), **conditions))

    @get("/leverage")
    def list_leverages(self) -> Answer[Leverages]:
        """The leverage of each symbol's orders that name none."""
        found = self.desk.snapshot()
        return Answer(
            Leverages(revision=found.revision, as_of=found.as_of, leverages=found.leverages)
        )

    @put("/leverage/<path:symbol>")
    def set_leverage(
        self, symbol: SymbolInPath, body: LeverageBody, conditions: Conditional
    ) -> Answer[Changed]:
        """Set the leverage of the symbol's orders that name none; it is kept until it is set
        anew."""
        return changed(self.desk.set_leverage(symbol, body.get("leverage"), **conditions))

    @post("/positions/<path:symbol>/reverse/preview")
    def preview_reversal(self, symbol: SymbolInPath) -> Answer[PositionPreview]:
        """What reversing a position would leave of it, without doing it."""
        return Answer(members(self.desk.preview_reversal(symbol, owner=self._owner)))

    @post("/positions/<path:symbol>/margin/preview")
    def preview_margin(self, symbol: SymbolInPath, body: MarginBody) -> Answer[PositionPreview]:
        """What a position would be with more margin or less, without moving it."""
        return Answer(
            members(self.desk.preview_margin(symbol, body.get("amount"), owner=self._owner))
        )

    @get("/fills", 422)
    def list_fills(self, limit: PageLimit = 50, before: Before = None) -> Answer[Fills]:
        """The fills, newest first; liquidations are fills too."""
        page = self.desk.fills(limit=limit, before=before)
        return Answer({"fills": page.entries, "next": page.next})


def whole_order(desk: Desk, order_id: str) -> WholeOrder:
    """The order with the id or, of several, the newest with the client id ``order_id``.

    Raises:
        UnknownOrder: there was never one.
    """
    record, market = desk.order(order_id), desk.market
    as_placed = None if record.asked is None else _as_placed(record.asked, market)
    return {**order_record_row(record, market), "asked": as_placed}


def _as_placed(order: Order, market: Market) -> AskedOrder:
    texts, names = order_texts(order, market), ("quantity", "price", "trigger_price")
    return {**order_terms(order), "display": {name: texts[name] for name in names}}


def _traded(outcome: Outcome) -> Answer[Traded]:
    return changed(outcome, order=order_result(outcome.entries))


def _seconds(timeframe: str) -> int:
    match = _TIMEFRAME.fullmatch(timeframe)
    if match is None:
        raise InvalidRequest(f"timeframe must be such as 1m, 15m, 4h or 1d, not {timeframe!r:.40}.")
    return int(match[1]) * _SECONDS[match[2]]
