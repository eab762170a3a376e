"""An agent on the account of a data folder: its tools, answered from the files of the folder.

Orders fill at the prices of the server that runs there, as those of the shell do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from balance.agents.account import AccountTools, BacktestRunner
from balance.agents.calls import call_of, for_agent
from balance.agents.running_server import RunningServer
from balance.agents.tool import TOOLS, Tool
from balance.alerts.alerts import FollowedAlerts
from balance.api.bots import BotRoutes
from balance.api.history import HistoryRoutes
from balance.api.operations import operations_of
from balance.api.problems import Problem
from balance.api.services import Services
from balance.api.settings import settings_document
from balance.api.trade import TradeRoutes
from balance.background.worker import Worker
from balance.backtests.jobs import Backtests
from balance.backtests.saved_market import saved_market
from balance.bots.followed import FollowedBots
from balance.core.errors import BalanceError, InvalidRequest
from balance.desk.settings import SettingsFile
from balance.keys.key import Activity
from balance.keys.keys import Keys
from balance.open_account import open_account
from balance.performance.performance import Equity
from balance.strategies.own import Catalogue, OwnStrategies

# How often what was requested is saved at most, in seconds.
_REPORT_SECONDS: Final = 0.5
_LONGEST_CLIENT: Final = 80

_BY_NAME: Final[Mapping[str, Tool]] = {each.name: each for each in TOOLS}


class Agent:
    """The agent ``name`` on the account in a folder. Safe to use from many threads."""

    def __init__(self, folder: Path, name: str, strategies: Path | None = None) -> None:
        """Make its record among the keys, where there is none. ``strategies`` is a folder of a
        person's own.

        Raises:
            InvalidRequest: it can't be called so, or a key is.
            StoreError: the account or the keys are damaged, or the folder is not writable.
        """
        self.name = name
        self._folder = folder
        self._desk = desk = open_account(folder)
        self._catalogue = Catalogue(OwnStrategies(strategies))
        self._settings = SettingsFile(folder)
        self._keys = Keys(desk, folder)
        self._server = RunningServer(folder)
        services = Services(
            bots=FollowedBots(desk, folder, self._catalogue),
            backtests=Backtests(lambda: desk.market, lambda *_: (), lambda *_: None, Catalogue()),
            settings=self._settings,
            alerts=FollowedAlerts(desk, folder),
            equity=Equity(desk, folder, desk.ledger),
            keys=self._keys,
            damages=desk.ledger.damages,
            leads=False,
        )
        resources = (
            AccountTools(desk, services.equity, self._backtests),
            TradeRoutes(desk, name),
            HistoryRoutes(desk, services),
            BotRoutes(services),
        )
        self._resources: Mapping[str, object] = {
            operation.id: resource
            for resource in resources
            for operation in operations_of(type(resource))
        }

        self._introduce()
        self._reporter = Worker(
            "reporter",
            self._report,
            "what the agent requested could not be saved",
            settle=_REPORT_SECONDS,
            last=self._report,
        )
        self._reporter.start()

    def call(self, name: str, arguments: Mapping[str, Any], client: str = "") -> dict[str, Any]:
        """The answer of the tool ``name`` to ``arguments``, which ``client`` sends, as it calls
        itself.

        Raises:
            BalanceError, Problem: there is no such tool, or it refuses that; the message says why.
        """
        tool = _BY_NAME.get(name)
        if tool is None:
            raise InvalidRequest(f"There is no tool {name!r:.60}. tools/list has those there are.")
        self._keys.record(
            self.name, Activity(datetime.now(UTC), "", name, client[:_LONGEST_CLIENT])
        )
        try:
            return self._answer(tool, arguments)
        except (BalanceError, Problem) as fault:
            if tool.changes:
                self._keys.refuse(self.name, name, str(fault))
            raise
        finally:
            self._reporter.wake()

    def stop(self) -> None:
        """Have the server know of the last call."""
        self._reporter.stop()

    def _answer(self, tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
        call = call_of(tool, arguments, self.name)
        if tool.opens and not self._only_reduces(call.arguments):
            self._check_key()
            call = replace(call, check=self._check_key)
        if tool.needs_server:
            return self._server.answer(call)
        return call.answered_by(self._resources[tool.name])

    def ledger(self, before: str | None = None) -> dict[str, Any]:
        """The newest 50 entries of the ledger, or those from before ``before``."""
        page = self._desk.history(before=before)
        return {"entries": for_agent(page.entries), "next": page.next}

    def settings(self) -> dict[str, Any]:
        """The settings that the account trades on, and what each may be."""
        found: dict[str, Any] = for_agent(settings_document(self._settings.state))
        return found

    def _introduce(self) -> None:
        self._keys.begin()
        if self._keys.named(self.name) is None:
            try:
                self._keys.add(self.name, "agent")
            except InvalidRequest:
                # Another session may have been first.
                if self._keys.named(self.name) is None:
                    raise
        if self._keys.get(self.name).kind != "agent":
            raise InvalidRequest(
                f"{self.name} is the name of a key. Call the agent otherwise: --name agent."
            )

    def _report(self) -> None:
        self._keys.share(self.name)

    def _check_key(self) -> None:
        """Prove that the agent may open something.

        Raises:
            InvalidRequest: it may not now.
        """
        key = self._keys.named(self.name)
        if key is None:
            raise InvalidRequest(
                f"The agent {self.name} is revoked and opens nothing. It may still cancel and "
                "close; only a person can let it open again, by starting it anew."
            )
        if key.is_paused:
            raise InvalidRequest(
                f"The agent {self.name} is paused and opens nothing. It may still cancel, close, "
                "and place reduce-only orders; only a person can resume it, on the Auto tab."
            )

    def _only_reduces(self, arguments: Mapping[str, Any]) -> bool:
        """Whether all orders in ``arguments`` only reduce: those that are to be placed, or the one
        that is to be amended."""
        order_id = arguments.get("order_id")
        if order_id is not None:
            orders = self._desk.account().orders
            return any(each.reduce_only for each in orders if order_id in (each.id, each.client_id))
        orders = arguments.get("orders", [arguments])
        return all(each.get("reduce_only") is True for each in orders)

    def _backtests(self) -> BacktestRunner:
        try:
            feed = saved_market(self._folder, "start the server, which has one")
        except InvalidRequest:
            if self._desk.market.state == "live":
                return self._server
            raise
        market = replace(self._desk.market, instruments=feed.instruments)
        return Backtests(lambda: market, feed.candles, feed.settlement, self._catalogue)
