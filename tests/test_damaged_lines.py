"""What needs a damaged line of the ledger is refused with its number; everything else goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core import operations
from balance.core.errors import StoreUnreadable
from balance.history.history import History, traded_until
from balance.history.index import INDEX_FILE
from balance.history.question import Question
from tests.ledgers import entries_of, written
from tests.length import rounds
from tests.marked import Marked
from tests.test_index import LIVES, answered, expected, questions, rows_of, whole

SEED = 1
ENTRIES = entries_of(LIVES[SEED])
COUNT = len(ENTRIES)
ALL = Question(table="ledger", limit=1_000)
# The numbers of lines that are a commit of their own.
ALONE = [
    number for number in range(2, COUNT) if ENTRIES[number - 1].line == ENTRIES[number].line == 1
]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Marked, History]]:
    """Makes an account with damaged lines, and its index."""
    folder = tmp_path_factory.mktemp("damaged") / "account"
    written(folder, LIVES[SEED])

    def made(*damaged: int) -> tuple[Marked, History]:
        store = Marked(folder)
        store.damage(*damaged)
        history = History(store)
        assert history.index.catch_up()
        return store, history

    return made


def refused(ask: Callable[[], object]) -> int | None:
    """The number of the line that a refusal names; None where it is answered."""
    found = fault_of(ask)
    assert found is None or f"line {found.line} does not match its checksum" in str(found)
    return None if found is None else found.line


def fault_of(ask: Callable[[], object]) -> StoreUnreadable | None:
    """The refusal; None where it is answered."""
    try:
        ask()
    except StoreUnreadable as fault:
        return fault
    return None


@settings(max_examples=rounds(50, 1_000))
@given(
    asked=questions(),
    damaged=st.frozensets(st.integers(1, COUNT), min_size=1, max_size=3)
    | st.integers(1, COUNT - 4).map(lambda first: frozenset(range(first, first + 4))),
)
def test_a_list_is_right_or_refused_with_a_damaged_line(
    indexed: Callable[..., tuple[Marked, History]], asked: Question, damaged: frozenset[int]
) -> None:
    _, history = indexed(*damaged)
    wanted = expected(rows_of(SEED, asked.table), asked)
    assert asked.limit is not None
    number = refused(lambda: answered(history, asked))
    assert number is None or number in damaged
    if number is None:
        shown, total, _ = answered(history, asked)
        assert shown == wanted[asked.offset : asked.offset + asked.limit]
        assert total in (None, len(wanted))
        # Up to revision 0 there is nothing, whatever the first lines were.
        assert len(shown) == asked.limit or total is not None or asked.until == 0
    number = refused(lambda: whole(history, asked))
    assert number is None or number in damaged
    if number is None:
        assert whole(history, asked) == wanted


def test_a_page_that_does_not_have_it_is_answered(
    indexed: Callable[..., tuple[Marked, History]],
) -> None:
    number = max(each for each in ALONE if each <= COUNT - 100)
    older = COUNT - number
    _, history = indexed(number)
    newest = [each.place for each in reversed(ENTRIES)]

    def page(offset: int, limit: int) -> list[object]:
        answer = history.answer(replace(ALL, offset=offset, limit=limit))
        assert (answer.total, answer.progress.is_complete) == (None, True)
        return [each.entry.place for each in answer.rows]

    assert page(0, older) == newest[:older]
    assert refused(lambda: page(0, older + 1)) == number
    assert refused(lambda: page(older, 1)) == number
    assert page(older + 1, 200) == newest[older + 1 : older + 201]


def test_filters_that_exclude_it_are_answered_with_their_total(
    indexed: Callable[..., tuple[Marked, History]],
) -> None:
    number = next(n for n in ALONE if n > 200 and ENTRIES[n].booking.epoch > 2)
    _, history = indexed(number)
    damaged, before, after = ENTRIES[number - 1], ENTRIES[number - 2], ENTRIES[number]
    epoch = damaged.booking.epoch
    for excluded, included in (
        ({"one_of": {"epoch": (1,)}}, {"one_of": {"epoch": (1, epoch)}}),
        ({"until": before.revision - 1}, {"until": damaged.revision}),
        ({"after": after.revision}, {"after": before.revision - 1}),
        ({"end": before.time.replace(year=2020)}, {"end": damaged.time}),
        ({"begin": ENTRIES[-1].time}, {"begin": damaged.time}),
        ({"before": before.place}, {"before": (after.revision + 1, 1)}),
    ):
        answer = history.answer(replace(ALL, **excluded))
        assert answer.total == len(answer.rows)
        assert refused(lambda parts=included: history.answer(replace(ALL, **parts))) == number
        assert refused(lambda parts=excluded: list(history.records(replace(ALL, **parts)))) is None
        assert refused(lambda p=included: next(history.records(replace(ALL, **p)))) == number


def test_any_other_order_needs_it(indexed: Callable[..., tuple[Marked, History]]) -> None:
    _, history = indexed(50)
    asked = Question(table="trades", sort="-pnl", limit=1)
    assert refused(lambda: history.answer(asked)) == 50
    assert refused(lambda: history.answer(replace(asked, sort="-revision"))) is None


def test_sums_are_known_of_the_epochs_before_it(
    indexed: Callable[..., tuple[Marked, History]],
) -> None:
    _, sound = indexed()
    epochs = sound.epochs()
    number = next(n for n in range(COUNT) if ENTRIES[n].booking.epoch == 4) + 3
    _, history = indexed(number, COUNT - 1)
    for each in epochs:
        if each.epoch < 4:
            assert history.epoch(each.epoch) == each
        else:
            assert refused(lambda epoch=each.epoch: history.epoch(epoch)) == number
    assert refused(history.epochs) == number
    assert list(history.epoch_list(newest=3).epochs) == list(epochs[-3:])
    assert refused(lambda: history.epoch_list(newest=4)) == number


def test_marks_need_it_within_their_time(indexed: Callable[..., tuple[Marked, History]]) -> None:
    _, history = indexed(100)
    first, last = ENTRIES[0].time, ENTRIES[-1].time
    assert refused(lambda: history.marks(first, last, 10)) == 100
    assert refused(lambda: history.marks(ENTRIES[110].time, last, 10)) is None


def test_entries_around_it_are_answered(indexed: Callable[..., tuple[Marked, History]]) -> None:
    number = ALONE[len(ALONE) // 2]
    _, history = indexed(number)
    before, damaged, after = (ENTRIES[number - 1 + step] for step in (-1, 0, 1))
    # A damaged line may be two that were joined, so that those behind an entry are not counted.
    for entry, older, newer, offset in (
        (before, ENTRIES[number - 3].place, after.place, None),
        (after, before.place, ENTRIES[number + 1].place, COUNT - 1 - number),
    ):
        found = history.entry(entry.place)
        assert found is not None
        assert (found.record.entry, found.before, found.after) == (entry, older, newer)
        assert found.offset == offset
    assert refused(lambda: history.entry(damaged.place)) == number


def test_the_fee_of_a_damaged_fill_is_as_little_known(
    indexed: Callable[..., tuple[Marked, History]],
) -> None:
    number = next(n for n, each in enumerate(ENTRIES[:-1], 1) if ENTRIES[n].booking.kind == "fee")
    assert ENTRIES[number - 1].line < ENTRIES[number].line
    _, history = indexed(number)
    asked = replace(ALL, sort="revision", offset=number, limit=1)
    assert refused(lambda: history.answer(asked)) == number
    with pytest.raises(StoreUnreadable, match=f"line {number} does not match its checksum"):
        history.answer(asked)


def test_views_of_the_ledger_end_before_it(
    indexed: Callable[..., tuple[Marked, History]],
) -> None:
    _, history = indexed(COUNT - 200)
    assert len(history.page(limit=150).entries) == 150
    newest = history.page(limit=200)
    assert len(newest.entries) == 200
    assert refused(lambda: history.page(limit=1, before=newest.next)) == COUNT - 200
    assert refused(lambda: history.page(limit=300)) == COUNT - 200
    assert history.page(epoch=1, limit=5).entries[0]["epoch"] == 1
    assert refused(lambda: list(history.rows())) == COUNT - 200


def test_what_is_committed_after_it_is_in_every_list(folder: Path) -> None:
    written(folder, LIVES[SEED])
    store = Marked(folder)
    store.damage(COUNT)
    history = History(store, folder / INDEX_FILE)
    assert refused(lambda: history.answer(replace(ALL, limit=1))) == COUNT
    for amount in (1, 2, 3):
        store.commit(partial(operations.deposit, amount=amount), source="http")
        answer = history.answer(replace(ALL, limit=amount))
        assert [each.entry.booking.amount for each in answer.rows] == [*range(amount, 0, -1)]
    answer = history.answer(replace(ALL, after=ENTRIES[-1].revision + 1))
    assert (len(answer.rows), answer.total) == (2, 2)


def test_a_line_that_is_mended_is_in_every_list_again(folder: Path) -> None:
    written(folder, LIVES[SEED])
    store = Marked(folder)
    store.damage(30, 90)
    history = History(store, folder / INDEX_FILE)
    asked = replace(ALL, sort="revision")
    assert refused(lambda: history.answer(asked)) == 30
    store.damage(30)
    assert refused(lambda: history.answer(replace(asked, after=ENTRIES[60].revision))) is None
    store.damage()
    assert [each.entry.place for each in history.answer(asked).rows] == [
        each.place for each in ENTRIES
    ]
    assert history.epochs()


def test_a_line_that_is_damaged_once_it_is_indexed_is_refused(folder: Path) -> None:
    written(folder, LIVES[SEED])
    store = Marked(folder)
    history = History(store, folder / INDEX_FILE)
    assert history.answer(ALL).total == COUNT
    for number in (7, COUNT):
        store.damage(number)
        assert refused(lambda: history.answer(ALL)) == number
        assert refused(lambda: history.answer(replace(ALL, offset=1, limit=5))) is None


def test_a_ledger_of_which_nothing_can_be_read_is_refused_as_a_whole(
    indexed: Callable[..., tuple[Marked, History]],
) -> None:
    _, history = indexed(*range(1, COUNT + 1))
    for ask in (
        lambda: history.answer(ALL),
        lambda: history.answer(Question(table="trades", sort="-pnl")),
        lambda: history.epochs(),
        lambda: history.epoch(1),
        lambda: history.entry((5, 1)),
    ):
        assert refused(ask) in range(1, COUNT + 1)


def test_what_follows_the_ledger_reads_up_to_it(
    indexed: Callable[..., tuple[Marked, History]],
) -> None:
    number = ALONE[-5]
    store, history = indexed(number)
    assert history.since(ENTRIES[number - 3].revision - 1, 1_000) is None
    newer = history.since(ENTRIES[number - 1].revision, 1_000)
    assert newer == ENTRIES[number:]
    known = traded_until(written(store.folder, LIVES[SEED]), "simulated")
    store.damage(1)
    assert traded_until(store, "simulated") == known
    store.damage(*range(1, COUNT + 1))
    open_since = [each.opened_at for each in store.read().account.positions]
    placed = [each.placed_at for each in store.read().account.orders]
    assert traded_until(store, "simulated") == max([*open_since, *placed], default=None)
