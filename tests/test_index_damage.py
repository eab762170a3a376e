"""What is in the index fits the ledger, whatever becomes of either of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.errors import HistoryUnavailable, StoreUnreadable
from balance.history.database import Database
from balance.history.history import History
from balance.history.index import INDEX_FILE
from balance.history.question import Question
from balance.history.search import Answer
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from tests.ledgers import entries_of, lived, rewrite, written
from tests.patience import wait_for
from tests.processes import PROCESSES
from tests.test_store import trade

LIFE, OTHER = lived(300, seed=1, epochs_of=40), lived(350, seed=3, epochs_of=40)
COUNT = len(entries_of(LIFE))
ALL = Question(table="ledger", limit=1_000)
OLDEST_FIRST = replace(ALL, sort="revision")


@pytest.fixture
def store(folder: Path) -> FileStore:
    """An account with three hundred entries."""
    return written(folder, LIFE)


@pytest.fixture
def history(store: FileStore) -> History:
    """Its whole index."""
    history = History(store, store.folder / INDEX_FILE)
    assert history.index.catch_up()
    return history


def in_step(history: History, store: FileStore) -> None:
    """The lists are those of the ledger, entry by entry."""
    entries = [replace(each, booking=_slim(each.booking)) for each in store.entries()]

    def whole() -> Answer | None:
        answer = history.answer(OLDEST_FIRST)
        return answer if answer.progress.is_complete else None

    answer = wait_for(whole, "all of the ledger to be indexed")
    assert answer.total == len(entries)
    assert [each.entry for each in answer.rows] == entries[::-1]
    assert [each.entry for each in history.answer(replace(ALL, limit=5)).rows] == entries[:5]
    fills = [each for each in entries if each.booking.fill]
    assert [each.entry for each in history.answer(Question(table="fills")).rows] == fills[:100]


def _slim(booking: operations.Booking) -> operations.Booking:
    # lists leave out what an entry leaves behind
    return replace(booking, effect=None, restated=None, ended=None)


def deposit(store: FileStore, amount: int) -> None:
    store.commit(partial(operations.deposit, amount=amount), source="http")


def test_what_is_committed_before_a_question_is_in_its_answer(
    store: FileStore, history: History
) -> None:
    for amount in (1, 2, 3):
        deposit(store, amount)
        assert not history.index.is_complete
        answer = history.answer(replace(ALL, one_of={"kind": ("deposit",)}, limit=1))
        assert answer.rows[0].entry.booking.amount == amount
        assert history.index.is_complete
        assert history.answer(ALL).total == COUNT + amount
    in_step(history, store)


def test_a_count_is_right_after_each_of_many_changes(store: FileStore, history: History) -> None:
    asked = replace(ALL, text="x", one_of={"kind": ("deposit", "adjustment")})
    for number in range(1, 8):
        store.commit(partial(operations.adjust, amount=number, note="X"), source="http")
        assert history.answer(asked).total == number
        deposit(store, 1)
        assert history.answer(asked).total == number


def test_a_commit_that_is_not_in_the_ledger_yet_is_in_the_answer(
    store: FileStore, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = (store.folder / LEDGER_FILE).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("balance.store.ledger_file.LedgerFile.append", _refuse)
        deposit(store, 5)
    assert (store.folder / LEDGER_FILE).read_bytes() == kept
    in_step(history, store)
    assert history.answer(ALL).total == COUNT + 1
    # the next one writes both, and none is told twice
    deposit(store, 6)
    assert (store.folder / LEDGER_FILE).read_bytes().startswith(kept)
    in_step(history, store)
    assert history.answer(ALL).total == COUNT + 2


def _refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_long_commit_that_is_not_in_the_ledger_yet_is_taken_over_in_batches(
    store: FileStore, history: History, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("balance.history.filling.BATCH", batch)
    with monkeypatch.context() as patch:
        patch.setattr("balance.store.ledger_file.LedgerFile.append", _refuse)
        store.commit(trade, source="http")
        history.index.catch_up()
        in_step(history, store)
    deposit(store, 5)
    in_step(history, store)
    assert history.answer(ALL).total == COUNT + 4


def test_half_a_commit_is_taken_over_in_two_steps(folder: Path) -> None:
    states = next(
        LIFE[:number] for number in range(50, len(LIFE)) if len(LIFE[number - 1].entries) == 3
    )
    store = written(folder, states[:-1])
    history = History(store, folder / INDEX_FILE)
    in_step(history, store)
    whole = written(folder / "whole", states)
    lines = (whole.folder / LEDGER_FILE).read_bytes().splitlines(keepends=True)
    # a reader may see any part of what is being appended
    (folder / ACCOUNT_FILE).write_bytes((whole.folder / ACCOUNT_FILE).read_bytes())
    for end in (len(lines) - 2, len(lines) - 1, len(lines)):
        (folder / LEDGER_FILE).write_bytes(b"".join(lines[:end]) + lines[-1][:20] * (end % 2))
        in_step(history, FileStore(folder))
    rows = history.answer(ALL).rows
    assert len({(row.symbol, row.owner) for row in rows[:3]}) == 1


def _garbage(folder: Path) -> None:
    (folder / INDEX_FILE).write_bytes(b"garbage" * 999)


def _half(folder: Path) -> None:
    file = folder / INDEX_FILE
    content = file.read_bytes()
    file.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))


def _gone(folder: Path) -> None:
    (folder / INDEX_FILE).unlink()


def _newer(folder: Path) -> None:
    with closing(sqlite3.connect(folder / INDEX_FILE)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _other_tables(folder: Path) -> None:
    with closing(sqlite3.connect(folder / INDEX_FILE)) as connection:
        connection.execute("DROP TABLE fills")
        connection.commit()


def _another_ledger(folder: Path) -> None:
    written(folder, OTHER)


def _shorter_ledger(folder: Path) -> None:
    written(folder, LIFE[:-40])


def _edited_ledger(folder: Path) -> None:
    file = folder / LEDGER_FILE
    rewrite(folder, file.read_bytes().replace(b"Funding of", b"Founding o").splitlines())


@pytest.mark.parametrize(
    "damage",
    [
        *(_garbage, _half, _gone, _newer, _other_tables),
        *(_another_ledger, _shorter_ledger, _edited_ledger),
    ],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_what_does_not_fit_is_made_anew(
    store: FileStore, history: History, damage: Callable[[Path], None], is_open: bool
) -> None:
    if not is_open:
        history.index.database.close()
    damage(store.folder)
    store = FileStore(store.folder)
    history = History(store, store.folder / INDEX_FILE)
    # what is asked first may be what finds it
    history.answer(OLDEST_FIRST)
    history.index.catch_up()
    in_step(history, store)
    deposit(store, 5)
    in_step(history, store)


@pytest.mark.parametrize(
    "statement",
    [
        *(f"UPDATE epochs SET document = '{each}'" for each in ("nonsense", "{}", "[]", "7")),
        "UPDATE epochs SET document = replace(document, 'carried\": \"', 'carried\": \"x')",
        *(f"UPDATE state SET {each}" for each in ("rows = 'many'", "place = NULL", "build = 7")),
        *(f"UPDATE ledger SET {each}" for each in ("start = NULL", "stop = 'x'", "start = -5")),
        *(f"UPDATE ledger SET {each}" for each in ("revision = NULL", "owner = 7")),
        "UPDATE ledger SET symbol = CAST(x'ff' AS TEXT)",
        "UPDATE fills SET id = id + 1000000",
    ],
)
def test_what_makes_no_sense_is_made_anew(
    store: FileStore, history: History, statement: str
) -> None:
    epochs = history.epochs()
    for ask in (
        lambda: in_step(history, store),
        lambda: deposit(store, 5) or in_step(history, store),
        lambda: history.epochs(),
        lambda: history.epoch(2),
        lambda: history.entry(entries_of(LIFE)[0].place),
    ):
        with closing(sqlite3.connect(store.folder / INDEX_FILE)) as connection:
            connection.execute(statement)
            connection.commit()
        ask()
    assert history.epochs()[1:] == epochs[1:]
    in_step(history, store)


def test_a_ledger_that_is_replaced_under_a_running_index_is_noticed(
    store: FileStore, history: History
) -> None:
    for states in (OTHER, LIFE[:-20], LIFE):
        (store.folder / LEDGER_FILE).unlink()
        written(store.folder, states)
        in_step(history, FileStore(store.folder))


def test_an_index_that_is_deleted_while_it_is_used_is_made_anew(
    store: FileStore, history: History
) -> None:
    for name in ("", "-wal", "-shm"):
        (store.folder / f"{INDEX_FILE}{name}").unlink(missing_ok=True)
    in_step(history, store)
    assert (store.folder / INDEX_FILE).exists()


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_no_database_is_made_beside_what_another_one_left(
    store: FileStore, history: History, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = sqlite3.connect(store.folder / INDEX_FILE)
    kept.execute("SELECT count(*) FROM ledger").fetchone()
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name.endswith(suffix):
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    with closing(kept), monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(HistoryUnavailable, match="delete it by hand"):
            history.index.discard()
        assert (store.folder / INDEX_FILE).exists()
    in_step(history, store)


def test_a_list_of_a_locked_index_says_that_it_is_not_whole_and_the_newest_entries_are_told(
    store: FileStore, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.history.database.BUSY_SECONDS", 0.01)
    history.index.database.close()
    with closing(sqlite3.connect(store.folder / INDEX_FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        deposit(store, 5)
        answer = history.answer(OLDEST_FIRST)
        assert (answer.total, answer.progress.is_complete) == (COUNT, False)
        assert not history.epoch_list().progress.is_complete
        with pytest.raises(HistoryUnavailable, match="it is being indexed"):
            next(history.records(OLDEST_FIRST))
        answer = history.answer(replace(ALL, limit=3))
        assert answer.rows[0].entry.booking.amount == 5
        assert (answer.total, answer.progress.is_complete) == (None, False)
        other.execute("ROLLBACK")
    in_step(history, store)


def test_a_full_disk_is_a_problem_with_words_and_the_newest_entries_are_told(
    store: FileStore, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposit(store, 5)
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    with monkeypatch.context() as patch:
        patch.setattr("balance.history.filling._insert", _raiser(full))
        with pytest.raises(HistoryUnavailable, match="the disk is full: make room"):
            history.answer(OLDEST_FIRST)
        assert history.answer(ALL).rows[0].entry.booking.amount == 5
    in_step(history, store)


def _raiser(fault: Exception) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise fault

    return refuse


def test_a_damaged_line_of_the_ledger_is_told_and_never_skipped(
    store: FileStore, history: History
) -> None:
    history.index.database.close()
    (store.folder / INDEX_FILE).unlink()
    file = store.folder / LEDGER_FILE
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:40], b"garbage\n", *lines[41:]]))
    history = History(store, store.folder / INDEX_FILE)
    with pytest.raises(StoreUnreadable, match=r"ledger\.jsonl line 41 "):
        history.answer(OLDEST_FIRST)
    assert len(history.answer(replace(ALL, limit=100)).rows) == 100


def test_an_entry_is_told_though_the_ledger_is_damaged_elsewhere(store: FileStore) -> None:
    file = store.folder / LEDGER_FILE
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:40], b"garbage\n", *lines[41:]]))
    newest = entries_of(LIFE)[-1]
    found = History(store, store.folder / INDEX_FILE).entry(newest.place)
    assert found is not None
    assert (found.record.entry, found.after, found.offset) == (newest, None, 0)


def test_a_big_backlog_is_left_to_whoever_has_time(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.history.index._SMALL", 1_000)
    monkeypatch.setattr("balance.history.filling.BATCH", 100)
    history = History(store, store.folder / INDEX_FILE)
    answer = history.answer(replace(ALL, limit=2))
    assert [each.entry.place for each in answer.rows] == [
        each.place for each, _ in zip(store.entries(), range(2), strict=False)
    ]
    assert (answer.total, answer.progress.is_complete, answer.progress.percent) == (None, False, 0)
    assert history.answer(OLDEST_FIRST).rows == ()
    # a turn of the work, and what it has come to
    assert not history.index.catch_up(0)
    some = history.answer(OLDEST_FIRST)
    assert (len(some.rows), some.total, some.progress.is_complete) == (100, 100, False)
    assert 10 < some.progress.percent < 90
    epochs = history.epoch_list()
    assert (epochs.progress, sum(each.entries for each in epochs.epochs)) == (some.progress, 100)
    with pytest.raises(HistoryUnavailable, match=r"it is being indexed, and \d\d % are done"):
        next(history.records(OLDEST_FIRST))
    assert len(list(history.records(ALL))) == COUNT
    assert history.index.catch_up()
    in_step(history, store)


def test_a_file_that_is_taken_slowly_keeps_nothing_of_the_index(
    store: FileStore, history: History
) -> None:
    taken = history.records(OLDEST_FIRST)
    first = next(taken)
    for amount in range(5):
        deposit(store, amount + 1)
        history.index.catch_up()
    with closing(sqlite3.connect(store.folder / INDEX_FILE)) as other:
        (is_busy, *_) = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not is_busy
    assert (store.folder / f"{INDEX_FILE}-wal").stat().st_size == 0
    assert [each.entry.place for each in (first, *taken)] == [
        each.place for each in entries_of(LIFE)
    ]


def test_all_that_is_new_is_indexed_once_another_program_lets_go(
    store: FileStore, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.history.database.BUSY_SECONDS", 0.01)
    tries: list[None] = []
    begin_writing = Database.writing

    def writing(database: Database) -> AbstractContextManager[sqlite3.Connection]:
        tries.append(None)
        return begin_writing(database)

    monkeypatch.setattr(Database, "writing", writing)
    history.index.database.close()
    deposit(store, 5)
    with (
        closing(sqlite3.connect(store.folder / INDEX_FILE, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        done = pool.submit(history.index.catch_up)
        wait_for(lambda: done.done() or len(tries) > 3, "some tries in vain")
        other.execute("ROLLBACK")
        assert done.result()
    in_step(history, store)


def test_a_file_breaks_off_where_the_index_is_made_anew(
    store: FileStore, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.history.search._BLOCK", 100)
    taken = history.records(replace(OLDEST_FIRST, sort="-amount"))
    for _ in range(100):
        next(taken)
    _gone(store.folder)
    history.index.catch_up()
    with pytest.raises(HistoryUnavailable, match="indexed anew meanwhile"):
        next(taken)
    in_step(history, store)


def test_many_processes_fill_one_index_and_no_entry_is_in_it_twice(folder: Path) -> None:
    store = written(folder, lived(4_000, seed=2))
    workers = [PROCESSES.Process(target=_fill, args=(folder,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    history = History(store, folder / INDEX_FILE)
    entries = list(store.entries())
    answer = history.answer(replace(OLDEST_FIRST, offset=len(entries) - 1_000))
    assert [each.entry.place for each in answer.rows] == [each.place for each in entries[999::-1]]
    assert (answer.total, answer.progress.is_complete) == (len(entries), True)
    assert sum(each.entries for each in history.epochs()) == len(entries)


def _fill(folder: Path) -> None:
    assert History(FileStore(folder), folder / INDEX_FILE).index.catch_up()


def test_many_processes_that_make_and_ask_one_index_wait_for_each_other(folder: Path) -> None:
    written(folder, LIFE)
    for _ in range(5):
        workers = [PROCESSES.Process(target=_ask, args=(folder,)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{INDEX_FILE}{suffix}").unlink(missing_ok=True)


def _ask(folder: Path) -> None:
    store = FileStore(folder)
    history = History(store, folder / INDEX_FILE)
    for amount in range(1, 6):
        deposit(store, amount)
        for _ in range(3):
            answer, epochs = history.answer(OLDEST_FIRST), history.epoch_list()
            assert not answer.progress.is_complete or answer.total is not None
            assert not answer.progress.is_complete or answer.total >= COUNT + amount
            entries = sum(each.entries for each in epochs.epochs)
            assert not epochs.progress.is_complete or entries >= COUNT + amount
    assert not history.damages.listed


def test_what_is_no_file_in_its_place_is_to_be_moved_away(folder: Path) -> None:
    (folder / INDEX_FILE).mkdir(parents=True)
    database = Database(folder / INDEX_FILE)
    with pytest.raises(HistoryUnavailable, match="move away what is there"), database.reading():
        pass
