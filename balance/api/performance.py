"""The equity over time and the account's performance over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

from balance.api.operations import Answer, get
from balance.core.shape import Doc
from balance.performance.account_figures import Performance
from balance.performance.curve import RANGES, Curve
from balance.performance.performance import Equity

#: The range of the curve unless a request names another.
USUAL_RANGE: Final = "day"

Range = Annotated[str, Doc("How far back.", enum=list(RANGES))]


class PerformanceRoutes:
    """The equity over time, and the figures of performance."""

    tag = "performance"

    def __init__(self, equity: Equity) -> None:
        self._equity = equity

    @get("/equity", 422)
    def read_curve(self, range: Range = USUAL_RANGE) -> Answer[Curve]:  # noqa: A002 - its name
        """The equity over time, with what moved it."""
        return Answer(self._equity.curve(range))

    @get("/performance")
    def read_performance(self) -> Answer[Performance]:
        """The figures of the account's performance, and how every figure comes about."""
        return Answer(self._equity.performance())
