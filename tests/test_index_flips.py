"""A list is never wrong because its index was damaged: whatever bits of it are flipped, it answers
as before, and an index that is not as it was written is made anew."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core import operations
from balance.history.filling import prove_tables
from balance.history.history import History
from balance.history.index import INDEX_FILE, indexer
from balance.history.question import Question
from balance.store.damage import Damages
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.index_questions import answers
from tests.ledgers import lived, written
from tests.length import rounds

LIFE = lived(150, seed=1, epochs_of=40)


class Flipped:
    """The index of an account, in which a test flips bits."""

    def __init__(self, folder: Path) -> None:
        self.store = written(folder, LIFE)
        self.file = folder / INDEX_FILE
        self.history = History(self.store, self.file)
        assert self.history.index.catch_up()
        self.wanted = answers(self.history)
        self.history.index.database.close()
        self.sound = self.file.read_bytes()

    def flip(self, place: int, bits: int) -> None:
        flipped = bytearray(self.sound)
        flipped[place] ^= bits
        self.put(flipped)

    def put(self, content: bytes) -> None:
        for suffix in ("-wal", "-shm"):
            self.file.with_name(f"{INDEX_FILE}{suffix}").unlink(missing_ok=True)
        self.file.write_bytes(content)

    def outcome(self, history: History) -> str:
        """What became of the lists."""
        found: Mapping[str, Any] = answers(history)
        history.index.database.close()
        assert found == self.wanted
        return "made anew" if history.damages.listed else "not concerned"


@pytest.fixture
def flipped(folder: Path) -> Flipped:
    return Flipped(folder)


def flips(size: int) -> Iterable[tuple[int, int]]:
    """Bytes far apart as a whole, and single bits anywhere."""
    chance = random.Random(5)
    yield from ((place, 0xFF) for place in range(0, size, rounds(1_999, 997)))
    for _ in range(rounds(30, 2_000)):
        yield chance.randrange(size), 1 << chance.randrange(8)


def test_every_list_is_right_whatever_is_flipped(
    flipped: Flipped, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = Counter[str]()
    for place, bits in flips(len(flipped.sound)):
        flipped.flip(place, bits)
        counts[flipped.outcome(History(FileStore(flipped.store.folder), flipped.file))] += 1
    with capsys.disabled():
        print(f"\n{sum(counts.values())} flips in {len(flipped.sound):,} bytes: {dict(counts)}")
    assert counts["made anew"] > sum(counts.values()) / 4


def test_every_list_is_right_wherever_the_file_is_cut_off(flipped: Flipped) -> None:
    size, outcomes = len(flipped.sound), Counter[str]()
    for end in {0, 1, 99, 100, 4096, size - 1, *range(3, size, size // rounds(15, 500))}:
        flipped.put(flipped.sound[:end])
        outcomes[flipped.outcome(History(FileStore(flipped.store.folder), flipped.file))] += 1
    # SQLite takes a file of a few bytes for a new one.
    assert outcomes["made anew"] > 10


def test_what_is_flipped_under_a_running_server_is_noticed(flipped: Flipped) -> None:
    damages = Damages()
    history = History(flipped.store, flipped.file, damages)
    places = [place for place, bits in flips(len(flipped.sound)) if bits != 0xFF][:30]
    for place in places:
        content = bytearray(flipped.file.read_bytes())
        content[place % len(content)] ^= 0xFF
        with flipped.file.open("r+b") as file:
            file.write(content)
        assert answers(history) == flipped.wanted
    (listed,) = damages.listed
    assert listed.file == INDEX_FILE
    assert "was damaged, and is made anew from the ledger" in listed.message


def test_a_large_index_is_proved_in_the_background(
    flipped: Flipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.history.index._SMALL_FILE", 0)
    damages = Damages()
    history = History(flipped.store, flipped.file, damages)
    history.index.prove()
    assert damages.listed == ()
    history.index.database.close()
    # SQLite finds nothing wrong with it.
    with closing(sqlite3.connect(flipped.file)) as connection:
        connection.execute("UPDATE trades SET outcome = 'loss' WHERE outcome = 'win'")
        connection.commit()
    assert answers(history)["wins"] != flipped.wanted["wins"]
    # A server does not call it whole before it is proved.
    indexer(history.index)
    assert not history.answer(Question(table="trades")).progress.is_complete
    history.index.prove()
    assert [each.file for each in damages.listed] == [INDEX_FILE]
    assert history.answer(Question(table="trades")).progress.is_complete
    assert answers(history) == flipped.wanted


def test_an_index_that_only_this_program_writes_is_proved_once(
    flipped: Flipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(flipped.store, flipped.file)
    proofs: list[None] = []
    monkeypatch.setattr("balance.history.index.prove_tables", lambda *_: proofs.append(None))
    for _ in range(3):
        answers(history)
    assert len(proofs) == 1


@settings(max_examples=rounds(30, 500))
@given(notes=st.lists(st.text(max_size=40) | st.text("aä\U0001f600\0\n\u0301 ", max_size=9)))
def test_an_index_of_any_texts_is_proved(notes: list[str]) -> None:
    store = MemoryStore()
    for note in notes:
        store.commit(partial(operations.deposit, amount=5, note=note), source="http")
    history = History(store)
    assert history.index.catch_up()
    with history.index.database.reading() as connection:
        prove_tables(connection, lambda: False)
