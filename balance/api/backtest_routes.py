"""The routes of backtests, and of the files of candles that they may run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from flask import Blueprint, Response, request

from balance.api.answers import json_answer
from balance.api.bot_requests import backtest_wanted, candles_wanted


class Backtests(Protocol):
    """The backtests, as the routes use them. What is refused raises an error of
    ``balance.core.errors``."""

    def start(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin one of the settings ``members``; how it stands."""

    def row(self, wanted: str) -> Mapping[str, Any]:
        """How the one with the id ``wanted`` stands."""

    def cancel(self, wanted: str) -> Mapping[str, Any]:
        """End it; how it stands."""

    def keep(
        self, name: str, data: bytes, symbol: str | None, date_format: str | None
    ) -> Mapping[str, Any]:
        """Keep the file of candles ``data``; what is in it."""


def add_backtest_routes(api: Blueprint, backtests: Backtests) -> None:
    """Let ``api`` serve ``backtests``."""

    @api.post("/backtests")
    def start_backtest() -> Response:
        response = _told(backtests.start(backtest_wanted(request)))
        response.status_code = 202
        return response

    @api.get("/backtests/<backtest_id>")
    def backtest(backtest_id: str) -> Response:
        return _told(backtests.row(backtest_id))

    @api.delete("/backtests/<backtest_id>")
    def cancel_backtest(backtest_id: str) -> Response:
        return _told(backtests.cancel(backtest_id))

    @api.post("/candles")
    def keep_candles() -> Response:
        file = backtests.keep(
            request.args.get("name", "candles.csv"),
            candles_wanted(request),
            request.args.get("symbol"),
            request.args.get("date_format"),
        )
        return json_answer({"status": "success", "file": file})


def _told(row: Mapping[str, Any]) -> Response:
    return json_answer({"status": "success", "backtest": row})
