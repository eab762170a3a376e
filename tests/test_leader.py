"""What a server does as it takes over from another one, in one process and on a feed by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from balance.api.stream import Stream
from balance.bots.bots import Bots
from balance.bots.followed import FollowedBots
from balance.core.errors import NoLivePrice
from balance.core.moments import iso
from balance.core.quote import Quote
from balance.market.feed import Feed
from balance.server import leader as leader_module
from balance.server.assembly import Running
from balance.server.options import server_parser
from tests.feeds import HandFed
from tests.markets import BTC, quote
from tests.patience import patience, wait_for

Start = Callable[..., Running]


@pytest.fixture
def feeds(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The feeds that servers open, in turn; an exception is raised instead."""
    waiting: list[Any] = []

    def open_next(*_: object) -> Feed:
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    monkeypatch.setattr(leader_module, "open_feed", open_next)
    return waiting


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts servers on one folder, which stop with the test."""
    with ExitStack() as running:

        def started(
            stream: Stream | None = None, end: Callable[[str], None] = pytest.fail
        ) -> Running:
            options = server_parser().parse_args(["--data-dir", str(folder), "--feed", "binance"])
            server = Running(options, stream or Stream(1), end)
            running.callback(server.stop)
            server.start()
            return server

        yield started


def test_what_the_market_did_in_between_is_made_up_for(
    feeds: list[Any], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = HandFed("binance"), HandFed("binance")
    feeds += [one, two]
    first, second = start(), start()
    one.give(quote(BTC, 40_000))
    how = {"symbol": BTC, "quantity": "0.01"}
    first.desk.place_order(side="buy", stop_loss="39000", take_profit="45000", **how)
    wait_for(lambda: second.desk.market.live, "its prices on the second")
    last_seen = first.desk.market.as_of
    assert last_seen is not None

    def missed(since: datetime) -> Iterator[Sequence[Quote]]:
        # the file has milliseconds
        assert iso(since) == iso(last_seen)
        for last in (38_000, 41_000):
            yield (quote(BTC, last),)
            # the past is no price to trade at
            with pytest.raises(NoLivePrice):
                second.desk.place_order(side="buy", **how)
            refused.append(last)

    refused: list[int] = []
    monkeypatch.setattr(two, "missed", missed)
    # it has prices, of which none has been taken yet
    begun = threading.Event()
    monkeypatch.setattr(two, "next", lambda _: begun.wait(patience()) and HandFed.next(two, 0.1))
    first.stop()
    wait_for(lambda: second.services.leads and two.is_started, "a leader")
    assert refused == [38_000, 41_000]
    assert second.desk.account().positions == ()
    assert second.desk.history(limit=1).entries[0]["source"] == "offline"
    with pytest.raises(NoLivePrice):
        second.desk.place_order(side="buy", **how)
    begun.set()
    two.give(quote(BTC, 41_500))
    assert second.desk.place_order(side="buy", **how).entries


def test_no_listener_hears_of_anything_older(feeds: list[Any], start: Start) -> None:
    one, two = HandFed("binance"), HandFed("binance")
    feeds += [one, two]
    stream = Stream(1)
    messages = stream.listen()
    first, second = start(), start(stream)
    one.give(quote(BTC, 40_000))
    made = first.services.bots
    assert isinstance(made, Bots)
    made.create({"name": "Holder", "strategy": "buy_and_hold", "symbol": BTC, "timeframe": "1m"})
    wait_for(lambda: second.services.bots.listed()["bots"], "its bots on the second")
    before = second.desk.snapshot()
    first.stop()
    wait_for(lambda: second.services.leads, "a leader")
    assert second.desk.snapshot().tick > before.tick
    assert second.desk.snapshot().instance == before.instance
    two.give(quote(BTC, 41_000))
    bots = second.services.bots
    assert isinstance(bots, Bots)
    bots.create({"name": "Other", "strategy": "buy_and_hold", "symbol": BTC, "timeframe": "1m"})
    told: dict[str, list[Any]] = {"bots": [], "alerts": [], "takeover": []}
    while not told["bots"] or len(told["bots"][-1]["bots"]) < 2 or not told["takeover"]:
        message = next(messages).decode()
        for name, heard in told.items():
            if f"event: {name}\n" in message:
                heard.append(json.loads(message.partition("data: ")[2].partition("\n")[0]))
    assert told["bots"][-1]["can_change"]
    for heard in told.values():
        versions = [each["version"] for each in heard]
        assert versions == sorted(versions)


def test_a_server_that_cannot_open_its_feed_leaves_the_lead_to_others(
    feeds: list[Any], start: Start
) -> None:
    one, three = HandFed("binance"), HandFed("binance")
    feeds += [one, ValueError("a fault of the program"), three]
    first, second = start(), start()
    one.give(quote(BTC, 40_000))
    first.stop()
    wait_for(lambda: len(feeds) == 1, "an attempt")
    third = start()
    wait_for(lambda: second.services.leads or third.services.leads, "a leader")
    assert isinstance(second.services.bots, Bots) is second.services.leads
    assert [second.services.leads, third.services.leads].count(True) == 1


def test_a_server_that_fails_as_it_leads_ends(
    feeds: list[Any], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds += [HandFed("binance"), HandFed("binance")]
    faults: list[str] = []
    first, second = start(), start(end=faults.append)

    def fail(*_: object) -> Sequence[object]:
        raise ValueError("no bots")

    monkeypatch.setattr(leader_module.Leader, "start", fail)
    first.stop()
    wait_for(lambda: faults, "the end of the second")
    assert "This server could not take over: no bots. Start it again." in faults[0]
    assert second.services.leads
    assert isinstance(first.services.bots, Bots | FollowedBots)
