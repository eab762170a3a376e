"""A page tells what the market did to the account, once, however it comes to hear of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from balance import Desk
from balance.core.messages import MARKET, OFFLINE
from balance.store.file_store import FileStore
from tests.boards import board as a_board
from tests.boards import priced
from tests.markets import BTC
from tests.relay import Relay
from tests.screen import text, wait_for, wait_for_balance, wait_for_link, wait_for_toast
from tests.serving import Server
from tests.standing import StandingServer

Opened = Callable[[str], Any]
_OFF = "While the program was off: Sold 0.01 BTC/USDT"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a market that stands still, so that only a test lets it act."""
    with StandingServer(tmp_path_factory.mktemp("news") / "account") as running:
        yield running


class Market:
    """Lets the market act on the account of ``server``, from another process than its own."""

    def __init__(self, server: Server) -> None:
        self._board = a_board(feed=server.get("/prices").json()["feed"])
        self.desk = Desk(FileStore(server.folder), self._board)

    def acts(self, price: object, source: str = MARKET, **order: Any) -> str:
        """What it does at ``price`` to a position that was opened at 40,000."""
        priced(self._board, 40_000)
        self.desk.place_order(symbol=BTC, side="buy", **order)
        priced(self._board, price)
        outcome = self.desk.advance(self._board.market, {}, source)
        assert outcome is not None
        return outcome.snapshot.news


def test_all_that_the_market_did_between_two_looks_is_told(
    server: Server, open_browser: Opened
) -> None:
    market = Market(server)
    market.desk.reset(10_000)
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        wait_for_link(browser, "Live")
        relay.refused = ("/virtual_balance",)
        relay.cut()
        wait_for_link(browser, "Offline")
        told = [
            market.acts(38_990, quantity="0.01", stop_loss=39_000),
            market.acts(30_000, quantity="0.1", leverage=10),
        ]
        balance = market.desk.deposit(5).display["balance"]
        relay.refused = ()
        wait_for_balance(browser, balance)
        for words in told:
            wait_for_toast(browser, words)
        assert [each.split()[0] for each in told] == ["Sold", "Liquidated:"]
        assert len(browser.find_elements("#toasts .toast-box.error")) == 1


def test_what_happened_while_the_program_was_off_is_told_once_a_browser(
    server: Server, open_browser: Opened
) -> None:
    market = Market(server)
    market.desk.reset(10_000)
    words = market.acts(38_990, OFFLINE, quantity="0.01", stop_loss=39_000)
    assert words.startswith(_OFF)
    wait_for(lambda: server.get().json()["news"] == words, "the news on the server")
    browser = open_browser(server.url)
    wait_for_toast(browser, words)
    browser.driver.refresh()
    wait_for_link(browser, "Live")
    assert _OFF not in text(browser, "toasts")
    # another browser has not been told
    wait_for_toast(open_browser(server.url), words)
