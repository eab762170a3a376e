"""Damage of the samples' file: nothing wrong is shown, nothing fails, and what is sound stays."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from balance.core.moments import milliseconds
from balance.performance import sample_store
from balance.performance.sample import Sample
from balance.performance.sample_file import SampleFile
from balance.performance.sample_reader import SampleReader
from balance.performance.sample_rows import EQUITY_FILE, row_of
from tests.boards import priced
from tests.length import rounds
from tests.markets import BTC
from tests.samples import ACCOUNT, MONDAY, at, booked, moved, opening
from tests.test_sampler import Watched, in_memory

#: How many bits are changed, at how many lengths the file is cut off, and which ranges are read.
BITS = rounds(30, 60)
LENGTHS = rounds(15, 30)
RANGES = ("day", "all")


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """An account that was sampled through trades and a deposit, for three days."""
    watched = Watched(tmp_path_factory.mktemp("traded") / "account", in_memory)
    chance = random.Random(5)
    watched.look()
    watched.desk.place_order(symbol=BTC, side="buy", quantity="0.2", leverage=5)
    for step in range(400):
        priced(watched.board, 40_000 + chance.randrange(-900, 900))
        pass_time(watched, 30 if step % 40 else 25_000)
        if step == 150:
            watched.desk.deposit(500)
    watched.sampler._store.close()
    return watched


def pass_time(watched: Watched, seconds: float) -> None:
    watched.now += timedelta(seconds=seconds)
    watched.steady += seconds
    watched.sampler.sample()


def answers(watched: Watched) -> dict[str, Any]:
    """What the interface answers of the samples."""
    curves = {name: watched.equity.curve(name) for name in RANGES}
    return {**curves, "figures": watched.equity.performance()}


def is_one_of(found: dict[str, Any], shown: dict[str, Any], nothing: dict[str, Any]) -> bool:
    """Whether each answer is as that of the sound file or, with a message, as that of none."""
    for name, each in found.items():
        message = each.pop("words", "")
        is_told = message.startswith(f"{EQUITY_FILE} can't be read: ")
        if {**each, "words": ""} not in (
            {**shown[name], "words": ""},
            {**nothing[name], "words": ""},
        ):
            return False
        if name in RANGES and is_told != (each["since"] is None):
            return False
    return True


@pytest.fixture
def again(traded: Watched, tmp_path: Path) -> Iterator[Watched]:
    """The same account with a copy of its file of samples, which a test may damage."""
    folder, now, steady = traded.folder, traded.now, traded.steady
    traded.folder = tmp_path / "account"
    shutil.copytree(folder, traded.folder)
    traded.restart()
    yield traded
    traded.sampler._store.close()
    traded.folder, traded.now, traded.steady = folder, now, steady
    traded.restart()


def all_samples(file: Path) -> list[Sample]:
    """All samples in ``file`` but for the last, and for the gaps before them."""
    reader = SampleReader(file, "memory")
    with closing(sqlite3.connect(file)) as connection:
        numbers = [number for (number,) in connection.execute("select id from samples order by id")]
    return [replace(found, gap=0) for each in numbers[:-1] if (found := reader.sample(each))]


def clear(folder: Path) -> None:
    for each in folder.iterdir():
        each.unlink()


def damaged_files(content: bytes) -> Iterator[bytes]:
    """Bytes far apart inverted, alone; single bits; and cut off at many lengths."""
    chance = random.Random(11)
    for place in range(0, len(content), rounds(1_999, 997)):
        yield content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
    yield bytes(byte ^ (0xFF if place % 997 == 0 else 0) for place, byte in enumerate(content))
    for _ in range(BITS):
        place = chance.randrange(len(content))
        changed = content[place] ^ 1 << chance.randrange(8)
        yield content[:place] + bytes([changed]) + content[place + 1 :]
    yield from (content[:size] for size in sorted(chance.sample(range(len(content)), LENGTHS)))
    yield b""


def outcome_of(message: str) -> str:
    """What became of the samples of a damaged file, as ``message`` says."""
    if not message:
        return "nothing to mend"
    if "All " in message:
        return "all taken over"
    return "some taken over" if "were taken over" in message else "begun anew"


def test_a_damaged_file_is_never_shown_wrong_and_is_mended_with_a_message(again: Watched) -> None:
    path = again.folder / EQUITY_FILE
    content = path.read_bytes()
    shown, known = answers(again), all_samples(path)
    path.unlink()
    nothing = answers(again)
    assert shown != nothing
    shown_as, outcomes = Counter[str](), Counter[str]()
    for damaged in damaged_files(content):
        clear(again.folder)
        path.write_bytes(damaged)
        again.restart()
        found = answers(again)
        is_same = found == shown
        assert is_one_of(found, shown, nothing)
        shown_as["as it was" if is_same else "not all of it, with a message"] += 1
        # The sampler mends it, and goes on.
        again.sampler.sample()
        message = again.sampler.message
        outcome = outcome_of(message)
        outcomes[outcome] += 1
        # The sampler took another one, of the same moment.
        samples = [each for each in all_samples(path) if each.time < again.now]
        if outcome == "nothing to mend":
            assert is_same
        else:
            (aside,) = again.folder.glob("equity.damaged-*.db")
            assert aside.name in message
            assert aside.name in again.equity.curve("day")["words"]
            (damage,) = again.desk.ledger.damages.listed
            assert damage.message.startswith(message)
        if outcome in ("nothing to mend", "all taken over"):
            assert samples == known
        elif outcome == "some taken over":
            assert len(samples) <= len(known)
            assert all(each in known for each in samples)
        answers(again)
        again.sampler._store.close()
    print(f"{shown_as.total()} damaged files: shown {dict(shown_as)}, then {dict(outcomes)}")
    assert len(outcomes) == 4


def change(file: Path, statement: str) -> None:
    """Change ``file`` as another program could."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def everything(reader: SampleReader) -> object:
    with reader:
        return reader.points(MONDAY, at(1)), reader.best_growths(at(0, 1), [1]), reader.oldest()


@pytest.mark.parametrize(
    "statement",
    [
        "delete from samples where id = 3",
        "update samples set level = 4 where id = 3",
        "update samples set growth = growth + 1 where id = 3",
        "update samples set carried = '1.00' where id = 3",
        "update samples set best = 7 where id = 1",
        "update samples set time = time + 1 where id = 5",
        "insert into samples select 900, time, revision, epoch, chain, level, gap, equity, pnl, "
        "growth, best, carried, exact, checksum from samples where id = 5",
        "update record set text = replace(text, '\"last\": 5', '\"last\": 6')",
        "delete from record",
        "drop index by_time",
    ],
)
def test_a_change_by_another_program_is_noticed(tmp_path: Path, statement: str) -> None:
    path = tmp_path / EQUITY_FILE
    with closing(SampleFile(path, ACCOUNT)) as file:
        file.write([moved(opening(), at(0, each), each) for each in range(5)], None)
    reader = SampleReader(path, ACCOUNT)
    assert len(reader.points(MONDAY, at(1))) == 5
    change(path, statement)
    with pytest.raises(sqlite3.Error):
        everything(reader)
    with pytest.raises(sqlite3.Error):
        SampleFile(path, ACCOUNT)


def test_a_description_of_its_tables_that_is_no_text_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / EQUITY_FILE
    with closing(SampleFile(path, ACCOUNT)) as file:
        file.write([opening()], None)
    reader = SampleReader(path, ACCOUNT)
    path.write_bytes(path.read_bytes().replace(b"tablerecord", b"tabler\x93cord"))
    with pytest.raises(sqlite3.Error):
        everything(reader)
    with pytest.raises(sqlite3.Error):
        SampleFile(path, ACCOUNT)


def test_what_was_lost_with_a_damaged_file_is_not_taken_for_known(again: Watched) -> None:
    path, midnight = again.folder / EQUITY_FILE, at(24 * 4)
    pass_time(again, (midnight - again.now).total_seconds() - 150)
    for step in range(8):
        priced(again.board, 40_000 + 10 * step)
        pass_time(again, 50)
    before = SampleReader(path, "memory").at(midnight)
    assert before is not None
    assert again.desk.snapshot().pnl_today is not None
    again.sampler._store.close()
    change(path, f"update samples set gap = 9 where time = {milliseconds(before.time)}")
    again.restart()
    again.sampler.sample()
    assert "may lack others" in again.sampler.message
    # The last sample before the day began is gone, and so is what it would be measured from.
    assert again.desk.snapshot().pnl_today is None
    figures = again.equity.performance()["figures"]
    assert (figures["max_drawdown_percent"], figures["sharpe_ratio"]) == (None, None)


def test_what_was_damaged_is_reported_until_its_file_is_deleted(again: Watched) -> None:
    path = again.folder / EQUITY_FILE
    path.write_bytes(b"")
    again.restart()
    again.sampler.sample()
    assert "it is empty" in again.sampler.message
    (aside,) = again.folder.glob("equity.damaged-*.db")
    for _ in range(2):
        again.sampler._store.close()
        again.restart()
        again.sampler.sample()
        assert aside.name in again.equity.curve("day")["words"]
        (damage,) = again.desk.ledger.damages.listed
        assert (damage.file, damage.line) == (EQUITY_FILE, None)
        assert "Delete that file" in damage.message
    # Also while the server runs.
    aside.unlink()
    again.sampler.sample()
    assert again.equity.curve("day")["words"] == ""
    assert again.desk.ledger.damages.listed == ()


@pytest.mark.parametrize("is_lost", [True, False])
def test_after_a_restart_only_what_was_taken_over_is_said_to_be(
    again: Watched, is_lost: bool
) -> None:
    path = again.folder / EQUITY_FILE
    if is_lost:
        path.write_bytes(random.Random(3).randbytes(40_000))
    else:
        change(path, "delete from samples where id = 3")
    for _ in range(2):
        again.restart()
        pass_time(again, 1)
        assert ("taken over" in again.sampler.message) == (not is_lost)
        (damage,) = again.desk.ledger.damages.listed
        assert damage.message.startswith(again.sampler.message)
        again.sampler._store.close()
    assert ("Nothing of it is used" in damage.message) == is_lost


def test_damage_that_a_reader_finds_is_mended_by_the_next_turn_of_the_sampler(
    again: Watched,
) -> None:
    again.sampler.sample()
    change(again.folder / EQUITY_FILE, "update samples set pnl = 77 where level < 4")
    assert "does not match its checksum" in again.equity.curve("all")["words"]
    again.sampler.sample()
    assert "may lack others" in again.sampler.message
    assert "can't be read" not in again.equity.curve("all")["words"]


def write_version_1(path: Path, samples: list[Sample], **known: str) -> None:
    """Write ``samples`` as the version before did."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        for number, sample in enumerate(samples, 1):
            row = row_of(sample, number)
            values = [*row[:10], row.carried, row.exact]
            connection.execute("insert into samples values (?,?,?,?,?,?,?,?,?,?,?,?)", values)
        for name, value in {"account": ACCOUNT, **known}.items():
            connection.execute("insert into known values (?, ?)", (name, value))
        connection.commit()


VERSION_1 = """
create table samples (
    id integer primary key, time integer not null, revision integer not null,
    epoch integer not null, chain integer not null, level integer not null, gap integer not null,
    equity real not null, pnl real not null, growth real not null, carried text, exact text not null
);
create index by_time on samples (time);
create index by_level on samples (level, time);
create index by_epoch on samples (epoch);
create table known (name text primary key, value text not null);
pragma user_version = 1;
"""
FINISHED = {f"finished_{level}": str(milliseconds(MONDAY)) for level in (1, 2, 3, 4)}


def some_samples() -> list[Sample]:
    first = opening()
    later = [moved(first, at(0, 5 * each), each % 7 - 3) for each in range(1, 40)]
    paid = booked(later[-1], at(0, 300), "deposit", "0.30")
    return [first, *later, paid, replace(moved(paid, at(0, 900), 5), gap=600)]


def test_a_file_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path, samples = tmp_path / EQUITY_FILE, some_samples()
    write_version_1(path, samples, **FINISHED)
    reader = SampleReader(path, ACCOUNT)
    assert reader.newest() is None
    for _ in range(2):
        with closing(SampleFile(path, ACCOUNT)):
            assert [point.time for _, point, _ in reader.points(MONDAY, at(1))] == [
                milliseconds(each.time) for each in samples
            ]
    assert reader.newest() == samples[-1]
    best = float(max(each.growth for each in samples))
    assert reader.best_growths(at(1), [1]) == {1: best}
    with closing(SampleFile(path, ACCOUNT)) as file:
        file.write([moved(samples[-1], at(0, 905), 6)], at(2))
    assert len(reader.points(MONDAY, at(2))) > 10


@pytest.mark.parametrize(
    "statement",
    [
        "update samples set equity = equity + 0.01 where id = 7",
        "update samples set growth = 'x' where id = 7",
        "update samples set exact = replace(exact, '10000', '1e999') where id = 7",
        "update samples set exact = x'ff' where id = 7",
        "delete from known where name = 'finished_2'",
    ],
)
def test_a_damaged_file_of_the_version_before_stays_as_it_is(
    tmp_path: Path, statement: str
) -> None:
    path = tmp_path / EQUITY_FILE
    write_version_1(path, some_samples(), **FINISHED)
    change(path, statement)
    before = path.read_bytes()
    with pytest.raises(sqlite3.Error):
        SampleFile(path, ACCOUNT)
    assert len(path.read_bytes()) == len(before)


def test_all_samples_are_proved_again_now_and_then(
    again: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_store, "PROVED_AFTER", 3)
    again.sampler.sample()
    change(again.folder / EQUITY_FILE, "update samples set pnl = 77 where level < 4")
    for _ in range(2):
        again.sampler.sample()
        assert again.sampler.message == ""
    again.sampler.sample()
    assert "may lack others" in again.sampler.message
