"""The engine: what the market does to the account, once and in order, whatever goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import NoLivePrice, StoreBusy
from balance.core.market import NO_MARKET, Market
from balance.core.moments import from_iso, iso
from balance.core.order import Order
from balance.core.position import Position
from balance.core.quote import Settlement
from balance.core.snapshot import Snapshot
from balance.core.trade import Effect
from balance.desk.desk import Desk
from balance.market.board import (
    FEED_FILE,
    MARKET_FILE,
    FileBoard,
    LiveBoard,
    read_market,
    saved_feed,
)
from balance.market.feed import FeedFault
from balance.performance.performance import Equity
from balance.performance.sampler import Sampler
from balance.server import engine as engine_module
from balance.server.engine import SAVE_SECONDS, SHOW_SECONDS, Engine, refuse_others
from balance.store.advice import option
from balance.store.file_store import ACCOUNT_FILE, LOCK_FILE, FileStore
from balance.store.lock import account_lock
from balance.store.memory_store import MemoryStore
from balance.store.verification import verify
from tests.accounts import MOMENT, order, position
from tests.feeds import HandFed
from tests.markets import BTC, ETH, SOL, quote
from tests.patience import patience

EIGHT = datetime(2026, 1, 2, 8, tzinfo=UTC)
RATE = "0.0001"


class Running:
    """A desk on the account in a folder, an engine with ``feed`` for it, and what that showed."""

    def __init__(self, folder: Path, feed: HandFed, before: Market = NO_MARKET) -> None:
        """``before`` is what the server before it has left."""
        self.folder, self.feed, self.board = folder, feed, LiveBoard(market=before)
        self.desk = Desk(FileStore(folder), self.board)
        self.shown: list[Snapshot] = []
        self.engine = Engine(self.desk, self.board, feed, self.shown.append, folder)

    def __enter__(self) -> Running:
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()

    def price(self, mark: object, symbol: str = BTC, **changes: Any) -> None:
        """Let ``symbol`` cost ``mark``."""
        self.feed.give(quote(symbol, mark, **changes))

    def order(self, side: str, quantity: object, **members: Any) -> None:
        """Order ``quantity`` of Bitcoin."""
        self.desk.place_order(symbol=BTC, side=side, quantity=quantity, **members)

    def kinds(self) -> list[str]:
        """The kinds of all entries, oldest first."""
        return [entry["kind"] for entry in self.desk.ledger.rows()][::-1]

    def fills(self) -> list[tuple[str, str, Decimal, Decimal]]:
        """All fills, oldest first: why, as what, how much, and at what price."""
        rows = self.desk.fills(limit=1_000).entries[::-1]
        return [
            (each["reason"], each["liquidity"], each["quantity"], each["price"]) for each in rows
        ]


@pytest.fixture
def feed() -> HandFed:
    """A feed that tells what the test gives it."""
    return HandFed()


@pytest.fixture
def run(folder: Path, feed: HandFed) -> Iterator[Running]:
    """An engine that runs, with Bitcoin at 40,000."""
    with Running(folder, feed) as running:
        running.price(40_000)
        yield running


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass for the engine, which otherwise stands still: by so many seconds."""
    now = [1_000.0]

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(engine_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return pass_by


def told_faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the engine has complained of."""
    return [each.message for each in caplog.records if each.name == "balance.server.engine"]


def test_a_quote_that_liquidates_is_committed_before_anybody_sees_its_price(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.order("buy", "1", leverage=50)
    held = run.desk.snapshot()
    assert held.positions[0]["liquidation_price"] > 39_000
    seen: list[tuple[Decimal, int]] = []
    commit = FileStore.commit

    def look() -> None:
        now = run.desk.snapshot()
        seen.append((now.market["prices"][BTC]["mark"], len(now.positions)))

    def watched(*args: Any, **how: Any) -> Any:
        look()
        try:
            return commit(*args, **how)
        finally:
            look()

    monkeypatch.setattr(FileStore, "commit", watched)
    run.shown.clear()
    run.price(39_000)
    look()
    # what it did is never seen at another price either
    assert seen == [(40_000, 1), (39_000, 0), (39_000, 0)]
    assert all(not each.positions for each in run.shown)
    after = run.desk.snapshot()
    assert after.balance == held.balance - held.positions[0]["isolated_margin"]
    assert after.news.startswith("Liquidated: long 1 BTC/USDT")


def test_what_the_market_does_reaches_listeners_at_once(run: Running) -> None:
    told: list[Snapshot] = []
    run.desk.subscribe(told.append)
    run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
    run.price(39_900)
    assert [each.revision for each in told] == [2, 3]
    assert len(told[-1].positions) == 1


@pytest.mark.parametrize(
    ("side", "price", "mark", "equity"),
    [("buy", 39_000, 38_500, "9992.3"), ("sell", 40_400, 40_800, "9991.84")],
)
def test_what_a_leap_fills_is_told_and_sampled_at_the_price_that_filled_it(
    run: Running, side: str, price: int, mark: int, equity: str
) -> None:
    sampler = Sampler(run.desk, run.folder, lambda _: None)
    told: list[Decimal] = []
    run.desk.subscribe(lambda snapshot: told.append(snapshot.portfolio_value))
    sampler.sample()
    run.order(side, "1", type="limit", price=price, leverage=10)
    run.price(mark)
    sampler.sample()
    assert told == [10_000, Decimal(equity)]
    figures = Equity(run.desk, run.folder).curve("day")["figures"]
    assert (figures["equity_low"], figures["equity_high"]) == (Decimal(equity), 10_000)
    assert figures["max_drawdown_percent"] == figures["return_percent"]


def test_a_limit_that_is_jumped_over_fills_once_as_maker(run: Running) -> None:
    run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
    run.price(39_901)
    assert run.fills() == []
    for _ in range(3):
        run.price(39_850)
    assert run.fills() == [("order", "maker", Decimal("0.1"), Decimal("39850"))]
    assert run.kinds() == ["start", "order", "fill", "fee"]
    assert run.desk.snapshot().open_orders == ()


def test_a_stop_fills_once_as_taker_and_a_take_profit_ends_the_stop_loss(run: Running) -> None:
    run.order(
        "buy",
        "0.1",
        type="stop_market",
        trigger_price=40_100,
        take_profit=41_000,
        stop_loss=39_000,
        leverage=10,
    )
    run.price(40_099)
    assert run.fills() == []
    for mark in (40_100, 40_150):
        run.price(mark)
    # the slippage of 0.01 %, up to the tick
    opened = ("order", "taker", Decimal("0.1"), Decimal("40104.1"))
    assert run.fills() == [opened]
    assert {each["type"] for each in run.desk.snapshot().open_orders} == {
        "take_profit_market",
        "stop_market",
    }
    for mark in (41_000, 38_000, 42_000):
        run.price(mark)
    closed = ("take_profit", "taker", Decimal("0.1"), Decimal("40995.9"))
    assert run.fills() == [opened, closed]
    assert run.desk.snapshot().open_orders == ()
    assert verify(run.folder).faults == ()


def test_a_stop_loss_ends_the_take_profit(run: Running) -> None:
    run.order("sell", "0.1", take_profit=39_000, stop_loss=40_500, leverage=10)
    for mark in (40_600, 38_900, 40_700):
        run.price(mark)
    assert [each[:2] for each in run.fills()] == [("order", "taker"), ("stop_loss", "taker")]
    assert run.desk.snapshot().positions == run.desk.snapshot().open_orders == ()


def test_one_moment_may_act_on_several_symbols_each_by_itself(run: Running) -> None:
    run.feed.give(quote(BTC, 40_000), quote(ETH, 2_000), quote(SOL, 100))
    run.order("buy", "1", leverage=50)
    for symbol, price in ((ETH, 1_990), (SOL, 90)):
        run.desk.place_order(symbol=symbol, side="buy", type="limit", quantity=10, price=price)
    run.desk.place_order(symbol=SOL, side="sell", quantity=10)
    revision = run.desk.snapshot().revision
    before = EIGHT - timedelta(seconds=1)
    run.price(100, SOL, time=before, funding_rate=RATE)
    run.feed.give(quote(BTC, 39_000), quote(ETH, 1_985), quote(SOL, 100, time=EIGHT))
    snapshot = run.desk.snapshot()
    assert snapshot.revision == revision + 1, "in one commit"
    newest = [each for each in run.desk.ledger.rows() if each["revision"] == revision + 1]
    assert [each["kind"] for each in newest][::-1] == ["liquidation", "fill", "fee", "funding"]
    assert [(each["symbol"], each["side"]) for each in snapshot.positions] == [
        (SOL, "short"),
        (ETH, "long"),
    ]
    assert [each["symbol"] for each in snapshot.open_orders] == [SOL]


def test_nothing_fills_on_stale_prices_and_it_goes_on_with_live_ones(run: Running) -> None:
    run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
    run.feed.state, run.feed.message = "stale", "The exchange is silent."
    run.price(39_000)
    assert run.fills() == []
    market = run.desk.snapshot().market
    assert (market["state"], market["words"]) == ("stale", "The exchange is silent.")
    assert market["prices"][BTC]["state"] == "stale"
    with pytest.raises(NoLivePrice, match="The exchange is silent"):
        run.order("buy", "0.1", leverage=10)
    run.feed.state, run.feed.message = "live", ""
    run.price(39_100)
    assert [each[1] for each in run.fills()] == ["maker"]


def test_quotes_that_stop_are_noticed_without_a_quote(run: Running) -> None:
    tick = run.board.market.tick
    run.feed.give()
    assert run.board.market.tick == tick, "nothing has changed"
    run.feed.state, run.feed.message = "ended", "The replay has ended."
    run.feed.give()
    assert (run.board.market.state, run.board.market.live) == ("ended", frozenset())
    assert run.board.market.tick == tick + 1
    with pytest.raises(NoLivePrice, match="The replay has ended"):
        run.order("buy", "0.1")


def test_a_symbol_that_is_silent_while_others_are_not_has_no_live_price(
    folder: Path, feed: HandFed, pass_time: Callable[[float], None]
) -> None:
    with Running(folder, feed) as run:
        feed.give(quote(BTC, 40_000), quote(ETH, 2_000))
        run.order("buy", "0.1", type="limit", price=39_000)
        pass_time(59)
        run.price(2_001, ETH)
        assert run.board.market.live == {BTC, ETH}
        pass_time(2)
        run.price(2_002, ETH)
        assert run.board.market.live == {ETH}
        with pytest.raises(NoLivePrice):
            run.order("buy", "0.1")
        assert run.desk.snapshot().market["prices"][BTC]["state"] == "stale"
        run.price(38_900)
        assert run.board.market.live == {BTC, ETH}
        assert len(run.fills()) == 1


def test_no_symbol_is_silent_where_all_are(
    folder: Path, feed: HandFed, pass_time: Callable[[float], None]
) -> None:
    with Running(folder, feed) as run:
        feed.give(quote(BTC, 40_000), quote(ETH, 2_000))
        pass_time(3_600)
        feed.give()
        assert run.board.market.live == {BTC, ETH}, "whether quotes have stopped says the feed"


def test_the_engine_survives_a_feed_that_raises_and_trusts_no_price_meanwhile(
    run: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SHOW_SECONDS", 0.01)
    # The engine has only the turns that the test gives it: one without quotes ends a run of faults.
    following = run.feed.next
    monkeypatch.setattr(run.feed, "next", lambda _: following(patience()))
    run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
    for _ in range(3):
        run.feed.give(fault=ZeroDivisionError("of the feed"))
    assert len(told_faults(caplog)) == 1, "once, not four times a second"
    assert "ZeroDivisionError: of the feed" in caplog.text
    # A feed without quotes is not yet one with new ones.
    run.feed.give()
    with pytest.raises(NoLivePrice):
        run.order("buy", "0.1", leverage=10)
    assert run.desk.snapshot().market["state"] == run.shown[-1].market["state"] == "stale"
    run.price(39_900)
    assert len(run.fills()) == 1
    run.order("buy", "0.1", leverage=10)
    run.feed.give(fault=ZeroDivisionError("again"))
    assert len(told_faults(caplog)) == 2


def test_prices_are_shown_four_times_a_second_and_commits_at_once(
    folder: Path, feed: HandFed, pass_time: Callable[[float], None]
) -> None:
    with Running(folder, feed) as run:
        committed: list[Snapshot] = []
        run.desk.subscribe(committed.append)
        run.price(40_000)
        run.order("buy", "0.1", leverage=10)
        for number in range(15):
            run.order("sell", "0.001", type="limit", price=40_010 + 10 * number)
        run.shown.clear()
        committed.clear()
        # 2 seconds, in steps that floats have exactly
        for number in range(128):
            pass_time(1 / 64)
            run.price(40_000 + 2 * number)
        assert len(run.shown) == 2 / SHOW_SECONDS
        assert [len(each.open_orders) for each in committed] == list(range(14, -1, -1))
        ticks = [each.tick for each in run.shown]
        assert ticks == sorted(set(ticks))


def test_the_last_price_before_silence_is_shown(
    folder: Path, feed: HandFed, pass_time: Callable[[float], None]
) -> None:
    with Running(folder, feed) as run:
        run.price(40_000)
        run.price(40_001)
        assert run.shown[-1].market["prices"][BTC]["last"] == 40_000
        pass_time(SHOW_SECONDS)
        feed.give()
        assert run.shown[-1].market["prices"][BTC]["last"] == 40_001
        pass_time(SHOW_SECONDS)
        feed.give()
        assert len(run.shown) == 2, "what has been shown is not shown again"


def test_what_a_damaged_file_forbids_is_done_once_it_is_mended(
    run: Running, caplog: pytest.LogCaptureFixture
) -> None:
    run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
    path = run.folder / ACCOUNT_FILE
    whole = path.read_bytes()
    path.write_bytes(b"{")
    for _ in range(3):
        run.price(39_800)
    (words,) = told_faults(caplog)
    assert "can't be booked" in words
    assert str(run.folder) not in words.replace(option(run.folder), "")
    path.write_bytes(whole)
    run.price(39_850)
    run.price(39_850)
    assert run.kinds() == ["start", "order", "fill", "fee"]
    assert verify(run.folder).faults == ()
    path.write_bytes(b"{")
    run.price(39_840)
    assert len(told_faults(caplog)) == 2, "another fault is told anew"


def test_moments_that_the_disk_refused_are_booked_in_their_order(run: Running) -> None:
    run.order("buy", "1", leverage=10, stop_loss=39_500, take_profit=41_000)
    path = run.folder / ACCOUNT_FILE
    whole = path.read_bytes()
    path.write_bytes(b"{")
    # The stop is met while nothing can be written, and the target after it.
    run.price(39_400)
    run.price(40_000)
    run.price(41_500)
    path.write_bytes(whole)
    run.price(41_600)
    assert [each[0] for each in run.fills()] == ["order", "stop_loss"]
    assert run.fills()[1][3] == Decimal("39396")


def test_a_price_that_is_booked_late_does_not_meet_an_order_placed_after_it(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.order("buy", "0.1", leverage=10, stop_loss=39_500)
    times = [MOMENT + timedelta(seconds=number) for number in range(4)]
    with monkeypatch.context() as patched:
        patched.setattr(run.desk, "advance", refuse_to_write)
        run.price(39_400, time=times[1])
        run.price(40_000, time=times[2])
    # At 40,000 somebody bids what the market cost a moment before.
    run.order("buy", "0.2", type="limit", price=39_450, leverage=10)
    run.price(40_001, time=times[3])
    assert [each[0] for each in run.fills()] == ["order", "stop_loss"]
    assert len(run.desk.snapshot().open_orders) == 1


class TestTrailingStops:
    """Orders that follow the price, without an entry in the ledger."""

    def test_follow_in_memory_and_in_the_file_of_prices(self, run: Running) -> None:
        run.order("sell", "0.1", type="trailing_stop", callback_percent=1)
        run.price(42_000)
        run.price(41_900)
        assert run.kinds() == ["start", "order"]
        run.engine.stop()
        others = Desk(FileStore(run.folder), FileBoard(run.folder))
        for desk in (run.desk, others):
            (row,) = desk.snapshot().open_orders
            assert (row["best_price"], row["trigger_price"]) == (42_000, 41_580)
        assert run.desk.account().orders[0].best_price == 40_000
        # Whatever else is committed takes the newest one along.
        others.deposit(1)
        assert others.account().orders[0].best_price == 42_000
        assert verify(run.folder).faults == ()

    def test_are_cancelled_as_they_stand(self, run: Running) -> None:
        run.order("sell", "0.1", type="trailing_stop", callback_percent=1)
        run.price(42_000)
        (row,) = run.desk.snapshot().open_orders
        outcome = run.desk.cancel_order(row["id"])
        assert "trailing stop 1 %, at 41,580" in outcome.entries[0].booking.note

    def test_go_on_from_where_they_were_after_a_reset_was_undone(self, run: Running) -> None:
        run.order("sell", "0.1", type="trailing_stop", callback_percent=1)
        run.price(42_000)
        run.desk.reset()
        run.price(41_700)
        run.desk.undo_reset()
        (row,) = run.desk.snapshot().open_orders
        assert row["best_price"] == 42_000
        run.price(41_580)
        assert [each[0] for each in run.fills()] == ["order"]
        assert verify(run.folder).faults == ()

    def test_go_on_after_a_restart_from_where_they_were(self, folder: Path, feed: HandFed) -> None:
        with Running(folder, feed) as run:
            run.price(40_000)
            run.order("sell", "0.1", type="trailing_stop", callback_percent=1)
            run.price(42_000)
        left = read_market((folder / MARKET_FILE).read_bytes())
        with Running(folder, HandFed(), left) as run:
            run.price(41_581)
            assert run.fills() == []
            run.price(41_580)
            assert [each[0] for each in run.fills()] == ["order"]

    def test_go_on_from_the_account_where_the_file_of_prices_is_lost(
        self, folder: Path, feed: HandFed
    ) -> None:
        with Running(folder, feed) as run:
            run.price(40_000)
            run.order("sell", "0.1", type="trailing_stop", callback_percent=1)
            run.price(42_000)
            run.desk.deposit(1)
            run.price(43_000)
        with Running(folder, HandFed()) as run:
            run.price(41_581)
            assert run.fills() == []
            run.price(41_580)
            assert [each[0] for each in run.fills()] == ["order"]

    def test_have_followed_the_moments_that_are_booked_late(self, run: Running) -> None:
        run.order("sell", "0.1", type="trailing_stop", callback_percent=1)
        path = run.folder / ACCOUNT_FILE
        whole = path.read_bytes()
        path.write_bytes(b"{")
        for price in (42_000, 41_500, 43_000):
            run.price(price)
        path.write_bytes(whole)
        run.price(43_100)
        (entry,) = run.desk.fills().entries
        assert "(trailing stop, 1 % below 42,000)" in entry["note"]

    def test_that_came_as_a_price_was_booked_follow_it_all_the_same(self, run: Running) -> None:
        booked = run.desk.account

        def account() -> Account:
            found = booked()
            if not found.orders:
                # Somebody orders at the price before.
                run.order("sell", "0.1", type="trailing_stop", callback_percent=1)
            return found

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(run.desk, "account", account)
            run.price(42_000)
        run.price(41_900)
        (row,) = run.desk.snapshot().open_orders
        assert row["best_price"] == 42_000


def refuse_to_write(*_: object) -> None:
    raise StoreBusy(5)


def test_what_another_programs_lock_forbids_is_done_once_it_is_free(
    run: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.order("buy", "1", leverage=50)
    margin = run.desk.snapshot().used_margin
    before = run.desk.snapshot().balance
    monkeypatch.setattr(account_lock(run.folder / LOCK_FILE), "_timeout", 0.05)
    with FileLock(run.folder / LOCK_FILE, is_singleton=False):
        for _ in range(3):
            run.price(38_900)
    assert len(told_faults(caplog)) == 1
    assert len(run.desk.snapshot().positions) == 1
    run.price(38_950)
    run.price(38_950)
    assert run.kinds()[-1:] == ["liquidation"]
    assert run.desk.snapshot().balance == before - margin
    assert verify(run.folder).faults == ()


def funding(run: Running) -> list[Decimal]:
    """The amounts of all funding entries, oldest first."""
    return [each["amount"] for each in run.desk.ledger.rows(kind="funding")][::-1]


def test_funding_goes_by_the_rate_told_before_and_the_mark_of_its_instant(run: Running) -> None:
    run.order("buy", "1", leverage=10)
    run.price(40_000, time=EIGHT - timedelta(seconds=1), funding_rate=RATE)
    assert funding(run) == []
    for second in (0, 1, 2):
        run.price(40_100, time=EIGHT + timedelta(seconds=second), funding_rate="-0.5")
    assert funding(run) == [Decimal("-4.01")]
    assert run.feed.asked == [], "the feed itself had told the rate"
    assert run.desk.snapshot().positions[0]["funding_paid"] == Decimal("4.01")


def test_shorts_receive_funding(run: Running) -> None:
    run.order("sell", "1", leverage=10)
    run.price(40_000, time=EIGHT - timedelta(seconds=1), funding_rate=RATE)
    run.price(40_100, time=EIGHT)
    assert funding(run) == [Decimal("4.01")]


def test_funding_that_another_programs_lock_delays_is_that_of_its_instant(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.order("buy", "1", leverage=10)
    run.price(40_000, time=EIGHT - timedelta(seconds=1), funding_rate=RATE)
    monkeypatch.setattr(account_lock(run.folder / LOCK_FILE), "_timeout", 0.05)
    with FileLock(run.folder / LOCK_FILE, is_singleton=False):
        run.price(40_100, time=EIGHT, funding_rate="0.0002")
    for second in (1, 2):
        run.price(40_200, time=EIGHT + timedelta(seconds=second), funding_rate="0.0002")
    assert funding(run) == [Decimal("-4.01")]


def test_funding_after_a_silence_is_what_the_feed_says_it_was(run: Running) -> None:
    run.order("buy", "1", leverage=10)
    run.feed.settlements[BTC, EIGHT] = Settlement(rate=Decimal("0.001"), mark=Decimal(39_000))
    # told for the settlement, but too long before it
    run.price(40_000, time=EIGHT - timedelta(minutes=10), funding_rate=RATE)
    run.price(41_000, time=EIGHT + timedelta(hours=1))
    assert funding(run) == [-39]


def test_the_mark_of_a_settlement_is_the_one_nearest_to_it(run: Running) -> None:
    run.order("buy", "1", leverage=10)
    run.price(40_000, time=EIGHT - timedelta(seconds=1), funding_rate=RATE)
    # nothing came for an hour, in which the price went elsewhere
    run.price(41_000, time=EIGHT + timedelta(hours=1))
    assert funding(run) == [-4]


def test_funding_is_skipped_with_a_note_where_no_rate_is_known(run: Running) -> None:
    run.order("buy", "1", leverage=10)
    for hours in (0, 8):
        run.price(40_000, time=EIGHT + timedelta(hours=hours))
    run.price(40_000, time=EIGHT + timedelta(hours=8))
    entries = list(run.desk.ledger.rows(kind="funding"))[::-1]
    assert [(each["amount"], each["note"]) for each in entries] == [
        (0, "Funding of BTC/USDT at 2026-01-02 08:00 UTC skipped: the rate is not known"),
        (0, "Funding of BTC/USDT at 2026-01-02 16:00 UTC skipped: the rate is not known"),
    ]
    assert run.feed.asked == [(BTC, EIGHT), (BTC, EIGHT + timedelta(hours=8))]


def test_what_happened_while_the_program_was_off_is_done_once_at_the_start(
    folder: Path, feed: HandFed
) -> None:
    with Running(folder, feed) as run:
        run.price(40_000)
        run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
        run.desk.deposit(1)
    off = HandFed()
    off.past = [
        [quote(BTC, 39_950, time=EIGHT - timedelta(minutes=2), funding_rate=RATE)],
        [quote(BTC, 39_890, time=EIGHT - timedelta(minutes=1), funding_rate=RATE)],
        [quote(BTC, 39_910, time=EIGHT, funding_rate=RATE)],
    ]
    feed_id, _, last_seen = saved_feed(folder)
    assert feed_id == off.id
    assert last_seen is not None
    for start in (1, 2):
        run = Running(folder, off)
        run.engine.start(last_seen)
        # nobody has asked anything yet
        entries = list(run.desk.ledger.rows())[::-1]
        assert [(each["kind"], each["source"]) for each in entries[3:]] == [
            ("fill", "offline"),
            ("fee", "offline"),
            ("funding", "offline"),
        ], f"start {start}"
        run.engine.stop()
    assert off.missed_since == [last_seen, last_seen]
    assert run.fills() == [("order", "maker", Decimal("0.1"), Decimal("39890"))]
    assert verify(folder).faults == ()


def test_what_a_start_could_not_look_up_is_left_to_the_next(folder: Path, feed: HandFed) -> None:
    with Running(folder, feed) as run:
        run.price(40_000)
    last_seen = saved_feed(folder)[2]
    assert last_seen == from_iso(iso(run.board.market.as_of or EIGHT))
    alone = HandFed()
    alone.state = "waiting"
    run = Running(folder, alone)
    run.engine.start(last_seen)
    alone.give()
    run.engine.stop()
    assert saved_feed(folder)[2] == last_seen


def test_what_was_saved_by_a_clock_that_was_ahead_is_looked_up_since_the_last_price(
    folder: Path, feed: HandFed
) -> None:
    with Running(folder, feed) as run:
        run.price(40_000, time=EIGHT)
    market = FileBoard(folder).market
    off = HandFed()
    run = Running(folder, off)
    run.engine.stop()
    run.board.market = market
    run.engine = Engine(run.desk, run.board, off, run.shown.append, folder)
    run.engine.start(datetime.now(UTC) + timedelta(days=30))
    run.engine.stop()
    assert off.missed_since == [EIGHT]


def test_what_happened_while_the_program_was_off_is_news(folder: Path, feed: HandFed) -> None:
    with Running(folder, feed) as run:
        run.price(40_000)
        run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
    off = HandFed()
    off.past = [[quote(BTC, 39_890)]]
    run = Running(folder, off)
    run.engine.start(datetime.now(UTC))
    news = run.desk.snapshot().news
    run.engine.stop()
    assert news.startswith("While the program was off: Bought 0.1 BTC/USDT at 39,890")


def test_what_was_missed_is_no_live_price_until_the_feed_lives(folder: Path, feed: HandFed) -> None:
    feed.past, feed.state = [[quote(BTC, 39_890)]], "waiting"
    run = Running(folder, feed)
    run.engine.start(datetime.now(UTC))
    with pytest.raises(NoLivePrice):
        run.order("buy", "0.1")
    run.engine.stop()


def test_the_engine_survives_a_listener_that_fails(
    folder: Path, feed: HandFed, caplog: pytest.LogCaptureFixture
) -> None:
    run, broken = Running(folder, feed), [True]

    def show(snapshot: Snapshot) -> None:
        if broken.pop():
            broken.append(False)
            raise ZeroDivisionError
        broken.append(False)
        run.shown.append(snapshot)

    run.engine = Engine(run.desk, run.board, feed, show, folder)
    with run:
        run.price(40_000)
        run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
        run.price(39_900)
        assert len(run.fills()) == 1


def test_a_stop_keeps_what_the_next_start_needs(folder: Path, feed: HandFed) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=1)
    with Running(folder, feed) as run:
        run.price(40_000)
        run.price(40_123.4, bid=40_123, funding_rate=RATE, day_open=39_000)
    kept = read_market((folder / MARKET_FILE).read_bytes())
    assert kept.quotes == run.board.market.quotes
    assert (kept.feed, kept.instruments) == (feed.id, feed.instruments)
    # programs that read the file can't trade at what nobody brings any more
    assert (kept.state, kept.live) == ("stale", frozenset())
    assert "is not running" in kept.message
    assert (folder / FEED_FILE).exists()
    feed_id, state, last_seen = saved_feed(folder)
    assert (feed_id, state) == (feed.id, {"light": True, "long": "past"})
    assert last_seen is not None
    assert begun < last_seen <= datetime.now(UTC)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"feed": "simulated"}', None])
def test_a_start_goes_on_where_either_file_says_the_last_one_stopped(
    folder: Path, feed: HandFed, damage: bytes | None
) -> None:
    with Running(folder, feed) as run:
        run.price(40_000)
    whole = saved_feed(folder)
    alone = {FEED_FILE: {"light": True}, MARKET_FILE: {"light": False, "long": "past"}}
    for name, wanted in alone.items():
        kept = (folder / name).read_bytes()
        _damage(folder / name, damage)
        feed_id, state, last_seen = saved_feed(folder)
        assert (feed_id, state, last_seen) == (whole[0], wanted, whole[2])
        (folder / name).write_bytes(kept)
    for name in (FEED_FILE, MARKET_FILE):
        _damage(folder / name, damage)
    assert saved_feed(folder) == (None, {}, None)


def _damage(path: Path, damage: bytes | None) -> None:
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)


def test_prices_are_saved_once_a_second_and_the_past_once_a_minute(
    folder: Path,
    feed: HandFed,
    pass_time: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    for name in ("save_market", "save_past"):

        def save(*_: Any, name: str = name, **_options: Any) -> None:
            written.append(name)

        monkeypatch.setattr(engine_module, name, save)
    with Running(folder, feed) as run:
        run.price(40_000)
        written.clear()
        for number in range(1, 601):
            pass_time(0.2)
            run.price(40_000 + number)
        seconds = 120
        assert 0.8 * seconds <= written.count("save_market") <= seconds / SAVE_SECONDS
        assert written.count("save_past") == 2


def test_a_disk_that_takes_no_prices_stops_nothing(
    run: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine_module, "save_market", full)
    monkeypatch.setattr(engine_module, "SAVE_SECONDS", 0)
    run.order("buy", "0.1", type="limit", price=39_900, leverage=10)
    with caplog.at_level(logging.ERROR):
        run.price(39_900)
    assert len(run.fills()) == 1
    assert "No space left on device" in caplog.text


def test_positions_of_another_feed_are_left_alone(folder: Path, feed: HandFed) -> None:
    with Running(folder, feed) as run:
        run.price(40_000)
        run.order("buy", "1", leverage=50, stop_loss=39_900)
        run.order("sell", "1", type="limit", price=41_000)
    before = run.desk.account()
    with Running(folder, HandFed("replay:BTC/USDT=other.csv")) as other:
        for mark in (30_000, 50_000):
            other.price(mark, time=EIGHT, funding_rate=RATE)
        assert other.desk.account() == before
        snapshot = other.desk.snapshot()
        assert snapshot.positions[0]["mark_price"] == 40_000
        assert snapshot.portfolio_value == before.equity


@pytest.mark.parametrize(
    ("positions", "orders", "words"),
    [
        ((position(),), (), "BTC/USDT long is open on simulated."),
        ((), (order(),), "1 order is open on simulated."),
        ((), (order(), order(id="o-2")), "2 orders are open on simulated."),
        (
            (position(side="short"),),
            (order(feed="binance"),),
            "BTC/USDT short and 1 order are open on binance and simulated.",
        ),
    ],
)
def test_a_feed_is_refused_while_another_ones_things_are_open(
    positions: tuple[Position, ...], orders: tuple[Order, ...], words: str
) -> None:
    store = MemoryStore()

    def change(account: Account) -> Change:
        opened = Effect(symbol=BTC, position=next(iter(positions), None), opened=orders)
        return Change(account).booked("order", Decimal(0), effect=opened)

    store.commit(change, source="program")
    with pytest.raises(FeedFault) as refused:
        refuse_others(Desk(store), HandFed("replay:BTC/USDT=mine.csv"))
    start = f"The feed replay:BTC/USDT=mine.csv can't be taken while {words} "
    assert str(refused.value).startswith(start)
    same = {each.feed for each in (*positions, *orders)} == {"simulated"}
    with nullcontext() if same else pytest.raises(FeedFault):
        refuse_others(Desk(store), HandFed("simulated"))
    with pytest.raises(FeedFault, match="^Another time" if same else "^The feed simulated"):
        refuse_others(Desk(store), HandFed("simulated"), is_moved=True)


def test_any_feed_may_run_where_nothing_is_open_or_nothing_can_be_read(folder: Path) -> None:
    desk = Desk(FileStore(folder))
    refuse_others(desk, HandFed("binance"), is_moved=True)
    (folder / ACCOUNT_FILE).write_bytes(b"{")
    refuse_others(desk, HandFed("binance"))


class Looker:
    """Acts by the prices: it remembers what it has seen."""

    def __init__(self) -> None:
        self.seen: list[Decimal] = []
        self.shows = 0
        self.has_rested = False

    def look(self, market: Market) -> None:
        """See the price of Bitcoin."""
        self.seen.append(market.quotes[BTC].mark)

    def show(self) -> None:
        """Count."""
        self.shows += 1

    def rest(self) -> None:
        """Know that it is over."""
        self.has_rested = True


class Failing(Looker):
    """Fails at everything."""

    def look(self, market: Market) -> None:
        """See the price of Bitcoin, and fail."""
        super().look(market)
        raise RuntimeError("a fault while looking")

    def show(self) -> None:
        """Count, and fail."""
        super().show()
        raise RuntimeError("a fault while showing")


def test_a_fault_of_one_who_looks_keeps_no_other_from_looking(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    feed, board = HandFed(), LiveBoard()
    lookers = Failing(), Looker()
    desk = Desk(FileStore(folder), board)
    engine = Engine(desk, board, feed, lambda _: None, folder, acting=lookers)
    engine.start()
    for mark in (40_000, 41_000):
        feed.give(quote(BTC, mark))
    engine.stop()
    assert [each.seen for each in lookers] == [[40_000, 41_000]] * 2
    assert all(each.shows and each.has_rested for each in lookers)
    # each fault is told once, and no price is distrusted for it
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(told) == 2
    assert desk.snapshot().market["prices"][BTC]["mark"] == 41_000


def test_prices_are_saved_only_once_their_past_is(
    folder: Path, feed: HandFed, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, there = engine_module.save_market, list[bool]()

    def watched(*arguments: Any, **named: Any) -> None:
        there.append((folder / FEED_FILE).exists())
        save(*arguments, **named)

    monkeypatch.setattr(engine_module, "save_market", watched)
    with Running(folder, feed) as run:
        run.price(40_000)
    assert there
    assert all(there)


def test_prices_that_can_not_be_saved_are_logged_once_with_the_name_of_the_file(
    folder: Path,
    feed: HandFed,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "SAVE_SECONDS", 0)
    with Running(folder, feed) as run:
        run.price(40_000)
    for name in (MARKET_FILE, FEED_FILE):
        (folder / name).unlink()
        (folder / name).mkdir()
    with Running(folder, feed) as run:
        for number in range(5):
            run.price(40_000 + number)
    assert [each.message for each in caplog.records if "saved" in each.message] == [
        "feed.json could not be saved: Is a directory",
        "market.json could not be saved: Is a directory",
    ]
