"""The commands that trade: ``python -m balance order buy BTC/USDT 0.01`` and its like."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, Final

from balance.core.order import ORDER_KINDS
from balance.core.preview import Preview
from balance.core.rows import order_result
from balance.core.snapshot import Snapshot
from balance.shell.parts import (
    DONE,
    REFUSED,
    AddCommand,
    add_conditions,
    conditions,
    desk_of,
    print_answer,
    print_change,
    table,
)

_ALL: Final = "all"
# The kinds of orders that name a price, which an option of its own tells.
_PRICED: Final = tuple(kind for kind in ORDER_KINDS.values() if kind.option)
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
    "leverage": "Leverage",
    "reserved_margin": "Margin",
    "exits": "Take-profit / stop-loss",
}
_PRICE: Final = {
    "bid": "Bid",
    "ask": "Ask",
    "last": "Last",
    "mark": "Mark",
    "change_percent": "24 h",
    "funding_rate": "Funding",
}
_PREVIEW: Final = {
    "notional": "Notional",
    "margin": "Initial margin",
    "fee": "Fee",
    "cost": "Needed",
    "available_after": "Available after",
    "liquidation_price": "Liquidation",
}


def add_trade_commands(command: AddCommand) -> None:
    """Add the commands of prices, orders and positions."""
    command("prices", "show the newest prices", _prices)
    _add_order_options(
        command("order", "place an order, at market unless a price is given", _order)
    )
    command("orders", "list the open orders", _orders)
    cancel = command("cancel", "cancel an open order, or all of them", _cancel)
    cancel.add_argument("order_id", metavar="ORDER_ID|all", help="as orders lists it")
    add_conditions(cancel)
    command("positions", "list the open positions", _positions)
    _add_close_options(command("close", "close a position at market, or a part of it", _close))


def _add_order_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("side", type=str.lower, choices=("buy", "sell"), help="buy or sell")
    parser.add_argument("symbol", metavar="SYMBOL", help="such as BTC/USDT or btcusdt")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quantity", metavar="N", help="the size in base units, such as 0.01")
    size.add_argument("--notional", metavar="N", help="the size in the quote currency")
    size.add_argument(
        "--percent",
        metavar="N",
        help="the size in percent of the available balance; reduce-only, of the position",
    )
    price = parser.add_mutually_exclusive_group()
    for kind in _PRICED:
        price.add_argument(f"--{kind.option}", metavar="PRICE", help=kind.explanation)
    parser.add_argument("--leverage", metavar="N", help="such as 10")
    parser.add_argument("--reduce-only", action="store_true", help="only close, never open")
    parser.add_argument(
        "--take-profit", metavar="PRICE", help="attach a take-profit to the position it opens"
    )
    parser.add_argument(
        "--stop-loss", metavar="PRICE", help="attach a stop-loss to the position it opens"
    )
    parser.add_argument(
        "--preview", action="store_true", help="only say what it would do; place nothing"
    )
    add_conditions(parser)


def _add_close_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("symbol", metavar="SYMBOL", help="such as BTC/USDT or btcusdt")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quantity", metavar="N", help="in base units (all of it)")
    size.add_argument("--percent", metavar="N", help="of the position (100)")
    add_conditions(parser)


def _order(options: argparse.Namespace) -> int:
    desk, members = desk_of(options), _members(options)
    if options.preview:
        seen = desk.preview_order(**members)
        available = desk.snapshot().display["available_balance"]
        value = {name: getattr(seen, name) for name in seen.__slots__}
        words = _previewed(seen, options.side, available)
        print_answer(options, {"status": "success", **value}, words)
        return DONE if seen.affordable else REFUSED
    outcome = desk.place_order(how=conditions(options), **members)
    order = order_result(outcome.entries)
    is_open = order is not None and order["status"] == "open"
    words = f"Its id is {order['id']}." if order is not None and is_open else ""
    print_change(options, outcome, words, order=order)
    return DONE


def _members(options: argparse.Namespace) -> dict[str, Any]:
    """The order that ``options`` ask for, as the desk takes it."""
    same = ("side", "symbol", "quantity", "notional", "percent", "leverage", "reduce_only")
    members = {name: getattr(options, name) for name in (*same, "take_profit", "stop_loss")}
    for kind in _PRICED:
        price = getattr(options, kind.option.replace("-", "_"))
        if price is not None:
            return {**members, "type": kind.type, kind.price: price}
    return members


def _previewed(seen: Preview, side: str, available: str) -> str:
    text = seen.display
    width = max(len(text[name]) for name in _PREVIEW)
    lines = [
        f"{side.capitalize()} {text['quantity']} at {text['price']}, {text['leverage']}, "
        f"{seen.liquidity} fee.",
        *(f"{label:<17}{text[name]:>{width}}" for name, label in _PREVIEW.items()),
        seen.warning,
    ]
    if not seen.affordable:
        lines.append(f"Not enough: this needs {text['cost']}, and {available} is available.")
    return "\n".join(filter(None, lines))


def _cancel(options: argparse.Namespace) -> int:
    desk, how = desk_of(options), conditions(options)
    if options.order_id == _ALL:
        outcome = desk.cancel_orders(**how)
    else:
        outcome = desk.cancel_order(options.order_id, **how)
    print_change(options, outcome)
    return DONE


def _close(options: argparse.Namespace) -> int:
    outcome = desk_of(options).close_position(
        options.symbol, options.quantity, options.percent, **conditions(options)
    )
    print_change(options, outcome, order=order_result(outcome.entries))
    return DONE


def _positions(options: argparse.Namespace) -> int:
    snapshot = desk_of(options).snapshot()
    rows = _cells(snapshot.positions, _POSITION)
    words = table([*_POSITION.values()], rows, left=2) if rows else "No open positions."
    print_answer(options, _listed(snapshot, positions=snapshot.positions), words)
    return DONE


def _orders(options: argparse.Namespace) -> int:
    snapshot = desk_of(options).snapshot()
    ids = [each["id"] for each in snapshot.open_orders]
    cells = _cells(snapshot.open_orders, _ORDER)
    rows = [[order_id, *row] for order_id, row in zip(ids, cells, strict=True)]
    words = table(["Id", *_ORDER.values()], rows, left=4) if rows else "No open orders."
    print_answer(options, _listed(snapshot, orders=snapshot.open_orders), words)
    return DONE


def _prices(options: argparse.Namespace) -> int:
    market = desk_of(options).snapshot().market
    prices = market["prices"]
    cells = _cells(prices.values(), _PRICE)
    rows = [
        [symbol, row["state"].capitalize(), *texts]
        for (symbol, row), texts in zip(prices.items(), cells, strict=True)
    ]
    head = ["Symbol", "State", *_PRICE.values()]
    told = table(head, rows, left=2) if rows else "No prices are known."
    words = "\n".join(filter(None, (told, market["words"])))
    print_answer(options, {"status": "success", **market}, words)
    return DONE


def _cells(rows: Any, names: Mapping[str, str]) -> list[Sequence[str]]:
    return [[row["display"][name] for name in names] for row in rows]


def _listed(snapshot: Snapshot, **rows: Any) -> dict[str, Any]:
    return {"status": "success", "revision": snapshot.revision, "as_of": snapshot.as_of, **rows}
