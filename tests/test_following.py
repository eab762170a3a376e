"""Several servers on one folder: one lets the market act, the others show its prices, and one of
them takes over when it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from aiohttp import WSCloseCode

from balance import open_account
from balance.binance.signature import KEY_HEADER
from balance.keys.state import key_file
from balance.store.verification import verify
from tests import listening
from tests.screen import wait_for
from tests.serving import Server
from tests.streams import Listener

_BUY = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01}


def _last(server: Server) -> float | None:
    prices = server.get("/prices").json()["prices"]
    return prices["BTC/USDT"]["last"] if prices else None


def _is_live(server: Server) -> bool:
    return bool(server.get("/prices").json()["state"] == "live")


def test_a_second_server_follows_the_prices_of_the_first(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first = start_server()
    second = start_server("--seed", "5")
    assert "Another server runs here already: prices are those that it has." in second.said[-1]
    assert "When it ends, this one takes over." in second.said[-1]
    wait_for(lambda: _last(second) is not None, "the first server's prices on the second")
    told = {_last(second)}
    wait_for(lambda: told.add(_last(second)) or len(told) > 2, "prices that move")
    # those of a market that the second one would have made are far from these
    last = _last(first)
    assert last is not None
    assert all(price is not None and abs(price / last - 1) < 0.02 for price in told)
    with listening.Listener(second.port) as listener:
        bought = second.post(_BUY, "/orders").json()
        assert bought["order"]["status"] == "filled"
        wait_for(lambda: first.get("/positions").json()["positions"], "the position on the first")
        listener.until(bought["revision"])
    assert verify(folder).faults == ()


def test_after_the_first_server_the_second_brings_the_prices(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first, second = start_server(), start_server()
    wait_for(lambda: _is_live(second), "prices")
    bought = first.post(_BUY, "/orders").json()
    assert not second.get("/bots").json()["can_change"]
    assert first.stop() == 0
    wait_for(lambda: second.get("/bots").json()["can_change"], "the bots of the second")
    assert second.get("/alerts").json()["can_change"]
    wait_for(lambda: _is_live(second), "the prices of the second")
    wait_for(lambda: any("The other server has ended" in each for each in second.said), "a word")
    sold = second.post(path="/positions/BTC%2FUSDT/close").json()
    assert abs(sold["order"]["price"] / bought["order"]["price"] - 1) < 0.02
    assert verify(folder).faults == ()
    third = start_server()
    assert "Another server runs here already" in "".join(third.said)


def _streams(server: Server, *names: str) -> Listener:
    """A program that listens to ``names`` and to the account, at ``server``."""
    found = re.search(r"streams for programs at ws://127\.0\.0\.1:(\d+)\.", server.said[0])
    assert found is not None, server.said
    key = key_file(server.folder).latest().keys[0]
    answer = server.ask("POST", "/fapi/v1/listenKey", headers={KEY_HEADER: key.key})
    path = "/".join(("/ws", answer.json()["listenKey"], *names))
    return Listener(f"http://127.0.0.1:{found[1]}{path}")


def test_streams_of_both_servers_have_prices_and_what_anyone_does(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first, second = start_server(), start_server()
    with _streams(first) as of_first, _streams(second, "btcusdt@bookTicker") as of_second:
        assert of_second.until("bookTicker")
        open_account(folder).deposit(5)
        told = [each.until("ACCOUNT_UPDATE") for each in (of_first, of_second)]
        assert told[0] == told[1]
        assert told[0]["a"]["m"] == "DEPOSIT"
        assert first.stop() == 0
        assert of_first.end() == WSCloseCode.GOING_AWAY
        wait_for(lambda: second.get("/bots").json()["can_change"], "the bots of the second")
        number = of_second.until("bookTicker")["u"]
        assert of_second.until("bookTicker")["u"] > number
        second.post({"deposit": 6})
        assert of_second.until("ACCOUNT_UPDATE")["a"]["B"][0]["bc"] == "6.00000000"


def test_a_server_rests_while_the_account_trades_on_another_feed(
    start_server: Callable[..., Server],
) -> None:
    first, second = start_server(), start_server("--seed", "5")
    wait_for(lambda: _is_live(second), "prices")
    first.post(_BUY, "/orders")
    first.kill()
    wait_for(lambda: not _is_live(second), "stale prices")
    wait_for(lambda: "can't be taken" in second.get("/prices").json()["words"], "what to do")
    refused = second.post(_BUY, "/orders")
    assert refused.status_code == 503
    assert (
        "The feed simulated:5 can't be taken while BTC/USDT long is open on simulated."
        in (refused.json()["detail"])
    )
    # whoever has the right feed may lead, and this one follows it again
    third = start_server()
    assert "Another server runs here already" not in "".join(third.said)
    wait_for(lambda: _is_live(second), "live prices again")
    third.post(path="/positions/BTC%2FUSDT/close")
    third.kill()
    # nothing is open on another feed any more
    wait_for(lambda: second.get("/bots").json()["can_change"], "its own market")
    wait_for(lambda: _is_live(second), "its own prices")
    assert second.get("/prices").json()["feed"] == "simulated:5"
