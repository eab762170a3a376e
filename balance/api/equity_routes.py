"""The routes of the equity over time, and of the account's performance."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from balance.api.answers import json_answer
from balance.api.encoding import success
from balance.performance.performance import Equity

#: The range of the curve unless a request names another.
USUAL_RANGE: Final = "day"


def add_equity_routes(api: Blueprint, equity: Equity) -> None:
    """Let ``api`` serve ``equity``."""

    @api.get("/equity")
    def curve() -> Response:
        return json_answer(success(equity.curve(request.args.get("range", USUAL_RANGE))))

    @api.get("/performance")
    def performance() -> Response:
        return json_answer(success(equity.performance()))
