"""Alerts in the running product: they fire without any browser, once, and are told to all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from balance import open_account
from tests.alerts_by_hand import receiver
from tests.listening import Listener
from tests.screen import wait_for
from tests.serving import Server
from tests.standing import StandingServer

LOSS = {"what": "pnl", "direction": "below", "threshold": -100}


def listed(server: Server) -> Any:
    """What ``GET /alerts`` answers."""
    return server.get("/alerts").json()


def test_a_loss_is_posted_and_told_and_a_crash_tells_it_no_second_time(folder: Path) -> None:
    with receiver() as taker:
        with StandingServer(folder) as server, Listener(server.port) as listener:
            made = server.post({**LOSS, "url": taker.url}, "/alerts").json()
            assert "Now it is at $0.00." in made["message"]
            server.post({"adjust": -150})
            assert taker.next()[1]["words"] == (
                "P&L has fallen to -$150.00; the alert was at -$100.00."
            )
            told = listener.next("alerts").data
            while not told["firings"]:
                told = listener.next("alerts").data
            assert told["firings"][0]["value"] == -150
            wait_for(
                lambda: listed(server)["firings"][0]["delivery"]["words"] == "Answered 200",
                "the outcome of the post",
            )
            server.kill()
        with StandingServer(folder) as server:
            # and when it falls further, as it has fired once
            server.post({"adjust": -50})
            there = listed(server)
            assert ([each["id"] for each in there["firings"]], there["last"]) == ([1], 1)
            assert there["alerts"][0]["status"] == "fired"
        assert taker.posts.empty()


def test_a_stop_waits_for_a_post_so_that_it_is_made_once(folder: Path) -> None:
    def is_gone() -> bool:
        # its port is open as long as it is, and nobody answers there
        with suppress(requests.RequestException):
            requests.get(f"{server.url}/health", timeout=0.5)
            return False
        return True

    with receiver() as taker, ThreadPoolExecutor() as pool:
        taker.may_answer.clear()
        with StandingServer(folder) as server:
            server.post({**LOSS, "url": taker.url}, "/alerts")
            server.post({"adjust": -150})
            assert taker.next()[1]["id"] == 1
            stopped = pool.submit(server.stop)
            wait_for(is_gone, "the stop")
            taker.may_answer.set()
            assert stopped.result() == 0
        with StandingServer(folder) as server:
            assert listed(server)["firings"][0]["delivery"]["words"] == "Answered 200"
        assert taker.posts.empty()


def test_what_a_program_does_to_the_account_beside_the_server_fires_too(folder: Path) -> None:
    with StandingServer(folder) as server:
        server.post({**LOSS, "what": "equity", "threshold": 9_000}, "/alerts")
        open_account(folder).adjust(-2_000)
        wait_for(lambda: listed(server)["last"] == 1, "the firing")


def test_prices_that_move_fire_and_a_second_server_shows_it(
    start_server: Callable[..., Server],
) -> None:
    first = start_server()
    second = start_server()
    wait_for(lambda: first.get("/prices").json()["state"] == "live", "prices")
    mark = first.get("/prices").json()["prices"]["BTC/USDT"]["mark"]
    for direction, threshold in (("above", mark * 1.00002), ("below", mark * 0.99998)):
        first.post(
            {"what": "price", "symbol": "BTC/USDT", "direction": direction,
             "threshold": round(threshold, 2)}, "/alerts",
        )  # fmt: skip
    with Listener(second.port) as listener:
        wait_for(lambda: listed(first)["last"], "the firing")
        told = listener.next("alerts").data
        while not told["firings"]:
            told = listener.next("alerts").data
        assert "BTC/USDT has" in told["firings"][0]["words"]
    there = listed(second)
    assert not there["can_change"]
    assert len(there["alerts"]) == 2
    refused = second.post(LOSS, "/alerts")
    assert (refused.status_code, "change them there" in refused.json()["detail"]) == (422, True)


def test_a_damaged_file_is_said_and_left_as_it_is(folder: Path) -> None:
    with StandingServer(folder) as server:
        server.post(LOSS, "/alerts")
    file = folder / "alerts.json"
    file.write_bytes(b"{")
    with StandingServer(folder) as server:
        assert "is damaged, so no alert can fire" in listed(server)["words"]
        with Listener(server.port) as listener:
            assert listener.next("alerts").data["fault"] == listed(server)["words"]
        assert server.post(LOSS, "/alerts").status_code == 422
        assert server.get().status_code == 200
    assert file.read_bytes() == b"{"
