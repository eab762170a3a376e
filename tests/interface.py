"""The HTTP interface of bots that a test moves by hand, without a screen; each answer is proved to
be as described."""

from __future__ import annotations

from typing import Any

from flask import Flask

from balance.alerts.alerts import Alerts
from balance.api.guards import Guards
from balance.api.problems import answer_with_problems
from balance.api.routes import create_api
from balance.api.services import Services
from balance.api.stream import Stream
from balance.backtests.jobs import Backtests
from balance.desk.settings import SettingsFile
from balance.keys.keys import Keys
from balance.performance.performance import Equity
from balance.store.damage import Damages
from balance.strategies.own import Catalogue
from tests.accounts import MOMENT
from tests.answers import exactly, problem
from tests.bots_by_hand import ByHand
from tests.described import check
from tests.patience import wait_for


class Interface:
    """Asks it, as a program does."""

    def __init__(self, by_hand: ByHand, guards: Guards | None = None) -> None:
        server = Flask(__name__)
        (guards or Guards()).stand_before(server)
        answer_with_problems(server)
        backtests = Backtests(lambda: by_hand.market, by_hand.candles, lambda *_: None, Catalogue())
        self.alerts = Alerts(by_hand.desk)
        services = Services(
            bots=by_hand.bots,
            backtests=backtests,
            settings=SettingsFile(),
            alerts=self.alerts,
            keys=Keys(by_hand.desk, clock=lambda: MOMENT),
            equity=Equity(by_hand.desk),
            damages=Damages(),
        )
        self.keys = services.keys
        stream = Stream(1)
        by_hand.bots.subscribe(stream.publish_bots)
        server.register_blueprint(create_api(by_hand.desk, stream, services))
        self.client = server.test_client()

    def ask(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """The answer to a request with ``body`` as JSON (None: without one)."""
        if body is not None:
            how["json"] = body
        answer = self.client.open(path, method=method, **how)
        check(answer, method, path)
        return answer

    def told(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """What it answers, which must go well."""
        answer = self.ask(method, path, body, **how)
        assert answer.status_code in (200, 202), answer.text
        told = exactly(answer)
        assert told["status"] == "success"
        return told

    def refused(self, status: int, method: str, path: str, body: Any = None, **how: Any) -> str:
        """The detail of the problem that it answers."""
        detail: str = problem(self.ask(method, path, body, **how), status)["detail"]
        return detail

    def ended(self, backtest: Any) -> Any:
        """How ``backtest`` stands once it has ended."""
        path = f"/backtests/{backtest['id']}"

        def ended() -> Any:
            now = self.told("GET", path)["backtest"]
            return now["state"] != "running" and now

        return wait_for(ended, "the end of the backtest")
