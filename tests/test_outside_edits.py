"""What other programs do to the account's file: valid edits are adopted, damage is never mended
by a default."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from balance.core import operations
from balance.core.errors import StoreUnreadable
from balance.core.figures import grouped
from balance.store.advice import option
from balance.store.codec import ORDER, POSITION
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.state import Request
from balance.store.verification import verify
from tests.accounts import account, explained, order, position


@pytest.fixture
def store(folder: Path) -> FileStore:
    """A store at revision 3 with 10,007."""
    store = FileStore(folder)
    store.commit(partial(operations.deposit, amount=10), source="x")
    store.commit(partial(operations.adjust, amount=-3), source="x", request=Request("k", "f"))
    return store


def edit(folder: Path, indent: int | None = 2, **changes: Any) -> None:
    """What a person's script does: load, change, dump."""
    path = folder / ACCOUNT_FILE
    document = json.loads(path.read_text())
    document.update(changes)
    path.write_text(json.dumps(document, indent=indent))


def newest(store: FileStore) -> tuple[str, Decimal, Decimal]:
    booking = next(store.entries()).booking
    return booking.kind, booking.amount, booking.balance


def booked(store: FileStore, revision: int) -> None:
    """The account goes on working, and agrees with its ledger."""
    state = store.commit(partial(operations.adjust, amount=1), source="x").state
    assert state.revision == revision
    assert verify(store.folder).faults == ()


@pytest.mark.parametrize("known", [True, False], ids=["running", "restarted"])
@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("9000.00", "-1007"),
        (9000.5, "-1006.5"),
        (20_000, "9993"),
        (10007.1 + 0.2, "0.3"),
        ("10007.00000001", "0.00000001"),
        (0, "-10007"),
    ],
)
def test_an_edited_balance_is_adopted_with_an_entry_that_says_so(
    folder: Path, store: FileStore, known: bool, indent: int | None, value: Any, amount: str
) -> None:
    if known:
        store.read()
    else:
        store = FileStore(folder)
    edit(folder, indent, balance=value)
    state = store.read()
    assert (state.revision, state.account.wallet.epoch) == (4, 1)
    assert newest(store) == ("external_edit", Decimal(amount), 10_007 + Decimal(amount))
    assert state.entries[0].source == "file"
    wallet = state.account.wallet
    assert wallet.balance == explained(wallet)
    assert wallet.adjustments == Decimal(amount) - 3
    assert store.read() == FileStore(folder).read()
    booked(store, 5)


@pytest.mark.parametrize("known", [True, False], ids=["running", "restarted"])
def test_every_tab_says_which_figures_were_edited(
    folder: Path, store: FileStore, known: bool
) -> None:
    trading = account(10_007, positions=(position(),), orders=(order(),))
    stated = operations.restate(trading, "adjustment", Decimal(10_007), "")
    store.commit(lambda _: stated, source="x")
    if known:
        store.read()
    else:
        store = FileStore(folder)
    document = json.loads((folder / ACCOUNT_FILE).read_text())
    (held,) = document["positions"]
    edit(folder, balance="9000", positions=[{**held, "quantity": "0.25"}], orders=[])
    edited = (
        "virtual_balance.json was edited: balance 10,007.00 -> 9,000.00; "
        f"position {position().symbol} quantity {grouped(position().quantity)} -> 0.25; "
        f"order {order().id} {order().side} {grouped(order().quantity)} -> none"
    )
    assert store.read().entries[0].booking.note == edited
    assert store.read().snapshot().news == f"{edited}."


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("revision", 9),
        ("account", "another"),
        ("previous_checksum", "0" * 16),
        ("previous_answered", 2),
        ("request", None),
        ("changed_at", "2031-01-02T03:04:05Z"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["running", "restarted"])
def test_what_is_no_figure_is_refused_or_as_the_ledger_has_it(
    folder: Path, store: FileStore, known: bool, member: str, value: object
) -> None:
    before = store.read()
    edit(folder, **{member: value})
    store = store if known else FileStore(folder)
    if member == "revision":
        with pytest.raises(StoreUnreadable, match="entries are not those of revision 9"):
            store.read()
        return
    after = store.read()
    assert (after.account_id, after.revision) == (before.account_id, 4)
    assert (after.account, after.answered) == (before.account, 3)
    assert after.entries[0].booking.note.endswith("no figure is another one")
    keyed = store.commit(
        partial(operations.adjust, amount=-3), source="x", request=Request("k", "f")
    )
    assert (keyed.replayed, keyed.state.revision) == (True, 3)
    booked(store, 5)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("positions",), {}),
        (("orders",), {}),
        (("schema",), True),
        (("schema",), 3.0),
        (("positions", 0, "symbol"), ""),
        (("positions", 0, "quantity"), True),
        (("positions", 0, "quantity"), "0"),
        (("positions", 0, "owner"), None),
        (("positions", 0, "opened_at"), 5),
        (("positions", 0, "side"), "both"),
        (("orders", 0, "reduce_only"), 1),
        (("orders", 0, "quantity"), "-1"),
        (("positions", 0), []),
        (("balance",), "1e13"),
        (("epoch",), True),
        (("epoch",), "1"),
        (("request",), []),
        (("entries",), {}),
        (("previous_answered",), True),
        (("previous_answered",), 99),
        (("previous_checksum",), 0),
    ],
)
def test_a_wrong_type_is_refused_and_never_adopted(
    folder: Path, store: FileStore, place: tuple[str | int, ...], value: object
) -> None:
    trading = account(10_007, positions=(position(),), orders=(order(),))
    stated = operations.restate(trading, "adjustment", Decimal(10_007), "")
    store.commit(lambda _: stated, source="x")
    document = json.loads((folder / ACCOUNT_FILE).read_text())
    inner: Any = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    (folder / ACCOUNT_FILE).write_text(json.dumps(document))
    for reader in (store, FileStore(folder)):
        with pytest.raises(StoreUnreadable, match=ACCOUNT_FILE):
            reader.read()


@pytest.mark.parametrize("where", ["", "positions", "orders", "entries"])
def test_a_member_that_is_needed_or_unknown_is_never_a_default(
    folder: Path, store: FileStore, where: str
) -> None:
    trading = account(10_007, positions=(position(),), orders=(order(),))
    stated = operations.restate(trading, "adjustment", Decimal(10_007), "")
    store.commit(lambda _: stated, source="x")
    whole = (folder / ACCOUNT_FILE).read_text()
    members = json.loads(whole)
    # What an edit says of the entries is not believed, so that it may say less.
    spared = {
        "entries": frozenset(members["entries"][0]),
        "positions": POSITION.optional,
        "orders": ORDER.optional,
    }.get(where, frozenset())
    for name in (members[where][0] if where else members).keys() - {"seal"}:
        for renamed in ("", f"{name}x"):
            if not renamed and name in spared:
                continue
            document = json.loads(whole)
            inner = document[where][0] if where else document
            value = inner.pop(name)
            if renamed:
                inner[renamed] = value
            (folder / ACCOUNT_FILE).write_text(json.dumps(document))
            with pytest.raises(StoreUnreadable, match=ACCOUNT_FILE):
                FileStore(folder).read()


def test_a_position_may_be_written_as_older_versions_did(folder: Path, store: FileStore) -> None:
    store.read()
    document = json.loads((folder / ACCOUNT_FILE).read_text())
    held = POSITION.encode(position())
    document["positions"] = [{name: held[name] for name in held.keys() - POSITION.optional}]
    (folder / ACCOUNT_FILE).write_text(json.dumps(document))
    (adopted,) = FileStore(folder).read().account.positions
    assert (adopted.symbol, adopted.quantity, adopted.owner) == (
        *(position().symbol, position().quantity),
        "",
    )


def test_an_edit_is_adopted_before_a_change_is_made(folder: Path, store: FileStore) -> None:
    edit(folder, balance="500")
    state = store.commit(partial(operations.withdraw, amount=500), source="x").state
    assert (state.revision, state.account.wallet.balance) == (5, 0)
    assert [entry.booking.kind for entry in store.entries()][:2] == ["withdrawal", "external_edit"]


@pytest.mark.parametrize("written", [True, False], ids=["written", "answer lost in a crash"])
def test_an_edit_loses_no_idempotency_key(folder: Path, store: FileStore, written: bool) -> None:
    if not written:
        (folder / ANSWER_FILE).unlink()
    edit(folder, balance="500")
    request = Request("k", "f")
    again = store.commit(partial(operations.adjust, amount=-3), source="x", request=request)
    assert (again.replayed, again.state.revision) == (True, 3)
    assert again.state.account.wallet.balance == (10_007 if written else 500)
    assert store.read().account.wallet.balance == 500


@pytest.mark.parametrize("indent", [None, 0, 1, 8])
def test_a_file_that_is_only_written_otherwise_is_no_edit(
    folder: Path, store: FileStore, indent: int | None
) -> None:
    before = store.read()
    edit(folder, indent)
    assert store.read() == FileStore(folder).read() == before
    assert len(list(store.entries())) == 3
    booked(store, 4)


def test_an_edit_of_other_parts_keeps_the_balance_explained(folder: Path, store: FileStore) -> None:
    edit(folder, deposits="1000", starting_balance=0)
    wallet = store.read().account.wallet
    assert (wallet.deposits, wallet.starting_balance, wallet.balance) == (1_000, 0, 10_007)
    assert wallet.balance == explained(wallet)
    assert newest(store) == ("external_edit", 0, 10_007)
    booked(store, 5)


@pytest.mark.parametrize("known", ["read", "read early", "restarted"])
@pytest.mark.parametrize("resets", [0, 2])
def test_an_older_file_put_back_is_adopted_and_the_revision_goes_on(
    folder: Path, store: FileStore, known: str, resets: int, tmp_path: Path
) -> None:
    store.read()
    backup = shutil.copy(folder / ACCOUNT_FILE, tmp_path)
    for _ in range(resets):
        store.commit(operations.reset, source="x")
    store.commit(partial(operations.adjust, amount=-1_000), source="x")
    last = store.commit(partial(operations.deposit, amount=5), source="x").state
    if known == "read":
        store.read()
    elif known == "restarted":
        store = FileStore(folder)
    shutil.copy(backup, folder / ACCOUNT_FILE)
    state = store.read()
    assert state.revision == last.revision + 1
    assert (state.account.wallet.balance, state.account.wallet.epoch) == (10_007, 1 + resets)
    gone = 10_007 - last.account.wallet.balance
    assert newest(store) == ("external_edit", gone, 10_007)
    booked(store, last.revision + 2)


def test_another_program_sees_an_older_file_put_back_too(
    folder: Path, store: FileStore, tmp_path: Path
) -> None:
    reader = FileStore(folder)
    reader.read()
    store.commit(partial(operations.adjust, amount=1), source="x")
    backup = shutil.copy(folder / ACCOUNT_FILE, tmp_path)
    store.commit(partial(operations.adjust, amount=1), source="x")
    shutil.copy(backup, folder / ACCOUNT_FILE)
    assert reader.read().revision == 6
    assert newest(reader) == ("external_edit", -1, 10_008)


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda text: text[: int(len(text) * share)]


def _with(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda text: json.dumps({**json.loads(text), **changes}).encode()


def _without(name: str) -> Callable[[bytes], bytes]:
    def drop(text: bytes) -> bytes:
        document = json.loads(text)
        del document[name]
        return json.dumps(document).encode()

    return drop


def _with_number(number: str) -> Callable[[bytes], bytes]:
    return lambda text: text.replace(b'"10007.00"', number.encode())


DAMAGE = {
    "empty": lambda _: b"",
    "one letter": _cut(0.002),
    "first half": _cut(0.5),
    "last letter missing": _cut(0.99),
    "zeros": lambda text: bytes(len(text)),
    "not utf-8": lambda text: text.replace(b"USDT", b"\xff\xfe"),
    "two accounts": lambda text: text * 2,
    "a list": lambda text: b"[" + text + b"]",
    "null": lambda _: b"null",
    "nothing in it": lambda _: b"{}",
    "balance twice": lambda text: text.replace(b"{", b'{"balance": "9", ', 1).replace(
        b"7.00", b"6.00"
    ),
    "a deep nest": lambda _: b'{"schema": 1, "account": ' + b"[" * 200_000,
    "a newer schema": _with(schema=4),
    "no schema": _without("schema"),
    "no account": _without("account"),
    "no revision": _without("revision"),
    "no balance": _without("balance"),
    "no epoch": _without("epoch"),
    "no entries": _without("entries"),
    "no positions": _without("positions"),
    "another currency": _with(currency="BTC"),
    "negative balance": _with(balance="-0.01"),
    "negative number": _with(balance=-5),
    "negative start": _with(starting_balance="-1"),
    "balance beyond the limit": _with(balance="1000000000000.01"),
    "balance true": _with(balance=True),
    "balance null": _with(balance=None),
    "balance in words": _with(balance="much"),
    "balance a list": _with(balance=[1]),
    "balance NaN": _with(balance=float("nan")),
    "balance Infinity": _with(balance=float("inf")),
    "balance 1e400": _with_number("1e400"),
    "balance beyond Decimal": _with_number("1e99999999999999999999"),
    "balance of 5,000 digits": _with_number("1" * 5_000),
    "revision text": _with(revision="3"),
    "revision true": _with(revision=True),
    "revision zero": _with(revision=0),
    "revision of another": _with(revision=4),
    "epoch a fraction": _with(epoch=1.5),
    "time in words": _with(changed_at="yesterday"),
    "time without zone": _with(changed_at="2026-01-02T03:04:05"),
    "time out of range": _with(changed_at="0001-01-01T00:00:00+23:00"),
    "entries empty": _with(entries=[]),
    "entries a number": _with(entries=5),
    "entries of numbers": _with(entries=[5]),
    "positions a number": _with(positions=5),
    "positions of text": _with(positions=["BTC/USDT"]),
    "positions empty objects": _with(positions=[{}]),
    "orders null": _with(orders=None),
    "request a number": _with(request=5),
    "an order twice": _with(orders=[ORDER.encode(order())] * 2),
    "a client id that is an id": _with(
        orders=[ORDER.encode(order(**each)) for each in ({}, {"id": "o-2", "client_id": "o-1"})]
    ),
    "account a number": _with(account=5),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_refused_and_left_as_it_is(
    folder: Path, store: FileStore, damage: Callable[[bytes], bytes]
) -> None:
    store.read()
    path = folder / ACCOUNT_FILE
    path.write_bytes(damage(path.read_bytes()))
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    for reader in (store, FileStore(folder)):
        with pytest.raises(StoreUnreadable, match=ACCOUNT_FILE) as refused:
            reader.read()
        assert str(folder) not in str(refused.value).replace(option(folder), "")
        with pytest.raises(StoreUnreadable):
            reader.commit(partial(operations.set_balance, balance=10_000), source="x")
        with pytest.raises(StoreUnreadable):
            list(reader.entries())
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before


def test_a_missing_account_is_not_made_anew_beside_its_ledger(
    folder: Path, store: FileStore
) -> None:
    store.read()
    (folder / ACCOUNT_FILE).unlink()
    for reader in (store, FileStore(folder)):
        with pytest.raises(StoreUnreadable, match="is missing"):
            reader.read()
        with pytest.raises(StoreUnreadable, match="is missing"):
            reader.commit(partial(operations.adjust, amount=1), source="x")
    assert not (folder / ACCOUNT_FILE).exists()


def test_a_mended_file_is_read_again(folder: Path, store: FileStore) -> None:
    path = folder / ACCOUNT_FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(StoreUnreadable):
        store.read()
    path.write_bytes(whole)
    assert store.read().account.wallet.balance == 10_007
    booked(store, 4)


def test_a_folder_in_the_files_place_is_refused(folder: Path, store: FileStore) -> None:
    (folder / ACCOUNT_FILE).unlink()
    (folder / ACCOUNT_FILE).mkdir()
    with pytest.raises(StoreUnreadable, match="can't be read"):
        store.read()


def test_a_lost_ledger_stops_writers_and_no_reader(folder: Path, store: FileStore) -> None:
    (folder / LEDGER_FILE).unlink()
    for reader in (store, FileStore(folder)):
        assert reader.read().account.wallet.balance == 10_007
        with pytest.raises(StoreUnreadable, match=r"ledger\.jsonl has no entries"):
            reader.commit(partial(operations.adjust, amount=1), source="x")
    assert not (folder / LEDGER_FILE).exists()
