"""Funding is settled at the symbol's own interval: inside candles, across gaps, exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.backtests.backtest import run_backtest
from balance.backtests.candles import history_of_file
from balance.core.funding import interval_of_rates
from balance.core.instrument import FUNDING_INTERVAL
from balance.core.instruments import KNOWN
from balance.desk.desk import Desk
from balance.market.board import FileBoard, LiveBoard, save_market
from balance.market.exchange.rules import funding_interval
from balance.market.replay.candle_file import read_candles
from balance.market.replay.feed import ReplayFeed
from balance.server.engine import Engine
from balance.store.file_store import FileStore
from tests.backtesting import plan, script
from tests.kept import kept
from tests.markets import BTC, market, quote

BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RATE = Decimal("0.0001")


def file_of(
    folder: Path,
    hours: float,
    count: int,
    price: Callable[[int], int] = lambda _: 100,
    rate: Callable[[int], object] | None = None,
    missing: Sequence[int] = (),
) -> Path:
    """A file of ``count`` candles of ``hours`` each, without wicks, some of them missing; ``rate``
    gives the funding rate of each, or an empty cell."""
    lines = [f"time,open,high,low,close,volume{',funding_rate' if rate else ''}"]
    for number in range(count):
        first, last = price(number), price(number + 1)
        low, high = min(first, last), max(first, last)
        told = f",{rate(number)}" if rate else ""
        if number not in missing:
            time = BEGIN + number * hours * HOUR
            lines.append(f"{time:%Y-%m-%d %H:%M:%S},{first},{high},{low},{last},1{told}")
    path = folder / "btcusdt.csv"
    path.write_text("\n".join(lines))
    return path


def of_backtest(path: Path, **known: Any) -> list[Decimal]:
    """The funding that one unit of Bitcoin pays in all, bought as the second candle opens."""
    past = history_of_file(read_candles(path), BTC, **known)
    made = plan(past, script("buy"), stake=Decimal(20_000), balance=100_000)
    tested = run_backtest(made)
    assert not tested.skipped_funding
    return [tested.account.wallet.funding]


def of_replay(folder: Path, path: Path, **known: Any) -> list[tuple[str, Decimal]]:
    """When and what a unit of Bitcoin paid, bought as the second candle opens."""
    board = LiveBoard()
    desk = Desk(FileStore(folder), board)
    feed = ReplayFeed({BTC: path}, speed=None, **known)
    engine = Engine(desk, board, feed, lambda _: None, folder)
    count = 0
    while quotes := feed.next(0):
        engine.process(quotes)
        count += 1
        if count == 5:
            desk.place_order(symbol=BTC, side="buy", quantity=1, leverage=1)
    rows = list(desk.ledger.rows(kind="funding"))[::-1]
    return [(row["note"].split(" at ")[1][:16], row["amount"]) for row in rows]


@pytest.mark.parametrize(
    ("hours", "count", "settlements"),
    # From the second candle on, at 00, 08 and 16 o'clock, up to the last one's close.
    [(24, 10, 26), (6, 40, 29), (8, 30, 28), (2, 120, 29), (1, 240, 29)],
)
def test_funding_inside_candles_of_any_length_is_settled_exactly_once(
    tmp_path: Path, folder: Path, hours: int, count: int, settlements: int
) -> None:
    path = file_of(tmp_path, hours, count)
    paid = of_replay(folder, path, funding_rate=RATE)
    times = [datetime.fromisoformat(f"{time}Z") for time, _ in paid]
    assert times == sorted(set(times))
    assert {time.hour for time in times} == {0, 8, 16}
    assert [amount for _, amount in paid] == [Decimal("-0.01")] * settlements
    quantity = Decimal(20_000) / Decimal("100.2")
    (whole,) = of_backtest(path, funding_rate=RATE)
    assert abs(whole + settlements * quantity * 100 * RATE) < Decimal("0.02")


def test_a_settlement_inside_a_candle_is_at_the_price_of_its_instant(
    tmp_path: Path, folder: Path
) -> None:
    # The second day rises from 100 to 200: its close is reached at 18:00.
    path = file_of(tmp_path, 24, 3, lambda number: (100, 100, 200, 200)[number])
    paid = dict(of_replay(folder, path, funding_rate=RATE))
    # Open, low, high, close at 00, 06, 12 and 18: at 08:00 it is a third of the way to its high.
    assert paid["2022-01-02 08:00"] == Decimal("-0.01333")
    assert paid["2022-01-02 16:00"] == Decimal("-0.02")
    assert paid["2022-01-03 00:00"] == Decimal("-0.02")
    (whole,) = of_backtest(path, funding_rate=RATE)
    quantity = Decimal("199.6")
    per_unit = sum(paid.values())
    assert abs(whole - quantity * per_unit) < Decimal("0.01")


def test_a_gap_is_settled_at_the_last_price_before_it(tmp_path: Path, folder: Path) -> None:
    path = file_of(tmp_path, 1, 60, missing=range(5, 50))
    paid = of_replay(folder, path, funding_rate=RATE)
    assert [time[11:13] for time, _ in paid] == ["08", "16", "00", "08", "16", "00", "08"]
    assert {amount for _, amount in paid} == {Decimal("-0.01")}
    (whole,) = of_backtest(path, funding_rate=RATE)
    assert abs(whole + 7 * 2) < Decimal("0.1")


@pytest.mark.parametrize(
    ("hours", "rate", "interval"),
    [
        # Every hour, every four hours, as often as usual.
        (1, lambda _: "0.0001", 1),
        (1, lambda number: "0.0001" if number % 4 == 0 else "", 4),
        (4, lambda _: "0.0001", 4),
        (8, lambda _: "0.0001", None),
        (1 / 60, lambda number: "0.0001" if number % 240 == 0 else "", 4),
        # The coming rate again and again, until it is settled.
        (1 / 60, lambda number: f"0.000{1 + number // 240 % 3}", 4),
        (1, lambda number: f"0.000{1 + number // 8 % 3}", None),
        (1, lambda number: f"0.000{1 + number // 2 % 3}", 2),
        # Too few to tell.
        (1 / 60, lambda _: "0.0001", None),
        (1, lambda number: "0.0001" if number in (0, 4) else "", None),
    ],
)
def test_the_rates_of_a_file_say_its_interval(
    tmp_path: Path, hours: float, rate: Callable[[int], object], interval: int | None
) -> None:
    count = round(48 / hours) if hours <= 1 else 12
    file = read_candles(file_of(tmp_path, hours, count, rate=rate))
    wanted = None if interval is None else interval * HOUR
    assert file.funding_interval == wanted
    feed = ReplayFeed({BTC: tmp_path / "btcusdt.csv"}, speed=None)
    assert feed.instruments[BTC].funding_interval == (wanted or FUNDING_INTERVAL)


def test_an_hourly_rate_is_charged_every_hour(tmp_path: Path, folder: Path) -> None:
    path = file_of(tmp_path, 1, 30, rate=lambda _: "0.0001")
    paid = of_replay(folder, path)
    # It is bought at one o'clock, and pays from two o'clock on.
    assert [int(time[11:13]) for time, _ in paid] == [*range(2, 24), *range(6)]
    (whole,) = of_backtest(path)
    assert abs(whole + 28 * 2) < Decimal("0.2")


def test_the_file_says_the_interval_better_than_the_option(tmp_path: Path, folder: Path) -> None:
    path = file_of(tmp_path, 1, 30, rate=lambda _: "0.0001")
    assert len(of_replay(folder, path, funding_interval=4 * HOUR)) == 28
    without = file_of(tmp_path, 1, 30)
    known = {"funding_rate": RATE, "funding_interval": 4 * HOUR}
    paid = of_replay(folder / "other", without, **known)
    assert [int(time[11:13]) for time, _ in paid] == [4, 8, 12, 16, 20, 0, 4]
    (whole,) = of_backtest(without, **known)
    assert abs(whole + 7 * 2) < Decimal("0.1")


@pytest.mark.parametrize(
    ("told", "hours"),
    [("4h", 4), ("8h", 8), ("1h", 1), ("5h", None), ("48h", None), (None, None), (4, None)],
)
def test_an_exchange_says_its_interval_or_none(told: object, hours: int | None) -> None:
    assert funding_interval({"interval": told}) == (None if hours is None else hours * HOUR)


def test_rates_that_are_missing_now_and_then_do_not_lengthen_the_interval() -> None:
    rows = [(BEGIN + hour * HOUR, RATE) for hour in (0, 4, 12, 16, 28)]
    assert interval_of_rates(rows) == 4 * HOUR
    assert interval_of_rates([]) is None


def test_the_interval_is_kept_for_other_programs(tmp_path: Path) -> None:
    told = replace(KNOWN[BTC], funding_interval=4 * HOUR)
    now = market(quote(BTC), instruments={BTC: told})
    save_market(tmp_path, now, {})
    assert FileBoard(tmp_path).market.instruments[BTC].funding_interval == 4 * HOUR
    file = tmp_path / "market.json"
    whole = json.dumps(kept(file))
    for text, interval in (
        (whole.replace('"funding_interval": 14400, ', ""), FUNDING_INTERVAL),
        (whole.replace("14400", "14401"), None),
        (whole.replace("14400", '"4h"'), None),
        (whole.replace("14400", "0"), None),
    ):
        file.write_text(text)
        found = FileBoard(tmp_path).market
        assert (found.feed is None) == (interval is None)
        if interval is not None:
            assert found.instruments[BTC].funding_interval == interval
