"""The server that runs on the folder: it does what only it can, such as to start a bot."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from balance.agents.calls import Call
from balance.api.problems import Problem
from balance.core.errors import InvalidRequest
from balance.keys.addresses import AddressFile
from balance.market.board import stopped_message

#: The environment variable that gives the token of a server that asks for one.
TOKEN_VARIABLE: Final = "VIRTUAL_BALANCE_TOKEN"  # noqa: S105 - its name

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
        # Loaded here, as most tools need no HTTP.
        import requests

        headers = {"Content-Type": "application/json"}
        if call.key is not None:
            headers["Idempotency-Key"] = call.key
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
                    call.tool.operation.method,
                    f"{address}{call.path}",
                    data=call.body,
                    headers=headers,
                    timeout=_PATIENCE,
                )
            document = json.loads(answer.text, parse_float=Decimal)
        except requests.ConnectionError as fault:
            raise InvalidRequest(stopped_message(self._folder)) from fault
        except (requests.RequestException, ValueError) as fault:
            raise InvalidRequest(
                f"The server at {address} gave no answer that can be read. Look whether it runs, "
                "then try again with the same idempotency_key."
            ) from fault
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise Problem(
                answer.status_code,
                f"The server asks for its token: give it to this program in {TOKEN_VARIABLE}.",
            )
        if not answer.ok:
            raise Problem(answer.status_code, document["detail"])
        return call.shown(document, is_replayed="Idempotency-Replayed" in answer.headers)
