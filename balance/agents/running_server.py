"""The server that runs on the folder: it does what only it can, such as to start a bot."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from balance.agents.calls import Call
from balance.api.encoding import encoded
from balance.api.guards import TOKEN_VARIABLE
from balance.api.problems import Problem
from balance.backtests.jobs import BacktestRow
from balance.core.errors import InvalidRequest
from balance.keys.addresses import AddressFile
from balance.market.board import stopped_message

# How long an answer may take, in seconds.
_PATIENCE: Final = 30.0


class RunningServer:
    """The server that leads on ``folder``, over HTTP."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._addresses = AddressFile(folder)

    def answer(self, call: Call) -> dict[str, Any]:
        """Its answer to ``call``.

        Raises:
            InvalidRequest: it does not run, or gives no answer.
            Problem: it refuses that.
        """
        method = call.tool.operation.method
        document, headers = self._request(method, call.path, call.body, call.key)
        return call.shown(document, is_replayed="Idempotency-Replayed" in headers)

    def start(self, members: Mapping[str, Any]) -> BacktestRow:
        """Start a backtest there, as ``Backtests`` does here."""
        document, _ = self._request("POST", "/backtests", encoded(members))
        row: BacktestRow = document["backtest"]
        return row

    def row(self, backtest_id: str) -> BacktestRow:
        """How that backtest stands."""
        document, _ = self._request("GET", f"/backtests/{backtest_id}")
        row: BacktestRow = document["backtest"]
        return row

    def _request(
        self, method: str, path: str, body: str | None = None, key: str | None = None
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """The members and the headers of its answer."""
        # Loaded here, as most tools need no HTTP.
        import requests

        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if token := os.environ.get(TOKEN_VARIABLE):
            headers["Authorization"] = f"Bearer {token}"
        address = self._addresses.latest.rest
        if not address:
            raise InvalidRequest(stopped_message(self._folder))
        try:
            with requests.Session() as session:
                # No proxy stands between two programs of one machine.
                session.trust_env = False
                answer = session.request(
                    method, f"{address}{path}", data=body, headers=headers, timeout=_PATIENCE
                )
            document = json.loads(answer.text, parse_float=Decimal)
            fault_there = "" if answer.ok else document["detail"]
        except requests.ConnectionError as fault:
            raise InvalidRequest(stopped_message(self._folder)) from fault
        except (requests.RequestException, ValueError, LookupError, TypeError) as fault:
            raise InvalidRequest(
                f"The server at {address} gave no answer that can be read. Look whether it runs, "
                "then try again with the same idempotency_key."
            ) from fault
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            fault_there = (
                f"The server asks for its token: give it to this program in {TOKEN_VARIABLE}."
            )
        if not answer.ok:
            raise Problem(answer.status_code, fault_there)
        return document, answer.headers
