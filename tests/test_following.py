"""Two servers on one folder: one lets the market act, the other shows its prices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from balance.server.follower import take_market
from balance.store.recovery import verify
from tests.listening import Listener
from tests.screen import wait_for
from tests.serving import Server

_BUY = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01}


def _last(server: Server) -> float | None:
    prices = server.get("/prices").json()["prices"]
    return prices["BTC/USDT"]["last"] if prices else None


def test_a_second_server_follows_the_prices_of_the_first(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first = start_server()
    second = start_server("--seed", "5")
    assert "Another server runs here already: prices are those that it has." in second.said[-1]
    wait_for(lambda: _last(second) is not None, "the first server's prices on the second")
    told = {_last(second)}
    wait_for(lambda: told.add(_last(second)) or len(told) > 2, "prices that move")
    # those of a market that the second one would have made are far from these
    last = _last(first)
    assert last is not None
    assert all(price is not None and abs(price / last - 1) < 0.02 for price in told)
    with Listener(second.port) as listener:
        bought = second.post(_BUY, "/orders").json()
        assert bought["order"]["status"] == "filled"
        wait_for(lambda: first.get("/positions").json()["positions"], "the position on the first")
        listener.until(bought["revision"])
    assert verify(folder).faults == ()


def test_with_the_first_server_the_prices_of_the_second_stop(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first, second = start_server(), start_server()
    wait_for(lambda: _last(second) is not None, "prices")
    first.stop()
    wait_for(lambda: second.get("/prices").json()["state"] == "stale", "stale prices")
    refused = second.post(_BUY, "/orders")
    assert refused.status_code == 503
    assert "is not running" in refused.json()["detail"]
    third = start_server()
    assert "Another server runs here already" not in "".join(third.said)
    wait_for(lambda: second.get("/prices").json()["state"] == "live", "live prices again")
    assert second.post(_BUY, "/orders").status_code == 200


def test_the_market_is_taken_by_one_at_a_time(folder: Path) -> None:
    folder.mkdir()
    lock = take_market(folder)
    assert lock is not None
    assert take_market(folder) is None
    lock.release()
    again = take_market(folder)
    assert again is not None
    again.release()
