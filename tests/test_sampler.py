"""The sampler: no change of the account is left out, whoever made it, and periods are known."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.core.errors import StoreUnreadable
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.open_account import open_account
from balance.performance.baselines import FilePast
from balance.performance.performance import Equity
from balance.performance.sample import Sample
from balance.performance.sample_reader import SampleReader
from balance.performance.sample_rows import EQUITY_FILE
from balance.performance.sampler import STEADY_SECONDS, Sampler
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from balance.store.state import Store
from tests.boards import board as a_board
from tests.boards import priced
from tests.markets import BTC
from tests.samples import MONDAY, percents


@dataclass
class Watched:
    """A desk with a sampler, by a clock that a test moves by hand."""

    folder: Path
    store_of: Callable[[Path, Callable[[], datetime]], Store]
    now: datetime = MONDAY + timedelta(hours=9)
    shown: list[Snapshot] = field(default_factory=list)
    # seconds that go on however the clock is set
    steady: float = 0.0

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.board: LiveBoard = a_board()
        self.store = self.store_of(self.folder, lambda: self.now)
        self.desk = Desk(self.store, self.board)
        self.restart()

    def restart(self) -> None:
        """Have another sampler go on, as after a restart."""
        self.desk = Desk(self.store, self.board)
        self.sampler = Sampler(
            self.desk,
            self.folder,
            self.shown.append,
            clock=lambda: self.now,
            steady=lambda: self.steady,
        )
        self.equity = Equity(
            self.desk,
            self.folder,
            message=lambda: self.sampler.message,
            clock=lambda: self.now,
            suspect=self.sampler.suspect,
        )

    def other(self) -> Desk:
        """The account as another program has it, of whose changes the sampler is not told."""
        return Desk(self.store, self.board)

    def look(self, seconds: float = 1) -> list[Sample]:
        """Let time pass, and the sampler look; all samples since the beginning."""
        self.now += timedelta(seconds=seconds)
        self.steady += seconds
        self.sampler.sample()
        return self.samples

    @property
    def samples(self) -> list[Sample]:
        """All that are in the file."""
        reader = SampleReader(self.folder / EQUITY_FILE, self.store.read().account_id)
        with closing(sqlite3.connect(self.folder / EQUITY_FILE)) as connection:
            found = connection.execute("select id from samples order by id").fetchall()
        return [sample for (number,) in found if (sample := reader.sample(number)) is not None]

    @property
    def equities(self) -> list[Decimal]:
        """Of all of them."""
        return [each.equity for each in self.samples]


def in_memory(_folder: Path, clock: Callable[[], datetime]) -> Store:
    return MemoryStore(clock=clock)


def in_files(folder: Path, clock: Callable[[], datetime]) -> Store:
    return FileStore(folder, clock=clock)


@pytest.fixture(params=[in_memory, in_files])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Watched:
    """One on each of the stores."""
    return Watched(tmp_path / "account", request.param)


@pytest.fixture
def quick(tmp_path: Path) -> Watched:
    """One in memory."""
    return Watched(tmp_path / "account", in_memory)


def test_it_begins_with_the_first_moment_of_the_account_and_with_now(watched: Watched) -> None:
    first, second = watched.look(30)
    assert (first.time, second.time) == (watched.now - timedelta(seconds=30), watched.now)
    assert (first.revision, first.equity, first.carried) == (1, 10_000, 0)


def test_each_change_made_here_is_a_sample_and_a_flow_two(watched: Watched) -> None:
    watched.look()
    watched.desk.adjust(50)
    watched.desk.deposit(1_000)
    samples = watched.look()
    assert [each.equity for each in samples] == [10_000, 10_000, 10_050, 10_050, 11_050]
    assert {each.growth for each in samples[2:]} == {Decimal("1.005")}


def test_prices_make_a_sample_every_five_seconds_and_silence_one_a_minute(quick: Watched) -> None:
    quick.look()
    quick.desk.place_order(symbol=BTC, side="buy", quantity="0.1")
    first = quick.look()[-1].time
    newest = []
    for second in range(1, 13):
        priced(quick.board, 40_000 + second)
        newest.append(quick.look()[-1].time)
    assert sorted(set(newest)) == [first + timedelta(seconds=each) for each in (0, 5, 10)]
    newest = [quick.look(10)[-1].time for _ in range(13)]
    # one of the last price above, and then one a minute though nothing moves
    assert len(set(newest)) == 3


def test_what_other_programs_change_is_followed_entry_by_entry(watched: Watched) -> None:
    watched.look()
    for amount in (10, -4, 7):
        watched.now += timedelta(seconds=1)
        watched.other().adjust(amount)
    watched.other().withdraw(13)
    samples = watched.look(5)
    assert [each.equity for each in samples[2:]] == [10_010, 10_006, 10_013, 10_013, 10_000]
    # they are told with the time at which they were made
    assert samples[2].time < samples[3].time < samples[4].time < watched.now
    assert samples[-1].growth == Decimal("1.0013")


def test_more_than_can_be_read_of_others_goes_on_with_the_same_return(
    quick: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.performance.tracker.MOST_ENTRIES", 20)
    quick.look()
    quick.desk.deposit(1_000)
    quick.desk.adjust(11_000)
    quick.look()
    for _ in range(30):
        quick.other().adjust(11)
    last = quick.look()[-1]
    assert (last.equity, last.growth, last.is_whole) == (22_330, Decimal("2.03"), True)
    for _ in range(30):
        quick.other().deposit(1)
    told = quick.look()[-1]
    # whenever they came, what it grew by meanwhile is not known
    assert (told.growth, told.is_whole) == (last.growth, False)
    figures = quick.equity.performance()["figures"]
    assert (figures["return_percent"], figures["max_drawdown"]) == (None, 0)


def test_what_happened_while_no_server_ran_is_followed_at_the_next_start(
    watched: Watched,
) -> None:
    watched.look()
    watched.now += timedelta(hours=2)
    watched.other().deposit(500)
    watched.other().adjust(-21)
    watched.now += timedelta(hours=3)
    watched.restart()
    samples = watched.look()
    assert [each.equity for each in samples[2:]] == [10_000, 10_500, 10_479, 10_479]
    assert [each.gap for each in samples[2:]] == [7_200, 0, 0, 10_801]
    points = watched.equity.curve("day")["points"]
    assert points.count(None) == 2


def test_a_reset_is_followed_and_adds_up_over_epochs(watched: Watched) -> None:
    watched.look()
    watched.desk.adjust(250)
    watched.desk.reset(500)
    watched.desk.adjust(-40)
    samples = watched.look()
    assert [(each.epoch, each.all_pnl) for each in samples[3:]] == [
        *((1, 250), (1, 250), (2, 250), (2, 210)),
    ]
    watched.other().undo_reset()
    again = watched.look()[-1]
    # the account goes on with the 250, and the 40 stay lost
    assert (again.epoch, again.chain, again.equity, again.all_pnl) == (3, 1, 10_250, 210)
    assert again.growth == Decimal("1.025")


def test_a_reset_and_its_undo_that_nobody_saw_are_followed_too(watched: Watched) -> None:
    watched.look()
    watched.desk.adjust(-500)
    watched.look()
    watched.other().adjust(1_500)
    # 10 % so far, and as much again on twice the money
    watched.other().deposit(11_000)
    watched.other().adjust(2_200)
    watched.other().reset(500)
    watched.other().adjust(9)
    watched.other().undo_reset()
    last = watched.look()[-1]
    assert (last.epoch, last.chain, last.pnl, last.all_pnl) == (3, 1, 3_200, 3_209)
    assert abs(last.growth - Decimal("1.21")) < Decimal("1e-20")


def test_snapshots_tell_what_was_made_today_this_week_and_ever(watched: Watched) -> None:
    watched.look()
    assert watched.desk.snapshot().pnl_today == 0
    watched.desk.adjust(30)
    watched.look()
    watched.now += timedelta(days=1)
    watched.look()
    watched.desk.adjust(-5)
    told = watched.desk.snapshot()
    assert (told.pnl_today, told.pnl_week, told.pnl_all_time) == (-5, 25, 25)
    watched.now += timedelta(days=6)
    watched.look()
    told = watched.desk.snapshot()
    assert (told.pnl_today, told.pnl_week, told.pnl_all_time) == (0, 0, 25)


def test_a_reset_keeps_what_was_made_today_from_its_very_answer_on(watched: Watched) -> None:
    watched.look()
    watched.desk.adjust(30)
    watched.look()
    told = watched.desk.reset(100)
    assert (told.pnl_today, told.pnl_all_time, told.current_pnl) == (30, 30, 0)
    watched.look()
    assert watched.desk.snapshot().pnl_today == 30
    assert watched.desk.undo_reset().current_pnl == 30
    watched.look()
    assert watched.desk.snapshot().pnl_today == 30


def test_what_is_found_out_of_the_past_is_shown_and_newer_than_before(quick: Watched) -> None:
    before = quick.desk.snapshot()
    assert before.pnl_today is None
    quick.look()
    (told,) = quick.shown
    assert (told.pnl_today, told.tick > before.tick) == (0, True)
    quick.desk.adjust(10)
    quick.look()
    assert len(quick.shown) == 1
    quick.now = MONDAY + timedelta(days=1, seconds=1)
    quick.desk.adjust(4)
    quick.look()
    assert [each.pnl_today for each in quick.shown] == [0, 4]


def test_of_an_account_with_a_past_that_nobody_saw_it_says_only_what_it_knows(
    watched: Watched,
) -> None:
    watched.desk.adjust(30)
    watched.now += timedelta(days=9)
    watched.desk.reset(1_000)
    watched.desk.adjust(5)
    watched.now += timedelta(days=1)
    watched.restart()
    watched.look()
    told = watched.desk.snapshot()
    # what epoch 1 brought is the ledger's to tell; since midnight nothing has happened
    assert (told.pnl_all_time, told.current_pnl) == (None, 5)
    assert told.pnl_today == 0
    told = watched.equity.performance()
    assert told["figures"]["pnl_all_time"] is None
    assert told["display"]["pnl_all_time"] == "\N{EN DASH}"


class Late:
    """An index that has no epoch until ``carried`` is known."""

    carried: Decimal | None = None

    def epoch(self, _number: int) -> Late | None:
        return None if self.carried is None else self


def test_what_earlier_epochs_brought_is_noted_when_it_gets_known(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "account", in_memory)
    watched.desk.adjust(30)
    watched.desk.reset(1_000)
    watched.desk = Desk(watched.store, watched.board)
    index = Late()
    watched.sampler = Sampler(
        watched.desk, watched.folder, watched.shown.append, index, lambda: watched.now
    )
    watched.look()
    assert watched.desk.snapshot().pnl_all_time is None
    index.carried = Decimal(30)
    watched.look()
    assert watched.desk.snapshot().pnl_all_time == 30
    assert {each.carried for each in watched.samples if each.epoch == 2} == {30}


def test_other_programs_tell_the_same_of_the_past_and_make_no_file(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "account", in_files)
    alone = open_account(watched.folder)
    assert alone.snapshot().pnl_today is None
    assert not (watched.folder / EQUITY_FILE).exists()
    watched.look()
    watched.desk.adjust(70)
    watched.look()
    desk = Desk(watched.store, watched.board)
    desk.use_baselines(FilePast(watched.folder, lambda: watched.now))
    told = desk.snapshot()
    assert (told.pnl_today, told.pnl_week, told.pnl_all_time) == (70, 70, 70)
    assert desk.reset(5).pnl_today == 70


def test_an_account_that_was_put_back_loses_the_samples_of_what_is_not_true(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path / "account", in_files)
    watched.look()
    kept = {
        name: (watched.folder / name).read_bytes()
        for name in ("virtual_balance.json", "ledger.jsonl")
    }
    watched.desk.adjust(4_000)
    watched.look()
    for name, text in kept.items():
        (watched.folder / name).write_bytes(text)
    watched.restart()
    assert {each.equity for each in watched.look()} == {10_000}
    assert "put back to revision 1" in watched.equity.curve("day")["words"]
    assert watched.desk.snapshot().pnl_today == 0


def test_an_account_that_was_put_back_while_it_runs_is_told_as_it_is_in_every_period(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path / "account", in_files)
    watched.look()
    watched.desk.adjust(100)
    watched.look(10)
    kept = {
        name: (watched.folder / name).read_bytes()
        for name in ("virtual_balance.json", "ledger.jsonl")
    }
    watched.desk.adjust(4_000)
    watched.look(10)
    follower = Desk(FileStore(watched.folder), watched.board)
    follower.use_baselines(FilePast(watched.folder, lambda: watched.now))
    watched.look(86_400)
    watched.look(STEADY_SECONDS)
    watched.look(60)
    assert follower.snapshot().pnl_today == watched.desk.snapshot().pnl_today == 0
    for name, text in kept.items():
        (watched.folder / name).write_bytes(text)
    samples = watched.look(61)
    assert samples[-1].time == watched.now
    # since midnight nothing happened to the account that is there again
    for desk in (watched.desk, follower):
        watched.now += timedelta(seconds=6)
        assert desk.snapshot().pnl_today == 0
    assert watched.equity.performance()["figures"]["pnl_today"] == 0
    watched.look(61)
    watched.look(61)
    # the thinning begins again where the samples end now
    assert {each.time for each in samples[-2:]} <= {each.time for each in watched.samples}


def test_an_epoch_that_ends_otherwise_after_the_account_was_put_back_is_told_anew(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path / "account", in_files)
    watched.look()
    watched.desk.adjust(1_000)
    watched.look()
    kept = {
        name: (watched.folder / name).read_bytes()
        for name in ("virtual_balance.json", "ledger.jsonl")
    }
    watched.desk.adjust(-5_500)
    watched.desk.reset()
    watched.look()
    assert percents(watched.equity.of_epoch(1)) == (-45, -50)
    for name, text in kept.items():
        (watched.folder / name).write_bytes(text)
    watched.look()
    watched.desk.reset()
    watched.look()
    assert percents(watched.equity.of_epoch(1)) == (10, 0)


def test_what_an_open_position_brought_while_the_server_was_off_is_of_no_day(
    watched: Watched,
) -> None:
    watched.look()
    watched.desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=5)
    watched.look()
    watched.now += timedelta(days=12)
    priced(watched.board, 50_000)
    watched.restart()
    watched.look()
    told = watched.desk.snapshot()
    assert (told.pnl_today, told.pnl_week, told.pnl_all_time) == (None, None, told.current_pnl)
    told = watched.equity.performance()
    assert told["figures"]["pnl_today"] is None
    assert told["display"]["pnl_today"] == "\N{EN DASH}"
    assert told["derivations"]["pnl_today"]["terms"] == []
    # of the next day it is known
    for _ in range(25 * 30):
        watched.now += timedelta(minutes=2)
        watched.sampler.sample()
    assert watched.desk.snapshot().pnl_today == 0


def test_where_nothing_was_open_a_day_is_known_though_the_server_was_off(
    watched: Watched,
) -> None:
    watched.look()
    watched.desk.adjust(40)
    watched.look()
    watched.now += timedelta(days=2)
    # the ledger tells when that was
    watched.other().adjust(-7)
    watched.now += timedelta(hours=1)
    watched.restart()
    watched.look()
    told = watched.desk.snapshot()
    assert (told.pnl_today, told.pnl_week) == (-7, 33)


def test_a_second_server_takes_no_midnight_for_known_before_it_is(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "account", in_files)
    midnight = MONDAY + timedelta(days=1)
    watched.now = midnight - timedelta(seconds=5)
    watched.look()
    follower = Desk(FileStore(watched.folder), watched.board)
    follower.use_baselines(FilePast(watched.folder, lambda: watched.now))
    watched.now = midnight - timedelta(milliseconds=300)
    watched.desk.adjust(-700)
    watched.now = midnight + timedelta(milliseconds=200)
    # not yet written
    assert follower.snapshot().pnl_today == -700
    watched.look()
    watched.look(60)
    assert follower.snapshot().pnl_today == watched.desk.snapshot().pnl_today == 0


def test_a_clock_that_is_set_back_stops_nothing(quick: Watched) -> None:
    quick.look()
    quick.now += timedelta(days=500)
    quick.look()
    quick.now -= timedelta(days=500)
    quick.desk.adjust(3)
    quick.look(5)
    quick.look(STEADY_SECONDS)
    quick.look(61)
    times = [each.time for each in quick.samples]
    assert times == sorted(times)
    assert quick.samples[-1].time == quick.now
    assert quick.samples[-1].equity == 10_003
    # what had other times is kept aside
    (aside,) = quick.folder.glob("equity.set-back-*.db")
    assert aside.name in quick.sampler.message
    newest = SampleReader(aside, "memory").newest()
    assert newest is not None
    assert newest.time > quick.now


@pytest.mark.parametrize("hours", [-24 * 900, -8, 8, 24 * 400])
def test_a_clock_that_is_wrong_for_a_while_after_a_start_moves_no_sample(
    quick: Watched, hours: int
) -> None:
    quick.look()
    quick.desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=5)
    for hour in range(30):
        priced(quick.board, 40_000 + hour % 7)
        quick.look(3_600)
    before = quick.samples
    times, today = [each.time for each in before], quick.desk.snapshot().pnl_today
    quick.now += timedelta(hours=hours)
    quick.restart()
    for _ in range(3):
        quick.look(60)
    quick.now -= timedelta(hours=hours)
    quick.look(60)
    assert [each.time for each in quick.samples[: len(before)]] == times
    assert quick.desk.snapshot().pnl_today == today
    quick.look(STEADY_SECONDS)
    quick.look(61)
    assert quick.samples[-1].time == quick.now
    # of what was there, nothing was taken to be old
    assert set(times[-20:]) <= {each.time for each in quick.samples}


def test_a_clock_that_goes_steadily_is_believed_and_old_samples_are_thinned_out(
    quick: Watched,
) -> None:
    for second in range(60):
        quick.desk.adjust(second + 1)
        quick.look(5)
    assert len(quick.samples) > 60
    quick.look(61)
    assert len(quick.samples) < 30


def test_an_account_that_can_not_be_read_is_left_alone_until_it_can(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "account", in_files)
    watched.look()
    file = watched.folder / "virtual_balance.json"
    text = file.read_bytes()
    file.write_bytes(b"{}")
    with pytest.raises(StoreUnreadable):
        watched.look()
    file.write_bytes(text)
    assert set(watched.equities) == {10_000}
    assert watched.look(70)[-1].time == watched.now


def test_a_liquidation_and_its_depth_stay_for_good(quick: Watched) -> None:
    quick.look()
    quick.desk.place_order(symbol=BTC, side="buy", quantity="0.5", leverage=50)
    quick.look()
    priced(quick.board, 39_300)
    quick.desk.advance(quick.board.market, {})
    samples = quick.look()
    assert quick.desk.snapshot().positions == ()
    assert any(each.is_kept and each.revision == quick.desk.version[1] for each in samples)


def test_the_thread_samples_at_once_and_once_more_when_it_stops(tmp_path: Path) -> None:
    desk = Desk(MemoryStore(), a_board())
    sampler = Sampler(desk, tmp_path, lambda _: None)
    sampler.start()
    desk.adjust(5)
    sampler.stop()
    reader = SampleReader(tmp_path / EQUITY_FILE, "memory")
    newest = reader.newest()
    assert newest is not None
    assert (newest.equity, newest.revision) == (10_005, 2)
    assert not (tmp_path / f"{EQUITY_FILE}-wal").exists()


def test_a_change_is_not_held_up_by_the_sampler(
    quick: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.look()

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("the one who makes a change must not wait for this")

    for name in ("add", "write", "newest", "at"):
        monkeypatch.setattr(f"balance.performance.sample_store.SampleStore.{name}", fail)
    assert quick.desk.adjust(5).balance == 10_005


def test_a_gap_is_told_of_what_is_now_too(quick: Watched) -> None:
    quick.look()
    quick.now += timedelta(hours=3)
    assert quick.equity.curve("day")["points"][-2] is None
    assert replace(quick.samples[-1]).gap == 0
