"""Whatever byte of the ledger is changed: no list, no sum and no entry of the history is wrong, the
line is named, and what does not need it is answered as before."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from balance.core.errors import StoreUnreadable
from balance.history.history import History
from balance.store.file_store import LEDGER_FILE, FileStore
from tests.index_questions import OF_ORDERS, answers
from tests.ledgers import entries_of, lived, written
from tests.length import rounds

LIFE = lived(120, seed=1, epochs_of=40)
ENTRIES = entries_of(LIFE)


def _views(history: History) -> dict[str, Callable[[], Any]]:
    first, last = ENTRIES[0], ENTRIES[-1]
    views: dict[str, Callable[[], Any]] = {
        "page": lambda: history.page(limit=30),
        "deposits": lambda: history.page(kind="deposit", limit=1_000),
        "epoch 2": lambda: history.page(epoch=2, limit=1_000),
        "rows": lambda: list(history.rows()),
        "marks": lambda: history.marks(first.time, last.time, 100),
        "closings": lambda: history.closings(last.revision - 20),
        "opening": lambda: history.opening(3),
    }
    for entry in ENTRIES[::7]:
        # Beyond a damaged neighbour there is the next one.
        views[f"entry {entry.place}"] = lambda place=entry.place: getattr(  # type: ignore[misc]
            history.entry(place), "record", None
        )
    return views


def test_nothing_is_wrong_whatever_byte_is_changed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = written(folder, LIFE)
    ledger = folder / LEDGER_FILE
    sound, history = ledger.read_bytes(), History(store)
    wanted = {**answers(history), **{name: ask() for name, ask in _views(history).items()}}
    chance, counts = random.Random(8), Counter[str]()
    for number in range(rounds(60, 3_000)):
        place = number if number < 3 else chance.randrange(len(sound))
        bits = chance.choice((0xFF, 1, 1 << chance.randrange(8)))
        changed = bytearray(sound)
        changed[place] ^= bits
        ledger.write_bytes(changed)
        outcome = _outcome(folder, wanted, sound.count(b"\n", 0, place) + 1)
        counts.update(outcome)
    with capsys.disabled():
        print(f"\n{rounds(60, 3_000)} changes in {len(sound):,} bytes, answers: {dict(counts)}")
    # A list that needs the line is refused, and an entry beside it is right.
    assert counts["right"] > counts["refused"] > 0


def _outcome(folder: Path, wanted: dict[str, Any], line: int) -> Counter[str]:
    try:
        history = History(FileStore(folder))
        history.index.catch_up()
    except StoreUnreadable:
        return Counter({"refused": len(wanted) - len(OF_ORDERS), "orders refused": len(OF_ORDERS)})
    history.check.check()
    # Where a line is no longer one, that is in the next one as well, and so is a wrong checksum.
    listed = {each.line for each in history.damages.listed if each.file == LEDGER_FILE}
    assert listed
    assert listed <= {line, line + 1}
    found, counts = answers(history), Counter[str]()
    for name, ask in _views(history).items():
        try:
            found = {**found, name: ask()}
        except StoreUnreadable as fault:
            found = {**found, name: None}
            counts["named"] += fault.line in listed
    for name, answer in found.items():
        of = "orders " if name in OF_ORDERS else ""
        counts[f"{of}{'refused' if answer is None else 'right'}"] += 1
        assert answer is None or _fits(answer, wanted[name]), name
    return counts


def _fits(answer: Any, wanted: Any) -> bool:
    """Whether an answer is the wanted one; its total need not be known."""
    is_list = isinstance(wanted, tuple) and len(wanted) == 2 and answer[1] is None
    return bool(answer == wanted or (is_list and answer[0] == wanted[0]))
