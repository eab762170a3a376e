"""The options mean one feed, and what doesn't fit is refused in words."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from balance.market.exchange import feed as exchange
from balance.market.feed import FeedFault
from balance.market.open_feed import (
    FeedOptions,
    feed_arguments,
    feed_of,
    open_feed,
    parse_start,
)
from balance.market.replay.feed import ReplayFeed
from balance.market.simulated.feed import SimulatedFeed
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
    ],
)
def test_what_is_no_feed_is_refused(feed: tuple[str, ...], words: str) -> None:
    with pytest.raises(FeedFault, match=words):
        open_feed(FeedOptions(feed=feed), None)


def minutes(file: Path, first: int, *, header: str = "time,open,high,low,close,volume") -> Path:
    """``file``, with the minutes ``first`` and the next one after 08:00."""
    lines = [f"2022-01-01 08:{minute:02},5,6,4,5,1" for minute in (first, first + 1)]
    file.write_text("\n".join((header, *lines)))
    return file


def told(options: FeedOptions) -> list[tuple[str, Decimal, Decimal]]:
    """The times, last prices and mark prices of the replay that ``options`` mean."""
    feed, seen = open_feed(replace(options, speed=10**9), None), []
    while feed.state != "ended":
        seen += [(f"{each.time:%H:%M:%S}", each.last, each.mark) for each in feed.next(1)]
    return seen


def test_the_months_of_one_symbol_are_put_together(tmp_path: Path) -> None:
    paths = [minutes(tmp_path / f"{name}.csv", first) for name, first in (("b", 2), ("a", 0))]
    names = tuple(f"replay:BTC/USDT={path}" for path in paths)
    feed = open_feed(FeedOptions(feed=names), None)
    assert feed.id == "replay:BTC/USDT=b.csv+a.csv"
    times = [time for time, _, _ in told(FeedOptions(feed=names))]
    assert times[::4] == ["08:00:00", "08:01:00", "08:02:00", "08:03:00"]


def test_a_column_says_the_symbol_where_the_name_does_not(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "time,symbol,open,high,low,close\n2022-01-01,ETHUSDT,5,6,4,5\n"
    )
    assert list(
        open_feed(FeedOptions(feed=(f"replay:{tmp_path}/mine.csv",)), None).instruments
    ) == ["ETH/USDT"]
    name = f"replay:BTC/USDT={tmp_path}/mine.csv"
    with pytest.raises(FeedFault, match=r"^mine\.csv has candles of ETH/USDT, not of BTC/USDT"):
        open_feed(FeedOptions(feed=(name,)), None)
    both = f"{tmp_path}/both.csv"
    Path(both).write_text(
        "time,symbol,open,high,low,close\n2022-01-01,ETHUSDT,5,6,4,5\n2022-01-01,SOLUSDT,2,3,1,2\n"
    )
    with pytest.raises(FeedFault, match="2 markets, ETHUSDT, SOLUSDT: name one"):
        open_feed(FeedOptions(feed=(f"replay:{both}",)), None)
    names = (f"replay:ETH/USDT={both}", f"replay:SOL/USDT={both}")
    assert [last for _, last, _ in told(FeedOptions(feed=names))][:2] == [5, 2]


def test_mark_prices_come_from_a_file_of_their_own(tmp_path: Path) -> None:
    candles = minutes(tmp_path / "BTCUSDT.csv", 0)
    marks = tmp_path / "marks.csv"
    marks.write_text("time,open,high,low,close\n2022-01-01 08:00,5,5.5,4.5,5\n")
    options = FeedOptions(feed=(f"replay:{candles}",), marks=(f"btc/usdt={marks}",))
    assert [(last, mark) for _, last, mark in told(options)][:4] == [
        (5, 5), (4, Decimal("4.5")), (6, Decimal("5.5")), (5, 5),
    ]  # fmt: skip
    feed = open_feed(options, None)
    assert feed.notes == (
        "BTCUSDT.csv: 1 of 2 candles have no mark price: there it is the last price.",
    )
    assert feed.id == "replay:BTC/USDT=BTCUSDT.csv"
    without = open_feed(replace(options, marks=()), None)
    assert without.notes == ("The mark price of BTC/USDT is its last price.",)
    with pytest.raises(FeedFault, match=r"marks\.csv has mark prices of ETH/USDT, which has no"):
        open_feed(replace(options, marks=(f"ETH/USDT={marks}",)), None)
    with pytest.raises(FeedFault, match="The simulated market has no --mark and no --date-format"):
        open_feed(FeedOptions(marks=("x",), date_format="dmy"), None)


def test_dates_that_may_be_either_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "BTCUSDT.csv"
    file.write_text("time,open,high,low,close\n03/02/2025,5,6,4,5\n04/02/2025,5,6,4,5\n")
    options = FeedOptions(feed=(f"replay:{file}",))
    with pytest.raises(FeedFault, match="choose the date format"):
        open_feed(options, None)
    feed = open_feed(replace(options, date_format="DD/MM/YYYY"), None)
    assert feed.next(1)[0].time == datetime(2025, 2, 3, tzinfo=UTC)


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
        "import sys; from balance.market.open_feed import *; open_feed(FeedOptions(), None); "
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
    assert parse_start(text) == datetime(2022, 1, 31, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "31.01.2022", "2022-02-30", "0001-01-01T00:00+05"]
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(FeedFault, match="write a date such as 2022-01-31"):
        parse_start(text)


@pytest.mark.parametrize(
    "options",
    [
        FeedOptions(),
        FeedOptions(seed=-7),
        FeedOptions(feed=("binance",), symbols=("BTC/USDT", "ETH/USDT")),
        FeedOptions(
            feed=("replay:/data/BTC USDT=1.csv", "replay:BTC/USDT=/data/more.csv"),
            speed=Decimal("0.5"),
            funding_rate=Decimal("0.000123"),
            funding_interval=timedelta(hours=4),
            marks=("BTC/USDT=/data/marks.csv", "/data/ETHUSDT.csv"),
            date_format="DD/MM/YYYY",
        ),
    ],
)
def test_arguments_name_the_same_feed_again(options: FeedOptions) -> None:
    assert feed_of(feed_arguments(options)) == options
    later = replace(options, start=datetime(2022, 1, 1, tzinfo=UTC))
    assert feed_of(feed_arguments(later)) == options, "it goes on from where it is"


def test_arguments_name_files_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/usr")
    options = FeedOptions(feed=("replay:mine.csv",), marks=("BTC/USDT=marks.csv",))
    assert feed_arguments(options) == [
        "--feed=replay:/usr/mine.csv",
        "--mark=BTC/USDT=/usr/marks.csv",
    ]


@pytest.mark.parametrize("arguments", [["--speed=x"], ["--speed"], ["--no-such-option=1"], ["x"]])
def test_arguments_that_name_no_feed_are_refused(arguments: list[str]) -> None:
    with pytest.raises(FeedFault, match="The feed of the other server"):
        feed_of(arguments)
