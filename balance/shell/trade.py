"""The commands that trade: ``python -m balance order buy BTC/USDT 0.01`` and its like."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from balance.core.amendment import AMENDABLE
from balance.core.errors import InvalidRequest
from balance.core.figures import NONE
from balance.core.order import NUMBERS, ORDER_KINDS, OrderKind
from balance.core.orders import Preview
from balance.core.request import symbol
from balance.core.rows import order_result, order_results
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.history.order_rows import order_record_row
from balance.shell.parts import (
    DONE,
    REFUSED,
    AddCommand,
    Result,
    add_conditions,
    add_options,
    change_result,
    conditions,
    desk_of,
    table,
)

_ALL: Final = "all"
# The numbers of all kinds of orders, by their options.
_OF_KINDS: Final = {
    number.option: number for kind in ORDER_KINDS.values() for number in kind.numbers
}
_POSITION: Final = {
    "symbol": "Symbol",
    "side": "Side",
    "quantity": "Quantity",
    "entry_price": "Entry",
    "mark_price": "Mark",
    "liquidation_price": "Liquidation",
    "leverage": "Leverage",
    "isolated_margin": "Margin",
    "unrealized_pnl": "Unrealised P&L",
    "roe_percent": "ROE",
    "take_profit": "Take-profit",
    "stop_loss": "Stop-loss",
}
_ORDER: Final = {
    "symbol": "Symbol",
    "side": "Side",
    "type": "Type",
    "quantity": "Quantity",
    "price": "Limit",
    "trigger_price": "Trigger",
    "best_price": "Best",
    "leverage": "Leverage",
    "reserved_margin": "Margin",
    "exits": "Take-profit / stop-loss",
}
# What the list of all orders shows of each, and what one of them has beside it.
_RECORD: Final = {
    "symbol": "Symbol",
    "side": "Side",
    "type": "Type",
    "state": "State",
    "quantity": "Quantity",
    "price": "Limit",
    "trigger_price": "Trigger",
    "average_price": "Filled at",
    "realized_pnl": "Realised P&L",
}
_WHOLE_RECORD: Final = {
    **_RECORD,
    "take_profit": "Take-profit",
    "stop_loss": "Stop-loss",
    "leverage": "Leverage",
    "filled_quantity": "Filled",
    "fee": "Fee",
    "liquidity": "Liquidity",
    "owner": "Whose",
}
# What has no text for people: members of the row.
_OF_RECORD: Final = {
    "client_id": "Client id",
    "why": "Why it ended",
    "because": "Why it was placed",
    "time": "Placed",
    "place": "By entry",
    "changed_place": "Changed by entry",
    "ended_at": "Ended",
    "ended_place": "By entry",
}
_PRICE: Final = {
    "bid": "Bid",
    "ask": "Ask",
    "last": "Last",
    "mark": "Mark",
    "change_percent": "24 h",
    "funding_rate": "Funding",
}
# Why a symbol has its leverage.
_SOURCES: Final = {"open": "of what is open", "set": "set", "default": "of the settings"}
_PREVIEW: Final = {
    "notional": "Notional",
    "margin": "Initial margin",
    "fee": "Fee",
    "slippage": "Slippage",
    "cost": "Needed",
    "available_after": "Available after",
    "liquidation_price": "Liquidation",
}


_ORDER_OPTIONS: Final = {
    "--time-in-force": ("GTC|IOC|FOK|GTX", "how long an order at a limit waits (GTC)"),
    "--leverage": ("N", "such as 10"),
    "--reduce-only": (None, "only close, never open"),
    "--take-profit": ("PRICE", "attach a take-profit to the position it opens"),
    "--stop-loss": ("PRICE", "attach a stop-loss to the position it opens"),
    "--client-id": ("NAME", "a name of your own, which cancel and amend take"),
    "--preview": (None, "only say what it would do; place nothing"),
}
_ORDER_SIZES: Final = {
    "--quantity": ("N", "the size in base units, such as 0.01"),
    "--notional": ("N", "the size in the quote currency"),
    "--percent": (
        "N",
        "the size in percent of the available balance; reduce-only, of the position",
    ),
}
_OCO_TARGETS: Final = {
    "--limit": ("PRICE", "one order: fill at this price or a better one"),
    "--take-profit-at": ("PRICE", "one order: a take-profit, from this price on"),
}
_OCO_STOPS: Final = {
    "--stop-at": ("PRICE", "the other order: a stop, from this price on"),
    "--trail": ("PERCENT", "the other order: a stop, this far behind the best price"),
}
_OCO_DETAILS: Final = {
    "--stop-limit": ("PRICE", "the stop fills at this price or a better one (at market)"),
    "--activate-at": ("PRICE", "the price from which on it trails (at once)"),
}
_ORDERS_OPTIONS: Final = {
    "--all": (None, "also those that have ended, newest first"),
    "--state": ("STATE", "of all, those that are NEW, FILLED, CANCELED, EXPIRED or REJECTED"),
    "--symbol": ("SYMBOL", "of all, those of this symbol, written as BTC/USDT"),
    "--limit": ("N", "how many of all (20)"),
}
_CLOSE_SIZES: Final = {
    "--quantity": ("N", "in base units (all of it)"),
    "--percent": ("N", "of the position (100)"),
}
# The numbers that an open order may have others of.
_AMENDMENTS: Final = {
    **{
        f"--{number.name.replace('_', '-')}": (number.metavar, f"another {number.label.lower()}")
        for number in _OF_KINDS.values()
    },
    "--quantity": ("N", "another size in base units"),
}


def add_trade_commands(command: AddCommand) -> None:
    """Add the commands of prices, orders and positions."""
    command("prices", "show the newest prices", _prices)
    order = command("order", "place an order, at market unless a price is given", _order)
    order.add_argument("side", type=str.lower, choices=("buy", "sell"), help="buy or sell")
    _add_symbol(order)
    add_options(order.add_mutually_exclusive_group(), _ORDER_SIZES)
    for name in NUMBERS:
        options = {
            f"--{option}": (number.metavar, number.explanation)
            for option, number in _OF_KINDS.items()
            if number.name == name
        }
        add_options(order.add_mutually_exclusive_group(), options)
    add_options(order, _ORDER_OPTIONS)
    add_conditions(order)
    oco = command("oco", "place two orders: the first that is reached cancels the other", _oco)
    oco.add_argument("side", type=str.lower, choices=("buy", "sell"), help="of both: buy or sell")
    _add_symbol(oco)
    add_options(oco.add_mutually_exclusive_group(), _ORDER_SIZES)
    add_options(oco.add_mutually_exclusive_group(required=True), _OCO_TARGETS)
    add_options(oco.add_mutually_exclusive_group(required=True), _OCO_STOPS)
    add_options(oco, _OCO_DETAILS)
    of_one = ("--time-in-force", "--client-id")
    shared = {flag: each for flag, each in _ORDER_OPTIONS.items() if flag not in of_one}
    add_options(oco, shared)
    add_conditions(oco)
    orders = command("orders", "list the open orders, or all that there ever were", _orders)
    orders.add_argument(
        "order_id", metavar="ORDER_ID", nargs="?", help="only this one, open or ended, whole"
    )
    add_options(orders, _ORDERS_OPTIONS)
    cancel = command("cancel", "cancel an open order, or all of them", _cancel)
    cancel.add_argument(
        "order_id", metavar="ORDER_ID|all", help="as orders lists it, or its client id"
    )
    add_conditions(cancel)
    amend = command("amend", "change an open order, which keeps its id", _amend)
    amend.add_argument("order_id", metavar="ORDER_ID", help="as orders lists it, or its client id")
    add_options(amend, _AMENDMENTS)
    add_conditions(amend)
    command("positions", "list the open positions", _positions)
    leverage = command("leverage", "list the leverages of the symbols, or set one", _leverage)
    leverage.add_argument("symbol", metavar="SYMBOL", nargs="?", help="such as BTC/USDT or btcusdt")
    leverage.add_argument("leverage", metavar="N", nargs="?", help="such as 5")
    add_conditions(leverage)
    close = command("close", "close a position at market, a part of it, or all positions", _close)
    close.add_argument("symbol", metavar="SYMBOL|all", help="such as BTC/USDT or btcusdt")
    add_options(close.add_mutually_exclusive_group(), _CLOSE_SIZES)
    add_conditions(close)
    reverse = command("reverse", "close a position and open as much on the other side", _reverse)
    _add_symbol(reverse)
    add_conditions(reverse)
    margin = command("margin", "add margin to a position; below zero, remove it", _margin)
    _add_symbol(margin)
    margin.add_argument("amount", metavar="AMOUNT", help="such as 50 or -12.30")
    add_conditions(margin)


def _add_symbol(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("symbol", metavar="SYMBOL", help="such as BTC/USDT or btcusdt")


def _order(options: argparse.Namespace) -> Result:
    desk, members = desk_of(options), _members(options)
    if options.preview:
        preview = desk.preview_order(**members)
        available = desk.snapshot().display["available_balance"]
        value = {name: getattr(preview, name) for name in preview.__slots__}
        code = DONE if preview.affordable else REFUSED
        return Result(value, _preview_text(preview, options.side, available), code)
    outcome = desk.place_order(how=conditions(options), **members)
    order = order_result(outcome.entries)
    is_open = order is not None and order["status"] == "open"
    text = f"Its id is {order['id']}." if order is not None and is_open else ""
    return change_result(outcome, text, order=order)


def _members(options: argparse.Namespace) -> dict[str, Any]:
    """The order in ``options``, as the desk takes it."""
    members = _shared(options) | {"client_id": options.client_id}
    if options.time_in_force is not None:
        members["time_in_force"] = options.time_in_force.upper()
    return members | _numbers(options, {option: option for option in _OF_KINDS})


def _shared(options: argparse.Namespace) -> dict[str, Any]:
    """The members in ``options`` that both orders of an OCO have."""
    same = ("side", "symbol", "quantity", "notional", "percent", "leverage", "reduce_only")
    return {name: getattr(options, name) for name in (*same, "take_profit", "stop_loss")}


def _numbers(options: argparse.Namespace, names: Mapping[str, str]) -> dict[str, Any]:
    """The numbers in ``options`` of one order, and the type that has them; ``names`` maps the
    options of the command to those of an order."""
    given = {
        option: value
        for name, option in names.items()
        if (value := getattr(options, name.replace("-", "_"))) is not None
    }
    numbers = {_OF_KINDS[option].name: value for option, value in given.items()}
    return {**numbers, "type": _kind_with(given).type}


def _oco(options: argparse.Namespace) -> Result:
    desk, shared = desk_of(options), _shared(options)
    target = _numbers(options, {"limit": "limit", "take-profit-at": "take-profit-at"})
    stops = {each: each for each in ("stop-at", "trail", "activate-at")}
    stop = _numbers(options, {**stops, "stop-limit": "limit"})
    both = [shared | target, shared | stop]
    if options.preview:
        preview = desk.preview_oco(both)
        available = preview.display["available"]
        texts = [_preview_text(each, options.side, available) for each in preview.orders]
        value = {name: getattr(preview, name) for name in preview.__slots__}
        value["orders"] = [
            {name: getattr(each, name) for name in each.__slots__} for each in preview.orders
        ]
        code = DONE if preview.affordable else REFUSED
        return Result(value, "\nor\n".join(texts), code)
    outcome = desk.place_oco(both, how=conditions(options))
    orders = order_results(outcome.entries)
    ids = " and ".join(each["id"] for each in orders)
    return change_result(outcome, f"Their ids are {ids}.", orders=orders)


def _kind_with(given: Collection[str]) -> OrderKind:
    """The kind of orders that needs the most of the options ``given``, and no others. What it has
    no place for is refused with its name later."""
    needed = {
        kind: [each.option for each in kind.numbers if not each.is_optional]
        for kind in ORDER_KINDS.values()
    }
    fitting = [kind for kind, names in needed.items() if set(names) <= set(given)]
    return max(fitting, key=lambda kind: len(needed[kind]))


def _preview_text(preview: Preview, side: str, available: str) -> str:
    text = preview.display
    width = max(len(text[name]) for name in _PREVIEW)
    lines = [
        f"{side.capitalize()} {text['quantity']} at {text['price']}, {text['leverage']}, "
        f"{preview.liquidity} fee.",
        *(f"{label:<17}{text[name]:>{width}}" for name, label in _PREVIEW.items()),
        preview.warning,
    ]
    if not preview.affordable:
        lines.append(f"Not enough: this needs {text['cost']}, and {available} is available.")
    return "\n".join(filter(None, lines))


def _cancel(options: argparse.Namespace) -> Result:
    desk, how = desk_of(options), conditions(options)
    if options.order_id == _ALL:
        return change_result(desk.cancel_orders(**how))
    return change_result(desk.cancel_order(options.order_id, **how))


def _amend(options: argparse.Namespace) -> Result:
    members = {name: getattr(options, name) for name in AMENDABLE}
    outcome = desk_of(options).amend_order(options.order_id, how=conditions(options), **members)
    return change_result(outcome, order=order_result(outcome.entries))


def _close(options: argparse.Namespace) -> Result:
    if options.symbol == _ALL:
        if options.quantity or options.percent:
            raise InvalidRequest("All positions are closed as a whole: name no size.")
        every = desk_of(options).close_positions(**conditions(options))
        return change_result(every, orders=order_results(every.entries))
    outcome = desk_of(options).close_position(
        options.symbol, options.quantity, options.percent, **conditions(options)
    )
    return change_result(outcome, order=order_result(outcome.entries))


def _reverse(options: argparse.Namespace) -> Result:
    outcome = desk_of(options).reverse_position(options.symbol, **conditions(options))
    return change_result(outcome, order=order_result(outcome.entries))


def _margin(options: argparse.Namespace) -> Result:
    outcome = desk_of(options).move_margin(options.symbol, options.amount, **conditions(options))
    return change_result(outcome, order=None)


def _leverage(options: argparse.Namespace) -> Result:
    desk = desk_of(options)
    if options.leverage is not None:
        return change_result(
            desk.set_leverage(options.symbol, options.leverage, **conditions(options))
        )
    snapshot = desk.snapshot()
    wanted = options.symbol and symbol(options.symbol, desk.market)
    found = [each for each in snapshot.leverages if wanted in (None, each["symbol"])]
    rows = [
        (each["symbol"], _SOURCES[each["source"]], each["display"]["leverage"]) for each in found
    ]
    head = ["Symbol", "Source", "Leverage"]
    text = table(head, rows, left=2) if rows else "No symbols are known."
    return Result(_members_of(snapshot, leverages=found), text)


def _positions(options: argparse.Namespace) -> Result:
    snapshot = desk_of(options).snapshot()
    rows = _cells(snapshot.positions, _POSITION)
    text = table([*_POSITION.values()], rows, left=2) if rows else "No open positions."
    return Result(_members_of(snapshot, positions=snapshot.positions), text)


def _orders(options: argparse.Namespace) -> Result:
    desk = desk_of(options)
    if options.order_id is not None:
        return _order_record(desk, options.order_id)
    if options.all or options.state or options.symbol or options.limit:
        return _all_orders(desk, options)
    snapshot = desk.snapshot()
    cells = _cells(snapshot.open_orders, _ORDER)
    rows = [[each["id"], *row] for each, row in zip(snapshot.open_orders, cells, strict=True)]
    text = table(["Id", *_ORDER.values()], rows, left=4) if rows else "No open orders."
    return Result(_members_of(snapshot, orders=snapshot.open_orders), text)


def _all_orders(desk: Desk, options: argparse.Namespace) -> Result:
    params = {"state": options.state, "symbol": options.symbol, "limit": options.limit or 20}
    found = desk.orders(**{name: each for name, each in params.items() if each})
    rows = [order_record_row(each, desk.market) for each in found.rows]
    cells = [
        [each["id"], *texts, each["why"]]
        for each, texts in zip(rows, _cells(rows, _RECORD), strict=True)
    ]
    text = table(["Id", *_RECORD.values(), "Why it ended"], cells, left=5) if rows else "No orders."
    if found.total is not None and len(rows) < found.total:
        text += f"\n{len(rows):,} of {found.total:,}; --limit N shows more."
    return Result({"orders": rows, "total": found.total}, text)


def _order_record(desk: Desk, order_id: str) -> Result:
    row = order_record_row(desk.order(order_id), desk.market)
    members, texts = dict(row), row["display"]
    lines = [(label, texts[name]) for name, label in _WHOLE_RECORD.items() if texts[name] != NONE]
    lines += [(label, str(members[name])) for name, label in _OF_RECORD.items() if members[name]]
    return Result({"order": row}, table(["Order", row["id"]], lines, left=2))


def _prices(options: argparse.Namespace) -> Result:
    market = desk_of(options).snapshot().market
    prices = market["prices"]
    cells = _cells(prices.values(), _PRICE)
    rows = [
        [symbol, row["state"].capitalize(), *texts]
        for (symbol, row), texts in zip(prices.items(), cells, strict=True)
    ]
    head = ["Symbol", "State", *_PRICE.values()]
    text = table(head, rows, left=2) if rows else "No prices are known."
    return Result(market, "\n".join(filter(None, (text, market["words"]))))


def _cells(rows: Any, names: Mapping[str, str]) -> list[Sequence[str]]:
    return [[row["display"][name] for name in names] for row in rows]


def _members_of(snapshot: Snapshot, **rows: Any) -> dict[str, Any]:
    return {"revision": snapshot.revision, "as_of": snapshot.as_of, **rows}
