"""The routes of the equity over time, and of the account's performance."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Protocol

from flask import Blueprint, Response, request

from balance.api.answers import json_answer
from balance.api.encoding import success

#: The range that is told unless another is asked for.
USUAL_RANGE: Final = "day"


class Equity(Protocol):
    """The equity over time, as the routes use it. What is refused raises an error of
    ``balance.core.errors``."""

    def curve(self, wanted: str) -> Mapping[str, Any]:
        """Its points over the range ``wanted``, with marks and figures."""

    def performance(self) -> Mapping[str, Any]:
        """The figures of the account's performance, each with how it comes about."""

    def of_epoch(self, epoch: int) -> tuple[Decimal | None, Decimal | None]:
        """Return and largest fall of an epoch, in percent; None where that is not known."""


def add_equity_routes(api: Blueprint, equity: Equity) -> None:
    """Let ``api`` serve ``equity``."""

    @api.get("/equity")
    def curve() -> Response:
        return json_answer(success(equity.curve(request.args.get("range", USUAL_RANGE))))

    @api.get("/performance")
    def performance() -> Response:
        return json_answer(success(equity.performance()))
