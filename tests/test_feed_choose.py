"""The options mean one feed, and what doesn't fit is refused in words."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from balance.feeds import exchange
from balance.feeds.choose import FeedOptions, open_feed, parse_time
from balance.feeds.contract import FeedFault
from balance.feeds.replay import ReplayFeed
from balance.feeds.simulated import SimulatedFeed
from tests.serving import ROOT

LINES = "time,open,high,low,close,volume\n2022-01-01 08:00,5,6,4,5,1\n2022-01-01 08:01,5,6,4,5,1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with candles under many names."""
    for name in (
        "BTCUSDT-1m",
        "Binance_ETH_USDT_1h",
        "sol-usdt",
        "1000SHIBUSDT_perp",
        "mine",
        "a=b",
    ):
        (tmp_path / f"{name}.csv").write_text(LINES)
    return tmp_path


def test_a_market_goes_on_only_from_what_was_saved_of_it() -> None:
    first = open_feed(FeedOptions(), None)
    assert isinstance(first, SimulatedFeed), "unless asked otherwise the market is simulated"
    assert first.id == "simulated"
    first.next(1)
    saved = {"id": first.id, "state": first.saved()}
    assert open_feed(FeedOptions(), saved).saved() == first.saved()
    other = open_feed(FeedOptions(seed=6), saved)
    assert other.id == "simulated:6"
    assert other.saved()["seed"] == 6


@pytest.mark.parametrize(
    ("given", "symbol"),
    [
        ("BTCUSDT-1m.csv", "BTC/USDT"),
        ("Binance_ETH_USDT_1h.csv", "ETH/USDT"),
        ("sol-usdt.csv", "SOL/USDT"),
        ("1000SHIBUSDT_perp.csv", "1000SHIB/USDT"),
    ],
)
def test_the_name_of_a_file_says_which_symbol_it_is(folder: Path, given: str, symbol: str) -> None:
    feed = open_feed(FeedOptions(feed=(f"replay:{folder / given}",)), None)
    assert isinstance(feed, ReplayFeed)
    assert feed.id == f"replay:{symbol}={given}"
    assert list(feed.instruments) == [symbol]


def test_or_else_it_is_said(folder: Path) -> None:
    for given in ("mine.csv", "a=b.csv"):
        feed = open_feed(FeedOptions(feed=(f"replay:doge/usdt={folder / given}",)), None)
        assert feed.id == f"replay:DOGE/USDT={given}"
        with pytest.raises(FeedFault, match=r"give it as replay:BTC/USDT=.*\.csv"):
            open_feed(FeedOptions(feed=(f"replay:{folder / given}",)), None)


def test_several_files_are_replayed_in_step(folder: Path) -> None:
    names = (f"replay:{folder}/sol-usdt.csv", f"replay:BTC/USDT={folder}/mine.csv")
    feed = open_feed(FeedOptions(feed=names, speed=60, funding_rate=Decimal("0.0001")), None)
    assert list(feed.instruments) == ["SOL/USDT", "BTC/USDT"]
    assert feed.id == "replay:BTC/USDT=mine.csv,SOL/USDT=sol-usdt.csv"
    assert feed.label == "REPLAY 60x"
    assert [quote.funding_rate for quote in feed.next(1)] == [Decimal("0.0001")] * 2


def test_a_replay_goes_on_or_begins_where_it_is_told(folder: Path) -> None:
    name = (f"replay:{folder}/mine.csv".replace(":", ":BTC/USDT="),)
    first = open_feed(FeedOptions(feed=name), None)
    told = first.next(1)[0].time
    saved = {"id": first.id, "state": first.saved()}
    assert open_feed(FeedOptions(feed=name), saved).next(1)[0].time > told
    start = datetime(2022, 1, 1, 8, 1, tzinfo=UTC)
    assert open_feed(FeedOptions(feed=name, start=start), saved).next(1)[0].time == start
    of_another = {"id": "simulated", "state": {"seed": 1}}
    assert open_feed(FeedOptions(feed=name), of_another).next(1)[0].time == told


def test_a_replay_that_goes_on_does_not_go_back_behind_what_was_traded(folder: Path) -> None:
    name = (f"replay:{folder}/mine.csv".replace(":", ":BTC/USDT="),)
    first = open_feed(FeedOptions(feed=name), None)
    told = first.next(1)[0].time
    saved = {"id": first.id, "state": first.saved()}
    until = told + timedelta(seconds=15)
    traded = {first.id: until}.get
    assert open_feed(FeedOptions(feed=name), saved, traded).next(1)[0].time > until
    assert open_feed(FeedOptions(feed=name), None, traded).next(1)[0].time > until
    # a person who says where it begins knows better
    assert open_feed(FeedOptions(feed=name, start=told), saved, traded).next(1)[0].time == told


@pytest.mark.parametrize(
    ("feed", "words"),
    [
        ((), "Name a feed"),
        (("",), "Name a feed"),
        (("replay",), "A replay needs a file"),
        (("replay:",), "does not say of which symbol"),
        (("replay:BTC/USDT=",), "can't be read"),
        (("replay:BTCUSDT.csv",), r"BTCUSDT.csv can't be read: No such file"),
        (("simulated", "replay:BTCUSDT.csv"), "Only one feed at a time, not replay and simulated"),
        (("binance", "bybit"), "Only one feed at a time, not binance and bybit"),
        (
            ("replay:BTCUSDT.csv", "replay:BTC/USDT=b.csv"),
            "BTC/USDT has two files, BTCUSDT.csv and",
        ),
    ],
)
def test_what_is_no_feed_is_refused(feed: tuple[str, ...], words: str) -> None:
    with pytest.raises(FeedFault, match=words):
        open_feed(FeedOptions(feed=feed), None)


START = datetime(2022, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (FeedOptions(speed=60, start=START), "The simulated market has no --speed and no --from"),
        (FeedOptions(symbols=("BTC/USDT",)), "The simulated market has no --symbols"),
        (FeedOptions(funding_rate=Decimal(0)), "The simulated market has no --funding-rate"),
        (FeedOptions(feed=("replay:BTCUSDT.csv",), seed=0), "A replay has no --seed: leave it out"),
        (FeedOptions(feed=("binance",), start=START), "The exchange binance has no --from"),
    ],
)
def test_options_that_do_not_fit_are_named(options: FeedOptions, words: str) -> None:
    with pytest.raises(FeedFault, match=words):
        open_feed(options, None)


def test_anything_else_is_an_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    opened = object()

    def open_exchange(exchange_id: str, symbols: tuple[str, ...]) -> object:
        asked.append((exchange_id, symbols))
        return opened

    monkeypatch.setattr(exchange, "open_exchange", open_exchange)
    options = FeedOptions(feed=("kraken",), symbols=("BTC/USD",))
    assert open_feed(options, {"id": "kraken", "state": {}}) is opened
    assert asked == [("kraken", ("BTC/USD",))]


def test_only_who_asks_for_an_exchange_loads_ccxt() -> None:
    # a clean process: this one may have loaded it
    words = (
        "import sys; from balance.feeds.choose import *; open_feed(FeedOptions(), None); "
        "print([name for name in sys.modules if name.split('.')[0] in ('ccxt', 'aiohttp')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2022-01-31", 0),
        ("2022-01-31 08:00", 8),
        ("2022-01-31T08:00:00", 8),
        (" 2022-01-31T08:00Z ", 8),
        ("2022-01-31T08:00+02:00", 6),
    ],
)
def test_a_time_is_utc_unless_it_has_a_zone(text: str, hour: int) -> None:
    assert parse_time(text) == datetime(2022, 1, 31, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "31.01.2022", "2022-02-30", "0001-01-01T00:00+05"]
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(FeedFault, match="write a date such as 2022-01-31"):
        parse_time(text)
