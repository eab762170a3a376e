"""What is damaged is found, and rebuilt from what is whole; nothing is thrown away."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.entry import Entry
from balance.core.errors import AnswerLost, StoreNewer, StoreUnreadable
from balance.open_account import open_account
from balance.store.checksum import TAIL_BYTES, sealed, stated
from balance.store.codec import Unreadable, decode_entry, encode_entry
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE, FileStore
from balance.store.ledger_file import LedgerFile
from balance.store.recovery import Report, repair, verify
from balance.store.state import Request
from tests.test_store import trade

BALANCE = Decimal("1034.25")


@pytest.fixture
def account(folder: Path) -> Path:
    """The folder of an account at revision 6, in its second epoch, with 1,034.25."""
    store = FileStore(folder)
    store.commit(partial(operations.deposit, amount=500), source="x")
    store.commit(partial(operations.reset, balance=1_000), source="x")
    store.commit(trade, source="x")
    store.commit(partial(operations.adjust, amount=5), source="x", request=Request("k", "f"))
    store.commit(partial(operations.deposit, amount=5), source="x")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != LOCK_FILE}


def ledger_lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / LEDGER_FILE
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    return damage


def in_line(number: int, old: bytes, new: bytes) -> Callable[[Path], None]:
    """Lines: 1 start, 2 deposit, 3 reset, 4-6 a trade, 7 adjustment, 8 deposit."""

    def change(lines: list[bytes]) -> list[bytes]:
        assert old in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old, new)
        return lines

    return ledger_lines(change)


def edit_account(**changes: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / ACCOUNT_FILE
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return damage


def remove(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return damage


def write(name: str, text: bytes) -> Callable[[Path], None]:
    return lambda folder: void((folder / name).write_bytes(text))


def void(_: object) -> None:
    """Nothing."""


LEDGER_DAMAGE = {
    "amount edited": in_line(2, b'"500.00"', b'"600.00"'),
    "balance edited": in_line(7, b'"1029.25"', b'"1029.26"'),
    "kind edited": in_line(7, b'"adjustment"', b'"deposit"'),
    "epoch edited": in_line(3, b'"epoch":2', b'"epoch":3'),
    "newest amount edited": in_line(8, b'"amount":"5.00"', b'"amount":"6.00"'),
    "first line deleted": ledger_lines(lambda lines: lines[1:]),
    "line deleted": ledger_lines(lambda lines: lines[:1] + lines[2:]),
    "line of a trade deleted": ledger_lines(lambda lines: lines[:4] + lines[5:]),
    "reset deleted": ledger_lines(lambda lines: lines[:2] + lines[3:]),
    "last commits deleted": ledger_lines(lambda lines: lines[:3]),
    "line duplicated": ledger_lines(lambda lines: lines[:2] + lines[1:]),
    "lines swapped": ledger_lines(lambda lines: [*lines[:6], lines[7], lines[6]]),
    "garbage line": ledger_lines(lambda lines: [*lines[:4], b"garbage\n", *lines[4:]]),
    "garbage for a line": ledger_lines(lambda lines: [*lines[:4], b"\xff\0\n", *lines[5:]]),
    "garbage at the end": ledger_lines(lambda lines: [*lines, b"garbage\n"]),
    "half a line at the end": ledger_lines(lambda lines: [*lines, b'{"revision":7']),
    "empty line": ledger_lines(lambda lines: [*lines[:4], b"\n", *lines[4:]]),
    "number beyond Decimal": in_line(2, b'"500.00"', b"1e99999999999999999999"),
    "ledger emptied": ledger_lines(lambda _: []),
    "ledger missing": remove(LEDGER_FILE),
    "all garbage": write(LEDGER_FILE, b"\0" * 500),
}
ACCOUNT_DAMAGE = {
    "account missing": remove(ACCOUNT_FILE),
    "account emptied": write(ACCOUNT_FILE, b""),
    "account garbage": write(ACCOUNT_FILE, b"\xff\xfe garbage"),
    "negative balance": edit_account(balance="-1"),
}


def test_nothing_is_found_where_all_is_well(account: Path) -> None:
    before = contents(account)
    report = verify(account)
    assert report == Report(faults=(), entries=8, revision=6, balance="1,034.25")
    assert contents(account) == before


@pytest.mark.parametrize("damage", LEDGER_DAMAGE.values(), ids=LEDGER_DAMAGE)
def test_damage_to_the_ledger_is_found_and_repaired(
    account: Path, damage: Callable[[Path], None]
) -> None:
    damage(account)
    before = contents(account)
    found = verify(account)
    assert found.faults
    assert any(LEDGER_FILE in fault for fault in found.faults)
    assert contents(account) == before
    assert_repaired(account, BALANCE)


@pytest.mark.parametrize("damage", ACCOUNT_DAMAGE.values(), ids=ACCOUNT_DAMAGE)
def test_a_destroyed_account_is_rebuilt_from_its_ledger(
    account: Path, damage: Callable[[Path], None]
) -> None:
    damage(account)
    (fault,) = verify(account).faults
    assert fault.startswith(ACCOUNT_FILE)
    assert_repaired(account, BALANCE)
    seen = open_account(account).snapshot()
    assert (seen.epoch, seen.starting_balance, seen.realized_pnl) == (2, 1_000, 25)


def test_what_a_newer_version_wrote_is_left_alone(account: Path) -> None:
    edit_account(schema=9, seal="0" * 64)(account)
    before = contents(account)
    assert "has schema 9" in verify(account).faults[0]
    with pytest.raises(StoreNewer, match="Start that version again"):
        repair(account)
    assert contents(account) == before


@pytest.mark.parametrize("schema", ["3", "22", '"2"', "null", "{}"])
def test_a_damaged_number_of_the_schema_is_no_newer_version(account: Path, schema: str) -> None:
    path = account / ACCOUNT_FILE
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"schema": 2,', b'"schema": %b,' % schema.encode()))
    assert verify(account).faults[0].startswith(f"{ACCOUNT_FILE} has schema ")
    assert_repaired(account, BALANCE)


def test_an_edit_that_is_not_adopted_yet_is_told(account: Path) -> None:
    edit_account(balance="900.00")(account)
    assert verify(account).faults == (
        f"{ACCOUNT_FILE} was edited, and the edit is not adopted yet.",
    )
    assert_repaired(account, Decimal(900))


def test_an_account_that_was_sealed_again_after_an_edit_is_found(account: Path) -> None:
    store = FileStore(account)
    whole = (account / LEDGER_FILE).read_bytes()
    store.commit(partial(operations.withdraw, amount=34), source="x")
    # the ledger of before, with another line for the newest change
    lie = (account / LEDGER_FILE).read_bytes().splitlines(keepends=True)[-1]
    lie = lie.replace(b'"-34.00"', b'"-34.25"').replace(b'"1000.25"', b'"1000.00"')
    lie = sealed(lie[:-TAIL_BYTES] + b"}", stated(whole) or "")
    (account / LEDGER_FILE).write_bytes(whole + lie)
    (fault,) = verify(account).faults
    assert fault == f"{LEDGER_FILE} has other entries of revision 7 than the account."
    assert_repaired(account, Decimal("1000.25"))


@pytest.mark.parametrize("ledger", [b"", b"garbage\n", b'{"revision":1'])
def test_where_both_files_are_destroyed_repair_refuses_and_changes_nothing(
    account: Path, ledger: bytes
) -> None:
    (account / LEDGER_FILE).write_bytes(ledger)
    (account / ACCOUNT_FILE).write_bytes(b"{")
    before = contents(account)
    with pytest.raises(StoreUnreadable, match="can't be rebuilt"):
        repair(account)
    assert contents(account) == before


def test_both_damaged_is_rebuilt_from_the_entries_that_are_left(account: Path) -> None:
    ACCOUNT_DAMAGE["account garbage"](account)
    LEDGER_DAMAGE["garbage for a line"](account)
    assert_repaired(account, BALANCE)


def test_repair_of_a_healthy_account_changes_nothing(account: Path) -> None:
    before = contents(account)
    report = repair(account)
    assert (report.faults, report.kept) == ((), ())
    assert contents(account) == before


def test_repair_leaves_a_torn_tail_to_the_next_writer(account: Path) -> None:
    ledger = account / LEDGER_FILE
    ledger.write_bytes(ledger.read_bytes()[:-30])
    before = contents(account)
    assert repair(account).faults == ()
    assert contents(account) == before


def test_keys_are_known_after_a_repair(account: Path) -> None:
    LEDGER_DAMAGE["garbage line"](account)
    repair(account)
    again = FileStore(account).commit(
        partial(operations.adjust, amount=5), source="x", request=Request("k", "f")
    )
    assert again.replayed
    assert FileStore(account).read().account.wallet.balance == BALANCE


@pytest.mark.parametrize("newest", [True, False])
def test_a_damaged_answer_is_found_and_repaired(account: Path, newest: bool) -> None:
    request = Request("k2", "f")
    operation = partial(operations.adjust, amount=1)
    FileStore(account).commit(operation, source="x", request=request)
    if not newest:
        FileStore(account).commit(operation, source="x")
    path = account / ANSWER_FILE
    path.write_bytes(path.read_bytes().replace(b'"revision": 7', b'"revision": "7"'))
    assert ANSWER_FILE in verify(account).faults[0]
    assert_repaired(account, BALANCE + (1 if newest else 2))
    kept = FileStore(account).commit(
        partial(operations.adjust, amount=5), source="x", request=Request("k", "f")
    )
    assert kept.replayed
    if newest:  # the account itself still knows it
        assert FileStore(account).commit(operation, source="x", request=request).replayed
    else:
        with pytest.raises(AnswerLost, match="as revision 7"):
            FileStore(account).commit(operation, source="x", request=request)


def entries(folder: Path) -> list[Entry]:
    """Those of the lines of the ledger that are proved."""
    ledger = LedgerFile(folder / LEDGER_FILE)
    ledger.is_chained = True
    found = []
    for line in ledger.lines():
        with suppress(Unreadable):
            found += [] if line.fault else [decode_entry(line.text)]
    return found


def account_id(folder: Path) -> str:
    return str(json.loads((folder / ACCOUNT_FILE).read_bytes())["account"])


def assert_repaired(folder: Path, balance: Decimal) -> Report:
    """A repair keeps what is sound, and what is not in files beside, leads to ``balance``, and the
    account works again."""
    before, sound = contents(folder), entries(folder)
    old = before.get(LEDGER_FILE, b"").splitlines(keepends=True)
    report = repair(folder)
    assert report.faults
    assert f"has {balance:,.2f} USDT at revision {report.revision}" in report.done[-1]
    found = entries(folder)
    beside = [(folder / name).read_bytes() for name in report.kept]
    lost = b"".join(beside)
    for line in old:
        assert line.strip(b"\0") in lost or decode_entry(line) in found
    for entry in sound:
        assert entry in found or encode_entry(entry)[:-2] in lost
    for name in (ACCOUNT_FILE, ANSWER_FILE):
        if name in before and before[name] != (folder / name).read_bytes():
            assert before[name] in beside or name == ACCOUNT_FILE
    assert verify(folder).faults == ()
    account = open_account(folder)
    seen = account.snapshot()
    assert (seen.balance, seen.revision) == (balance, report.revision)
    after = account.deposit("0.5")
    assert (after.balance, after.revision) == (balance + Decimal("0.5"), seen.revision + 1)
    assert len(list(account.ledger.rows())) == report.entries + 1
    assert verify(folder).faults == ()
    assert repair(folder).faults == ()
    return report
