"""The ledger's file is read from any place backwards, and mended where a writer died."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.entry import Booking, Entry, Place
from balance.core.errors import StoreUnreadable
from balance.store.codec import encode_ledger
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from balance.store.ledger_file import LedgerFile
from balance.store.verification import verify
from tests.accounts import MOMENT
from tests.test_store import trade


def entry(revision: int, line: int = 1, note: str = "") -> Entry:
    booking = Booking(
        epoch=1, kind="adjustment", amount=Decimal(1), balance=Decimal(revision), note=note
    )
    return Entry(revision=revision, line=line, time=MOMENT, source="x", booking=booking)


def many(count: int, seed: int = 1) -> list[Entry]:
    """``count`` entries of changes with one to four lines, some of them long."""
    chance, entries, revision = random.Random(seed), [], 0
    while len(entries) < count:
        revision += 1
        for line in range(1, chance.choice([1, 1, 1, 2, 4]) + 1):
            note = "\U0001f4c8" * chance.choice([0, 0, 3, 60, 200])
            entries.append(entry(revision, line, note))
    return entries


def written(path: Path, entries: Sequence[Entry], torn: bytes = b"") -> LedgerFile:
    path.write_bytes(b"".join(encode_ledger("a", entries)) + torn)
    return LedgerFile(path)


def all_before(entries: Sequence[Entry], before: Place | None) -> list[Entry]:
    """The naive reference."""
    return [each for each in reversed(entries) if before is None or each.place < before]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / LEDGER_FILE


def test_thousands_of_entries_come_back_newest_first(path: Path) -> None:
    entries = many(5_000)
    ledger = written(path, entries, torn=b'{"revision": 99')
    assert list(ledger.newest_first()) == entries[::-1]
    assert ledger.last() == entries[-1]


def test_the_first_before_any_place_is_found(path: Path) -> None:
    entries = many(2_000)
    ledger = written(path, entries)
    newest = entries[-1].revision
    places = [each.place for each in entries]
    places = places[::3] + [(revision, 9) for revision in range(0, newest + 2, 7)]
    places += [(0, 1), (1, 1), (newest + 1, 1), (10**9, 1)]
    for place in places:
        expected = next(iter(all_before(entries, place)), None)
        assert next(ledger.newest_first(place), None) == expected


@pytest.mark.parametrize("seed", range(5))
def test_all_before_a_place_are_found(path: Path, seed: int) -> None:
    entries = many(1_500, seed)
    ledger = written(path, entries, torn=b"{")
    for each in random.Random(seed).sample(entries, 12):
        assert list(ledger.newest_first(each.place)) == all_before(entries, each.place)


@pytest.mark.parametrize("block", [1, 2, 7, 64, 1_000])
def test_lines_across_the_borders_of_blocks_stay_whole(
    path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.store.open_ledger._BLOCK", block)
    monkeypatch.setattr("balance.store.open_ledger._STRETCH", block)
    entries = many(40)
    ledger = written(path, entries, torn=b'{"torn')
    assert list(ledger.newest_first()) == entries[::-1]
    for each in entries[::9]:
        assert list(ledger.newest_first(each.place)) == all_before(entries, each.place)


def test_a_ledger_that_is_missing_empty_or_only_torn_has_no_entries(path: Path) -> None:
    assert list(LedgerFile(path).newest_first()) == []
    assert list(LedgerFile(path).lines()) == []
    for torn in (b"", b'{"revision": 1'):
        ledger = written(path, [], torn)
        assert ledger.last() is None
        assert list(ledger.newest_first((5, 1))) == []
        assert list(ledger.lines()) == []


def test_a_damaged_line_is_told_where_it_is_met(path: Path) -> None:
    good = encode_ledger("a", [entry(revision) for revision in (1, 2, 3, 4)])
    path.write_bytes(good[0] + b"garbage\n" + good[2] + good[3])
    found = LedgerFile(path).newest_first()
    assert next(found).revision == 4
    with pytest.raises(StoreUnreadable, match=r"ledger\.jsonl line 3 does not match its checksum"):
        next(found)


@pytest.fixture
def store(folder: Path) -> FileStore:
    """A store whose newest change has three entries."""
    store = FileStore(folder)
    store.commit(partial(operations.adjust, amount=1), source="x")
    store.commit(trade, source="x")
    return store


def in_order(store: FileStore) -> None:
    """The next change mends the ledger, and the history is whole."""
    whole = [(3, 3), (3, 2), (3, 1), (2, 1), (1, 1)]
    assert [each.place for each in store.entries()] == whole
    store.commit(partial(operations.adjust, amount=1), source="x")
    assert [each.place for each in store.entries()] == [(4, 1), *whole]
    assert verify(store.folder).faults == ()


def test_a_last_commit_torn_anywhere_is_mended(store: FileStore, folder: Path) -> None:
    ledger, account = folder / LEDGER_FILE, folder / ACCOUNT_FILE
    whole, state = ledger.read_bytes(), account.read_bytes()
    begin = sum(len(line) for line in whole.splitlines(keepends=True)[:2])
    for end in range(begin, len(whole) + 1):
        ledger.write_bytes(whole[:end])
        account.write_bytes(state)
        assert [each.place for each in FileStore(folder).entries()][:2] == [(3, 3), (3, 2)]
        FileStore(folder).commit(partial(operations.adjust, amount=1), source="x")
        assert ledger.read_bytes().startswith(whole)
        assert len(ledger.read_bytes().splitlines()) == 6
    assert verify(folder).faults == ()


def test_a_tail_that_a_power_cut_filled_with_zeros_is_mended(
    store: FileStore, folder: Path
) -> None:
    ledger = folder / LEDGER_FILE
    whole = ledger.read_bytes()
    for cut in (0, 1, 40):
        ledger.write_bytes(whole[: len(whole) - cut] + b"\0" * 300)
        assert verify(folder).faults == ()
    in_order(FileStore(folder))
    assert ledger.read_bytes().startswith(whole)


@pytest.mark.parametrize("lines", [2, 3, 4])
def test_missing_lines_of_the_last_commit_are_added(
    store: FileStore, folder: Path, lines: int
) -> None:
    ledger = folder / LEDGER_FILE
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:lines]))
    assert verify(folder).faults == ()
    in_order(FileStore(folder))


@pytest.mark.parametrize("lines", [0, 1])
def test_a_ledger_that_lacks_more_than_the_last_commit_stops_writers(
    store: FileStore, folder: Path, lines: int
) -> None:
    ledger = folder / LEDGER_FILE
    kept = b"".join(ledger.read_bytes().splitlines(keepends=True)[:lines])
    ledger.write_bytes(kept)
    said = "ends with revision 1, but the account is at 3" if lines else "has no entries"
    with pytest.raises(StoreUnreadable, match=said):
        store.commit(partial(operations.adjust, amount=1), source="x")
    assert store.read().revision == 3
    assert ledger.read_bytes() == kept
    assert verify(folder).faults


@pytest.mark.parametrize("lines", [0, 1])
def test_a_ledger_that_lacks_more_than_the_last_commit_is_no_shorter_ledger(
    store: FileStore, folder: Path, lines: int
) -> None:
    ledger = folder / LEDGER_FILE
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:lines]))
    said = "ends with revision 1, but the account is at 3" if lines else "has no entries"
    readers: list[Callable[[], object]] = [
        lambda: list(store.entries()),
        lambda: list(store.entries(before=(2, 1))),
        lambda: list(store.lines()),
        lambda: store.opening(1),
    ]
    for read in readers:
        with pytest.raises(StoreUnreadable, match=said):
            read()


@pytest.mark.parametrize("torn", [b"garbage", b'{"revision":9', b"\xff"])
def test_a_tail_that_is_no_ones_stops_writers_and_is_found(
    store: FileStore, folder: Path, torn: bytes
) -> None:
    ledger = folder / LEDGER_FILE
    text = ledger.read_bytes() + torn
    ledger.write_bytes(text)
    with pytest.raises(StoreUnreadable, match="ends with a broken line"):
        store.commit(partial(operations.adjust, amount=1), source="x")
    assert ledger.read_bytes() == text
    assert any("broken line" in fault for fault in verify(folder).faults)
