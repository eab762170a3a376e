"""Programs that trade on an account beside the tests, and tell which orders they were told of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeVar

import requests

from balance import StoreBusy, UnknownPosition, open_account
from balance.core.rows import order_result
from tests.markets import BTC, ETH
from tests.patience import patience

_BUSY: Final = "Nothing was changed; try again."
_Result = TypeVar("_Result")


def orders(name: str, rounds: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What one program orders, each with a key: at market, and far from it."""
    for number in range(rounds):
        yield f"{name}-{number}-at-market", {"symbol": BTC, "side": "buy", "quantity": "0.001"}
        yield (
            f"{name}-{number}-waits",
            {"symbol": ETH, "side": "buy", "type": "limit", "quantity": "0.01", "price": "600"},
        )


def trade_by_module(folder: Path, told: Connection, name: str, rounds: int) -> None:
    """Place orders, each twice with its key, cancel those that wait, and close now and then, as
    another Python program does; tells the ids of the orders that were filled."""
    account, filled = open_account(folder), []
    for key, members in orders(name, rounds):
        for _ in range(2):
            outcome = _tried(account.place_order, how={"idempotency_key": key}, **members)
        order = order_result(outcome.entries)
        assert order is not None
        if order["status"] == "filled":
            filled.append(order["id"])
            continue
        _tried(account.cancel_order, order["id"], idempotency_key=f"{key}-cancel")
        try:
            closed = _tried(account.close_position, BTC, "0.001")
        except UnknownPosition:
            continue  # another program was first
        filled.append(order_result(closed.entries)["id"])  # type: ignore[index]
    told.send(filled)


def trade_by_http(url: str, told: Connection, name: str, rounds: int) -> None:
    """As :func:`trade_by_module`, with requests to the server at ``url``."""
    filled = []
    with requests.Session() as session:
        for key, members in orders(name, rounds):
            body = {
                each: float(value) if each in ("quantity", "price") else value
                for each, value in members.items()
            }
            for _ in range(2):
                answer = _answered(session, "POST", f"{url}/orders", key, body)
            order = answer.json()["order"]
            if order["status"] == "filled":
                filled.append(order["id"])
                continue
            _answered(session, "DELETE", f"{url}/orders/{order['id']}", f"{key}-cancel")
            path = f"{url}/positions/BTC-USDT/close"
            closed = _answered(session, "POST", path, f"{key}-close", {"quantity": 0.001})
            if closed.ok:
                filled.append(closed.json()["order"]["id"])
    told.send(filled)


def _tried(call: Callable[..., _Result], *arguments: Any, **named: Any) -> _Result:
    """What ``call`` returns, tried again while another program holds the lock."""
    while True:
        try:
            return call(*arguments, **named)
        except StoreBusy:
            time.sleep(0.01)


def _answered(
    session: requests.Session, method: str, url: str, key: str, body: Any = None
) -> requests.Response:
    while True:
        headers = {"Idempotency-Key": key}
        answer = session.request(method, url, json=body, headers=headers, timeout=patience())
        if answer.ok or (answer.status_code == 404 and url.endswith("/close")):
            return answer
        if _BUSY not in answer.text:
            raise RuntimeError(answer.text)
