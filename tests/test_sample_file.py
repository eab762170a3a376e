"""The file of the samples: what is written is read, is thinned as it grows old, and is in nobody's
way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.performance.sample import Point, Sample
from balance.performance.sample_file import SampleFile, WrongAccount
from balance.performance.sample_reader import SampleReader
from balance.performance.sample_rows import EQUITY_FILE, Row, row_of
from balance.performance.sample_store import SampleStore
from tests.samples import ACCOUNT, MONDAY, at, booked, moved, opening, write_a_year
from tests.test_thinning import deepest_fall


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / EQUITY_FILE


@pytest.fixture
def file(path: Path) -> Iterator[SampleFile]:
    """A new one."""
    made = SampleFile(path, ACCOUNT)
    yield made
    made.close()


@pytest.fixture
def reader(path: Path) -> SampleReader:
    """Reads it."""
    return SampleReader(path, ACCOUNT)


def prices(first: Sample, step: float, worths: list[int]) -> list[Sample]:
    """Samples ``step`` seconds apart, with those worths of what is open."""
    found = [first]
    for worth in worths:
        found.append(moved(found[-1], found[-1].time + timedelta(seconds=step), worth))
    return found


def drawn(reader: SampleReader, begin: datetime, end: datetime) -> list[Point]:
    return [each.point for each in reader.points(begin, end)]


def test_a_sample_is_read_as_it_was_written(file: SampleFile, reader: SampleReader) -> None:
    exact = booked(
        moved(opening(), at(0, 5), "0.12345678"), at(0, 6), "funding", "-999999.00000001"
    )
    odd = replace(exact, growth=Decimal("0.1234567890123456789012345678"), is_whole=False)
    unknown = replace(odd, time=at(1), carried=None, gap=700, chain=7)
    file.write([opening(), exact, odd, unknown], at(1))
    assert reader.newest() == unknown
    assert reader.oldest() == replace(opening(), is_kept=True)
    assert reader.at(at(0.5)) == odd
    assert reader.at(at(0, 5.9)) == opening()
    assert reader.at(MONDAY - timedelta(milliseconds=1)) is None


def test_the_totals_of_a_row_stand_in_the_order_of_their_file() -> None:
    exact = '[["10000.00","1.00","2.00","3.00","4.00","5.00","6.00","9999.00"],"7.00","0.5",true]'
    row = Row(1, 0, 1, 1, 1, 4, 0, 10_006.0, 7.0, 0.5, 0.5, None, exact)
    wallet = row.sample.wallet
    assert (wallet.starting_balance, wallet.deposits, wallet.funding) == (10_000, 1, 6)
    assert wallet.balance == 9_999
    assert row_of(row.sample, 1).exact == exact


def test_what_is_not_there_is_read_as_nothing_and_not_made(tmp_path: Path, path: Path) -> None:
    reader = SampleReader(path, ACCOUNT)
    assert (reader.newest(), reader.points(MONDAY, at(1)), reader.flows(1)) == (None, [], [])
    with reader:
        assert reader.oldest() is None
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        reader.newest()


def test_reading_leaves_nothing_beside_the_file(tmp_path: Path, path: Path) -> None:
    file = SampleFile(path, ACCOUNT)
    file.write([opening()], MONDAY)
    file.close()
    with SampleReader(path, ACCOUNT) as reader:
        assert reader.newest() is not None
    assert [each.name for each in tmp_path.iterdir()] == [EQUITY_FILE]


def test_samples_of_another_account_are_not_shown(file: SampleFile, path: Path) -> None:
    file.write([opening()], MONDAY)
    assert SampleReader(path, "another").newest() is None
    with pytest.raises(WrongAccount):
        SampleFile(path, "another")


def test_within_a_day_each_minute_keeps_its_last_its_low_and_its_high(
    file: SampleFile, reader: SampleReader
) -> None:
    worths = [5, -30, 40, 10, 20, 15, 12, 11, 13, 14, 16] * 12
    file.write(prices(opening(), 5, worths), at(0, 300))
    file.write([], at(0, 720))
    found = drawn(reader, MONDAY, at(1))
    first = [each.pnl for each in found if each.time < 60_000 + at(0).timestamp() * 1_000]
    # the opening stays, and the fall from 5 to -30 goes from it too
    assert first == [0, 5, -30, 40, 16]
    assert 40 < len(found) < 12 * 5


def test_older_samples_are_further_apart_and_the_oldest_stay(
    path: Path, tmp_path: Path, reader: SampleReader
) -> None:
    now = at(24 * 400)
    write_a_year(tmp_path, ACCOUNT, now)
    connection = sqlite3.connect(path)
    counts = dict(
        connection.execute("select level, count(*) from samples group by level").fetchall()
    )
    oldest = {
        level: timedelta(
            milliseconds=now.timestamp() * 1_000
            - connection.execute(
                "select min(time) from samples where level = ?", (level,)
            ).fetchone()[0]
        )
        for level in counts
    }
    connection.close()
    assert oldest[0] <= timedelta(minutes=2)
    assert oldest[1] <= timedelta(days=1, minutes=2)
    assert oldest[2] <= timedelta(days=31, minutes=2)
    assert timedelta(days=360) < oldest[3] <= timedelta(days=366)
    assert oldest[4] == timedelta(days=365)
    assert sum(counts.values()) < 60_000
    assert path.stat().st_size < 30_000_000
    # whatever is asked for is few
    for days in (1, 7, 30, 91, 365):
        assert 100 < len(reader.points(now - timedelta(days=days), now)) < 9_000


@settings(max_examples=25)
@given(
    worths=st.lists(st.integers(-9_000, 9_000), min_size=2, max_size=60),
    step=st.sampled_from([7, 50, 400, 3_000, 20_000]),
    later=st.sampled_from([0, 2, 40, 400]),
)
def test_lows_highs_and_falls_are_the_same_however_old_they_are(
    tmp_path: Path, worths: list[int], step: int, later: int
) -> None:
    path = tmp_path / "some.db"
    path.unlink(missing_ok=True)
    file = SampleFile(path, ACCOUNT)
    samples = prices(opening(), step, worths)
    try:
        # as they come: whatever is over is thinned at once
        for each in samples:
            file.write([each], each.time)
        end = samples[-1].time + timedelta(days=later)
        file.write([], end)
    finally:
        file.close()
    found = drawn(SampleReader(path, ACCOUNT), MONDAY, end)
    for name in ("equity", "pnl", "growth"):
        ours = [getattr(each, name) for each in found]
        theirs = [float(getattr(each, name)) for each in samples]
        assert (min(ours), max(ours), ours[-1]) == (min(theirs), max(theirs), theirs[-1])
        fall, true = (deepest_fall(each, relative=name == "growth") for each in (ours, theirs))
        assert (fall is None) == (true is None)
        if fall is not None and true is not None:
            assert ours[fall.trough] / (ours[fall.peak] or 1) == pytest.approx(
                theirs[true.trough] / (theirs[true.peak] or 1)
            )


def test_what_must_stay_stays_among_what_is_thinned_out(
    file: SampleFile, reader: SampleReader
) -> None:
    quiet = prices(opening(), 5, [1] * 8)
    before = replace(moved(quiet[-1], at(0, 41), 1), is_kept=True)
    after = booked(before, at(0, 41), "deposit", 50)
    # the server was off for a quarter of an hour
    late = replace(moved(after, at(0, 1_000), 1), gap=959)
    rest = prices(late, 5, [1] * 30)
    file.write([*quiet, before, after, *rest], rest[-1].time)
    file.write([], at(24 * 3))
    found = drawn(reader, MONDAY, at(24 * 3))
    assert [each.gap for each in found].count(959) == 1
    assert reader.flows(1) == [before]
    file.write([], at(24 * 500))
    assert reader.at(at(0, 41)) == after
    assert reader.flows(1) == [before]


def test_the_last_sample_before_midnight_is_known_a_week_later(
    file: SampleFile, reader: SampleReader
) -> None:
    evening = opening(at(23.9))
    samples = prices(evening, 5, list(range(200)))
    file.write(samples, samples[-1].time)
    file.write([], at(24 * 8))
    last = [each for each in samples if each.time < at(24)][-1]
    assert last.time > at(23.99)
    # it stays, as the last of its quarter of an hour and of its six hours
    assert reader.at(at(24) - timedelta(milliseconds=1)) == replace(last, is_kept=True)


def test_of_an_epoch_that_was_ended_it_knows_the_last_before(
    file: SampleFile, reader: SampleReader
) -> None:
    before = replace(moved(opening(), at(0, 5), 9), is_kept=True)
    ended = booked(before, at(0, 6), "realized_pnl", 9)
    file.write([opening(), before, ended], at(1))
    assert reader.before_end(1) == before
    assert reader.newest_of(1) == ended
    assert reader.before_end(2) is None


def test_a_clock_that_was_wrong_is_put_right(file: SampleFile, reader: SampleReader) -> None:
    file.write(prices(opening(at(24 * 900)), 30, [1, 2, 3]), at(24 * 900, 120))
    file.set_back(MONDAY)
    later = opening(at(1))
    file.write([later], at(2))
    assert [each.time for each in drawn(reader, MONDAY, at(3))] == sorted(
        each.time for each in drawn(reader, MONDAY, at(3))
    )
    newest = reader.at(at(3))
    assert newest is not None
    assert newest.time == later.time
    assert reader.at(MONDAY) is not None


# whatever becomes of the file


def keeper_of(folder: Path, account: str = ACCOUNT) -> SampleStore:
    store = SampleStore(folder)
    assert store.open(account, MONDAY)
    return store


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if not each.name.endswith(("wal", "shm")))


def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"this is no database, and it has been one for a year before\n" * 50)
    store = keeper_of(tmp_path)
    assert names(tmp_path) == ["equity.damaged-20261123T000000000000.db", EQUITY_FILE]
    assert "equity.damaged-20261123T000000000000.db" in store.message
    assert str(tmp_path) not in store.message
    store.add([opening()])
    store.write(at(0, 1))
    assert SampleReader(path, ACCOUNT).newest() is not None
    store.close()


def test_a_file_that_is_damaged_while_it_is_written_is_kept_aside_too(
    tmp_path: Path, path: Path
) -> None:
    store = keeper_of(tmp_path)
    store.add(prices(opening(), 1, [1] * 400))
    store.write(at(0, 1))
    store.close()
    with path.open("r+b") as raw:
        raw.seek(4_096)
        raw.write(b"\x07" * 30_000)
    again = keeper_of(tmp_path)
    for second in range(2, 5):
        again.add([opening(at(0, second))])
        again.write(at(0, second))
    again.close()
    assert len(names(tmp_path)) == 2
    newest = SampleReader(path, ACCOUNT).newest()
    assert newest is not None
    assert newest.time == at(0, 4)


def test_a_file_of_a_newer_version_is_kept_aside_whole(tmp_path: Path, path: Path) -> None:
    first = keeper_of(tmp_path)
    first.add([opening()])
    first.write(MONDAY)
    first.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    second = keeper_of(tmp_path)
    # What it has in the form of this version is taken over.
    assert (second.newest(), "newer version" in second.message) == (opening(), True)
    second.close()
    (aside,) = (each for each in tmp_path.iterdir() if "damaged" in each.name)
    assert SampleReader(aside, ACCOUNT).newest() is not None


def test_the_samples_of_another_account_are_kept_aside(tmp_path: Path, path: Path) -> None:
    first = keeper_of(tmp_path)
    first.add([opening()])
    first.write(MONDAY)
    first.close()
    second = keeper_of(tmp_path, "another")
    assert second.newest() is None
    second.close()
    assert names(tmp_path) == [EQUITY_FILE, "equity.other-account-20261123T000000000000.db"]
    aside = tmp_path / "equity.other-account-20261123T000000000000.db"
    assert SampleReader(aside, ACCOUNT).newest() is not None


def test_a_file_that_is_taken_away_is_begun_anew_with_words(tmp_path: Path, path: Path) -> None:
    store = keeper_of(tmp_path)
    store.add([opening()])
    store.write(at(0, 1))
    for each in tmp_path.iterdir():
        each.unlink()
    later = moved(opening(), at(0, 5), 3)
    store.add([later])
    store.write(at(0, 6))
    assert SampleReader(path, ACCOUNT).newest() == later
    assert "was removed" in store.message
    store.close()


def test_a_file_with_other_columns_is_kept_aside(tmp_path: Path, path: Path) -> None:
    store = keeper_of(tmp_path)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("alter table samples rename column exact to exakt")
        connection.commit()
    store = keeper_of(tmp_path)
    store.add([opening()])
    store.write(at(0, 1))
    assert SampleReader(path, ACCOUNT).newest() == opening()
    assert "no such column: exact" in store.message
    assert len(names(tmp_path)) == 2
    store.close()


def test_flows_are_found_however_much_came_after_them(
    file: SampleFile, reader: SampleReader
) -> None:
    before = opening(at(0, 1), is_kept=True)
    after = booked(before, before.time, "deposit", 500)
    later = [replace(moved(after, at(hour), hour), is_kept=True) for hour in range(1, 600)]
    file.write([opening(), before, after, *later], at(0, 2))
    assert reader.flows(1) == [before]


def test_what_came_after_a_revision_that_was_put_back_is_kept_aside(
    tmp_path: Path, path: Path
) -> None:
    store = keeper_of(tmp_path)
    first = booked(opening(), at(0, 5), "deposit", 5)
    store.add([opening(), first, booked(first, at(0, 9), "deposit", 7)])
    store.write(at(0, 10))
    store.take_back(2, at(0, 20))
    assert store.newest() == first
    assert len(names(tmp_path)) == 2
    assert "revision 2" in store.message
    store.close()


def test_while_the_disk_refuses_samples_wait_and_others_are_not_held_up(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = keeper_of(tmp_path)
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def refuse(*_: object) -> None:
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(SampleFile, "write", refuse)
        for sample in prices(opening(), 5, [3, 4]):
            store.add([sample])
            store.write(sample.time)
        assert store.newest() == moved(moved(opening(), at(0, 5), 3), at(0, 10), 4)
        assert store.at(at(0, 7)) == moved(opening(), at(0, 5), 3)
        assert SampleReader(path, ACCOUNT).newest() is None
    store.write(at(0, 15))
    assert len(SampleReader(path, ACCOUNT).points(MONDAY, at(1))) == 3
    assert store.message == ""
    store.close()


def test_what_waits_is_bounded_and_what_must_stay_stays_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.performance.sample_store.MOST_WAITING", 100)
    store = SampleStore(tmp_path)
    first = opening()
    store.add([first])
    for number in range(500):
        store.add([moved(first, at(0, number), number)])
    assert len(store._waiting) <= 101
    assert store.at(at(0, 0)) is not None
    assert store.newest() == moved(first, at(0, 499), 499)
