"""The contract of the store, kept by the one in files and by its twin in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.account import Account
from balance.core.change import Change, Operation
from balance.core.entry import Entry, replay
from balance.core.errors import (
    AccountingError,
    InsufficientBalance,
    KeyReused,
    StaleRevision,
)
from balance.core.wallet import Wallet
from balance.store.checksum import START, is_proved, stated
from balance.store.codec import account_of, decode_entry, keyed_by
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from balance.store.state import Keyed, Request, Store
from tests.accounts import MOMENT, explained

Make = Callable[..., Store]


@pytest.fixture(params=["memory", "file"])
def make(request: pytest.FixtureRequest, folder: Path) -> Make:
    """Makes a new store: ``make(starting_balance=..., clock=...)``."""
    kind = MemoryStore if request.param == "memory" else partial(FileStore, folder)
    return partial(kind, clock=lambda: MOMENT)


@pytest.fixture
def store(make: Make) -> Store:
    """A new store with 10,000."""
    return make()


def adjust(amount: object) -> Operation:
    return partial(operations.adjust, amount=amount)


def trade(account: Account) -> Change:
    """A change with three bookings: what closing a position books."""
    wallet, bookings = account.wallet, []
    for kind, amount in (("realized_pnl", "25"), ("fee", "-0.5"), ("funding", "-0.25")):
        wallet = wallet.booked(kind, Decimal(amount))
        bookings.append(
            operations.Booking(
                epoch=wallet.epoch, kind=kind, amount=Decimal(amount), balance=wallet.balance
            )
        )
    return Change(replace(account, wallet=wallet), tuple(bookings))


def kinds(store: Store) -> list[str]:
    return [entry.booking.kind for entry in store.entries()]


def everything(store: Store) -> object:
    return store.read(), list(store.entries())


def test_a_new_account_has_its_first_revision_and_entry(make: Make) -> None:
    store = make(starting_balance=Decimal(250))
    state = store.read()
    assert (state.revision, state.changed_at) == (1, MOMENT)
    assert state.account == Account(Wallet.opened(1, Decimal(250)))
    (entry,) = store.entries()
    assert (entry.place, entry.time, entry.source) == ((1, 1), MOMENT, "program")
    assert (entry.booking.kind, entry.booking.amount) == ("start", 250)


def test_what_is_committed_is_read(store: Store) -> None:
    commit = store.commit(adjust("-12.30"), source="shell")
    assert not commit.replayed
    assert commit.state == store.read()
    assert commit.state.account.wallet.balance == Decimal("9987.7")
    assert commit.state.entries[0].source == "shell"


def test_time_is_the_clocks_and_orders_nothing(make: Make) -> None:
    times = [datetime(2026, 5, day, tzinfo=UTC) for day in (3, 2, 1)]
    store = make(clock=iter(times).__next__)
    store.commit(adjust(1), source="x")
    store.commit(adjust(2), source="x")
    assert [entry.time for entry in store.entries()] == times[::-1]
    assert [entry.revision for entry in store.entries()] == [3, 2, 1]


def test_revisions_have_no_gap_and_epochs_go_on(store: Store) -> None:
    for operation in (adjust(1), operations.reset, trade, adjust(2), operations.reset):
        before = store.read()
        after = store.commit(operation, source="x").state
        assert after.revision == before.revision + 1
        assert after.account_id == before.account_id
    assert kinds(store) == [
        "reset",
        "adjustment",
        *("funding", "fee", "realized_pnl"),
        "reset",
        "adjustment",
        "start",
    ]
    assert store.read().account.wallet.epoch == 3


def test_the_ledger_leads_to_the_balance(store: Store) -> None:
    for operation in (adjust(5), trade, partial(operations.deposit, amount="0.00000001"), trade):
        store.commit(operation, source="x")
    account = store.read().account
    assert replay(reversed(list(store.entries()))) == account
    assert account.wallet.balance == explained(account.wallet)


@pytest.mark.parametrize(
    ("before", "first"),
    [(None, (4, 1)), ((4, 1), (3, 3)), ((3, 2), (3, 1)), ((3, 9), (3, 3)), ((99, 1), (4, 1))],
)
def test_entries_come_newest_first_from_before_a_place(
    store: Store, before: tuple[int, int] | None, first: tuple[int, int]
) -> None:
    for operation in (adjust(1), trade, adjust(2)):
        store.commit(operation, source="x")
    places = [(4, 1), (3, 3), (3, 2), (3, 1), (2, 1), (1, 1)]
    found = [entry.place for entry in store.entries(before=before)]
    assert found == places[places.index(first) :]
    assert list(store.entries(before=(1, 1))) == []


def test_a_stale_expectation_is_refused_with_figures(store: Store) -> None:
    store.commit(adjust(1), source="x", if_match=1)
    before = everything(store)
    for expected in (1, 3):
        with pytest.raises(StaleRevision) as refused:
            store.commit(adjust(1), source="x", if_match=expected)
        assert (refused.value.expected, refused.value.actual) == (expected, 2)
        assert "revision 2, not" in str(refused.value)
    assert everything(store) == before


def test_a_repeated_key_gets_the_first_answer_and_changes_nothing(store: Store) -> None:
    request = Request("k", "f")
    first = store.commit(adjust(5), source="http", request=request)
    store.commit(trade, source="x")
    before = everything(store)
    again = store.commit(adjust(5), source="http", request=request)
    assert (again.state, again.replayed, first.replayed) == (first.state, True, False)
    assert everything(store) == before


def test_a_key_is_not_taken_for_another_request(store: Store) -> None:
    store.commit(adjust(5), source="x", request=Request("k", "f"))
    before = everything(store)
    with pytest.raises(KeyReused, match="'k'") as refused:
        store.commit(adjust(6), source="x", request=Request("k", "other"))
    assert refused.value.key == "k"
    assert everything(store) == before


def test_a_key_is_looked_up_before_the_expectation(store: Store) -> None:
    request = Request("k", "f")
    first = store.commit(adjust(5), source="x", if_match=1, request=request)
    again = store.commit(adjust(5), source="x", if_match=1, request=request)
    assert (again.replayed, again.state) == (True, first.state)


def test_a_refused_request_leaves_its_key_free(store: Store) -> None:
    request = Request("k", "f")
    with pytest.raises(StaleRevision):
        store.commit(adjust(5), source="x", if_match=9, request=request)
    with pytest.raises(InsufficientBalance):
        store.commit(adjust(-10_001), source="x", request=request)
    assert not store.commit(adjust(5), source="x", request=request).replayed


@pytest.mark.parametrize("key", ["a", 'quo"te', "back\\slash", "\u017elu\u0165", "\U0001f511"])
def test_keys_of_any_letters_are_told_apart(store: Store, key: str) -> None:
    store.commit(adjust(1), source="x", request=Request(key + "2", "f"))
    first = store.commit(adjust(2), source="x", request=Request(key, "f"))
    again = store.commit(adjust(2), source="x", request=Request(key, "f"))
    assert (again.replayed, again.state) == (True, first.state)


def test_an_operation_that_raises_leaves_everything_unchanged(store: Store) -> None:
    store.commit(trade, source="x")
    before = everything(store)

    def broken(_: Account) -> Change:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.commit(broken, source="x", request=Request("k", "f"))
    assert everything(store) == before
    assert store.commit(adjust(1), source="x").state.revision == 3


def _unbooked(account: Account) -> Change:
    return replace(adjust(5)(account), bookings=())


def _silent(account: Account) -> Change:
    return Change(account, ())


def _understated(account: Account) -> Change:
    change = adjust(5)(account)
    return replace(change, bookings=(replace(change.bookings[0], amount=Decimal(4)),))


def _misquoted(account: Account) -> Change:
    change = adjust(5)(account)
    return replace(change, bookings=(replace(change.bookings[0], balance=Decimal(4)),))


def _unexplained(account: Account) -> Change:
    change = adjust(5)(account)
    wallet = replace(change.account.wallet, adjustments=Decimal(4))
    return replace(change, account=replace(change.account, wallet=wallet))


def _negative(account: Account) -> Change:
    wallet = account.wallet.booked("fee", Decimal(-10_001))
    booking = replace(adjust(5)(account).bookings[0], kind="fee", amount=Decimal(-10_001))
    return Change(replace(account, wallet=wallet), (replace(booking, balance=wallet.balance),))


def _of_another_epoch(account: Account) -> Change:
    change = adjust(5)(account)
    return replace(change, bookings=(replace(change.bookings[0], epoch=2),))


@pytest.mark.parametrize(
    "operation",
    [
        _unbooked,
        _silent,
        _understated,
        _misquoted,
        _unexplained,
        _negative,
        _of_another_epoch,
    ],
)
def test_a_step_that_its_entries_do_not_explain_is_never_written(
    store: Store, operation: Operation
) -> None:
    before = everything(store)
    with pytest.raises(AccountingError):
        store.commit(operation, source="x")
    assert everything(store) == before


def test_threads_lose_nothing(store: Store) -> None:
    def work() -> None:
        for _ in range(10):
            store.commit(adjust("0.01"), source="x")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries: list[Entry] = list(store.entries())
    assert store.read().account.wallet.balance == Decimal("10000.80")
    assert [entry.revision for entry in entries] == list(range(81, 0, -1))


def test_the_lines_of_the_ledger_are_its_entries_and_can_be_read_again(store: Store) -> None:
    for operation in (adjust(1), trade, operations.reset):
        store.commit(operation, source="x")
    entries = list(store.entries())[::-1]
    lines = list(store.lines())
    assert [decode_entry(line.text) for line in lines] == entries
    assert [line.start for line in lines] == [0, *(line.end for line in lines[:-1])]
    for line in lines:
        assert next(store.lines(line.start)) == line
    assert list(store.lines(lines[-1].end)) == []
    spots = [(line.start, line.end) for line in reversed(lines)]
    assert list(store.texts(spots)) == [line.text for line in reversed(lines)]
    # where none is, nothing that could be taken for one
    end = lines[-1].end
    assert list(store.texts([(end, end + 1)])) == [b""]


def test_each_line_is_proved_by_the_one_before_and_has_the_key_of_its_commit(store: Store) -> None:
    keyed = Request("k", "f")
    for operation, request in ((adjust(1), None), (trade, keyed), (adjust(2), None)):
        store.commit(operation, source="x", request=request)
    texts = [line.text for line in store.lines()]
    before = [START, *map(stated, texts)]
    assert all(is_proved(text, each or "") for text, each in zip(texts, before, strict=False))
    assert account_of(texts[0]) == store.read().account_id
    assert list(map(account_of, texts[1:])) == [None] * 5
    assert [keyed_by(text) for text in texts] == [
        *(None, None, Keyed(3, keyed, previous=0), None, None, None)
    ]
    state = store.read()
    assert (state.previous_checksum, state.checksum) == tuple(before[-2:])
    assert state.answered == 3
    assert store.disagreement() is None


def test_the_extent_of_the_ledger_is_another_one_after_each_commit(store: Store) -> None:
    found = [store.extent()]
    for operation in (adjust(1), trade):
        store.commit(operation, source="x")
        assert store.extent() == store.extent()
        found.append(store.extent())
    assert [extent.revision for extent in found] == [1, 2, 3]
    assert len({extent.ledger for extent in found}) == 1
    assert sorted(found, key=lambda extent: extent.end) == found
    assert len({extent.end for extent in found}) == 3
    assert found[-1].end == list(store.lines())[-1].end
