"""The routes of the market: prices, candles, orders and positions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, request

from balance.api.answers import changed, json_answer
from balance.api.requests import conditions, order_wanted, size_wanted, whole_number
from balance.core.errors import InvalidRequest
from balance.core.moments import iso
from balance.core.rows import order_result
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.desk.transactions import Outcome

_TIMEFRAME: Final = re.compile(r"(\d{1,4})([mhd])", re.ASCII)
_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400}


def add_trade_routes(api: Blueprint, desk: Desk) -> None:
    """Let ``api`` serve the market that ``desk`` trades on."""
    _add_readers(api, desk)
    _add_changes(api, desk)


def _add_readers(api: Blueprint, desk: Desk) -> None:
    @api.get("/prices")
    def prices() -> Response:
        return json_answer({"status": "success", **desk.snapshot().market})

    @api.get("/candles/<path:symbol>")
    def candles(symbol: str) -> Response:
        limit = whole_number(request, "limit")
        found = desk.candles(
            symbol, _seconds(request.args.get("timeframe", "1m")), 500 if limit is None else limit
        )
        names = ("open", "high", "low", "close", "volume")
        rows = [
            {"time": iso(each.time), **{name: getattr(each, name) for name in names}}
            for each in found
        ]
        return json_answer({"status": "success", "candles": rows})

    @api.get("/positions")
    def positions() -> Response:
        snapshot = desk.snapshot()
        return json_answer(_listed(snapshot, positions=snapshot.positions))

    @api.get("/orders")
    def orders() -> Response:
        snapshot = desk.snapshot()
        return json_answer(_listed(snapshot, orders=snapshot.open_orders))

    @api.get("/fills")
    def fills() -> Response:
        limit = whole_number(request, "limit")
        page = desk.fills(limit=50 if limit is None else limit, before=request.args.get("before"))
        return json_answer({"status": "success", "fills": page.entries, "next": page.next})


def _add_changes(api: Blueprint, desk: Desk) -> None:
    @api.post("/orders")
    def place() -> Response:
        members = order_wanted(request)
        return _traded(desk.place_order(how=conditions(request), **members))

    @api.post("/orders/preview")
    def preview() -> Response:
        seen = desk.preview_order(**order_wanted(request))
        members = {name: getattr(seen, name) for name in seen.__slots__}
        return json_answer({"status": "success", **members})

    @api.delete("/orders/<order_id>")
    def cancel(order_id: str) -> Response:
        return _traded(desk.cancel_order(order_id, **conditions(request)))

    @api.delete("/orders")
    def cancel_all() -> Response:
        return _traded(desk.cancel_orders(request.args.get("symbol"), **conditions(request)))

    @api.post("/positions/<path:symbol>/close")
    def close(symbol: str) -> Response:
        size = size_wanted(request)
        return _traded(desk.close_position(symbol, **size, **conditions(request)))


def _listed(snapshot: Snapshot, **rows: Any) -> Mapping[str, Any]:
    return {"status": "success", "revision": snapshot.revision, "as_of": snapshot.as_of, **rows}


def _traded(outcome: Outcome) -> Response:
    return changed(outcome, order=order_result(outcome.entries))


def _seconds(timeframe: str) -> int:
    match = _TIMEFRAME.fullmatch(timeframe)
    if match is None:
        raise InvalidRequest(f"timeframe must be such as 1m, 15m, 4h or 1d, not {timeframe!r:.40}.")
    return int(match[1]) * _SECONDS[match[2]]
