"""What agents have beside the HTTP interface: the account at a glance, and a whole backtest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Protocol, TypedDict

from balance.api.backtests import BacktestRange
from balance.api.operations import Answer, get, post
from balance.api.requests import Body
from balance.backtests.jobs import BacktestRow
from balance.backtests.report import Report
from balance.bots.settings import BotSettings
from balance.core.errors import InvalidRequest
from balance.core.shape import Doc, fields_of, includes
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.performance.account_figures import Performance
from balance.performance.performance import Equity

# What of the snapshot has a tool of its own, or is for a screen.
_ELSEWHERE: Final = ("market", "leverages", "recent_news", "tick", "instance", "can_undo_reset")
# What of a report is for a chart, and what of the figures shows a person how they come about.
_FOR_CHARTS: Final = ("curve", "figures")
_DERIVATIONS: Final = ("derivations",)
_POLL_SECONDS: Final = 0.02


def _without(shape: type, names: tuple[str, ...]) -> Mapping[str, Any]:
    return {name: each.hint for name, each in fields_of(shape).items() if name not in names}


@includes(_without(Snapshot, _ELSEWHERE))
class AccountOverview(TypedDict):
    """The account as it is now."""


@includes(_without(Performance, _DERIVATIONS))
class AccountPerformance(TypedDict):
    """The figures of the account's performance."""


@includes(_without(Report, _FOR_CHARTS))
class TestedStrategy(TypedDict):
    """What came of a backtest."""

    words: Annotated[str, Doc("What else there is to know.")]


TradesShown = Annotated[int, Doc("How many of the newest trades to list.", minimum=0, maximum=500)]
TestBody = Annotated[
    dict[str, Any], Body(BotSettings, BacktestRange, required=["strategy", "symbol"])
]


class BacktestRunner(Protocol):
    """Runs backtests: :class:`~balance.backtests.jobs.Backtests` here, or the server."""

    def start(self, members: Mapping[str, Any]) -> BacktestRow:
        """Start one of the settings in ``members``."""

    def row(self, backtest_id: str) -> BacktestRow:
        """How it stands."""


class AccountTools:
    """The account of a folder, and backtests on the past of its market."""

    tag = "agents"

    def __init__(self, desk: Desk, equity: Equity, backtests: Callable[[], BacktestRunner]) -> None:
        """``backtests`` are on the past that there is at the time of the call."""
        self._desk = desk
        self._equity = equity
        self._backtests = backtests

    @get("/account")
    def read_account(self) -> Answer[AccountOverview]:
        """The account now: balance, equity, margin, P&L, open positions and open orders."""
        return Answer(self._desk.snapshot())

    @get("/performance")
    def read_performance(self) -> Answer[AccountPerformance]:
        """The figures of the account's performance in this epoch: return, drawdown, Sharpe ratio,
        trades, P&L; null where one is not known yet."""
        return Answer(self._equity.performance())

    @post("/backtest")
    def run_backtest(self, body: TestBody, trades: TradesShown = 20) -> Answer[TestedStrategy]:
        """Test a strategy on the past of this market, and wait for the result: its figures and its
        newest trades. It trades nothing. list_strategies has the strategies and their params."""
        jobs = self._backtests()
        row = jobs.start(body)
        while row["state"] == "running":
            time.sleep(_POLL_SECONDS)
            row = jobs.row(row["id"])
        if row["result"] is None:
            raise InvalidRequest(row["words"])
        rows = row["result"]["rows"][:trades]
        return Answer({**row["result"], "rows": rows, "words": row["words"]})
