"""What is damaged is found, and rebuilt from what is whole; nothing is thrown away."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.entry import Entry
from balance.core.errors import AnswerLost, StoreNewer, StoreUnreadable
from balance.core.figures import grouped
from balance.open_account import open_account
from balance.store.checksum import TAIL_BYTES, sealed, stated
from balance.store.codec import Unreadable, decode_entry, encode_entry
from balance.store.disk import Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE, FileStore
from balance.store.ledger_file import CHECKSUM_FILE, LedgerFile
from balance.store.repair import repair
from balance.store.state import Request
from balance.store.verification import Report, verify
from tests.processes import ROOT
from tests.refusing import FULL
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
    files = (path for path in folder.iterdir() if path.is_file() and path.name != LOCK_FILE)
    return {path.name: path.read_bytes() for path in files}


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


def test_what_a_newer_version_recorded_is_left_alone_too(account: Path) -> None:
    (account / ACCOUNT_FILE).unlink()
    (account / CHECKSUM_FILE).write_bytes(b'{"schema":3,"account":"a"}\n')
    before = contents(account)
    with pytest.raises(StoreNewer, match=r"ledger\.checksums has schema 3"):
        repair(account)
    assert contents(account) == before


@pytest.mark.parametrize("schema", ["4", "33", '"3"', "null", "{}"])
def test_a_damaged_number_of_the_schema_is_no_newer_version(account: Path, schema: str) -> None:
    path = account / ACCOUNT_FILE
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"schema": 3,', b'"schema": %b,' % schema.encode()))
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


@pytest.mark.parametrize("change", [(b'"5.00"', b'"6.00"'), (b'"time"', b'"tame"')])
def test_a_damaged_line_of_the_newest_commit_loses_nothing(
    account: Path, change: tuple[bytes, bytes]
) -> None:
    whole = (account / LEDGER_FILE).read_bytes()
    in_line(8, *change)(account)
    assert verify(account).faults == ("ledger.jsonl line 8 does not match its checksum.",)
    report = repair(account)
    assert (account / LEDGER_FILE).read_bytes() == whole
    assert report.entries == 8
    assert not any("damaged or lost" in each for each in report.done)
    assert "Entry 6 comes from virtual_balance.json, as it was." in report.done


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
    with suppress(OSError):
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
    assert f"has {grouped(balance)} USDT at revision {report.revision}" in report.done[-1]
    found = entries(folder)
    beside = [path.read_bytes() for name in report.kept if (path := folder / name).is_file()]
    lost = b"".join(beside)
    for line in old:
        assert line.strip(b"\0") in lost or decode_entry(line) in found
    for entry in sound:
        assert entry in found or encode_entry(entry)[:-2] in lost
    for name in (ACCOUNT_FILE, ANSWER_FILE):
        if name in before and before[name] != (folder / name).read_bytes():
            assert before[name] in beside or not any(name in fault for fault in report.faults)
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


def keys_known(folder: Path, *keys: str) -> None:
    """No request with one of ``keys`` is booked again."""
    for key in keys:
        store = FileStore(folder)
        revision = store.read().revision
        with suppress(AnswerLost):
            again = store.commit(
                partial(operations.adjust, amount=5), source="x", request=Request(key, "f")
            )
            assert again.replayed, key
        assert FileStore(folder).read().revision == revision, key


BOTH = {
    "answers gone": lambda folder: (folder / ANSWER_FILE).unlink(),
    "answers a folder": lambda folder: in_the_way(folder / ANSWER_FILE),
    "answers garbage": lambda folder: (folder / ANSWER_FILE).write_bytes(b"\0\n{}\n"),
    "ledger a folder": lambda folder: in_the_way(folder / LEDGER_FILE),
    "ledger a loop": lambda folder: looped(folder / LEDGER_FILE),
    "account a folder": lambda folder: in_the_way(folder / ACCOUNT_FILE),
    "account a pipe": lambda folder: piped(folder / ACCOUNT_FILE),
}


def in_the_way(path: Path) -> None:
    path.unlink()
    path.mkdir()


def looped(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", BOTH.values(), ids=BOTH)
def test_what_is_gone_or_no_file_is_made_again(
    account: Path, damage: Callable[[Path], None]
) -> None:
    before = account_id(account)
    damage(account)
    found = verify(account)
    assert found.faults
    assert_repaired(account, BALANCE)
    assert account_id(account) == before
    keys_known(account, "k")


@pytest.mark.parametrize("destroyed", [None, ACCOUNT_FILE, LEDGER_FILE])
def test_the_keys_and_the_id_survive_the_line_that_has_them(
    account: Path, destroyed: str | None
) -> None:
    before = account_id(account)
    in_line(1, b'"account"', b'"bccount"')(account)
    in_line(7, b'"k"', b'"l"')(account)
    if destroyed is not None:
        (account / destroyed).unlink()
    report = assert_repaired(account, BALANCE)
    assert account_id(account) == before
    assert not any("equity curve" in sentence for sentence in report.done)
    keys_known(account, "k")


def test_a_folder_of_an_older_version_is_repaired_as_it_is(folder: Path) -> None:
    shutil.copytree(ROOT / "tests" / "golden" / "data", folder)
    whole = [decode_entry(line) for line in (folder / LEDGER_FILE).read_bytes().splitlines(True)]
    balance = Decimal(json.loads((folder / ACCOUNT_FILE).read_bytes())["balance"])
    before = account_id(folder)
    in_line(3, b'"amount":"', b'"amount":"1')(folder)
    assert f"{LEDGER_FILE} line 3" in verify(folder).faults[0]
    assert_repaired(folder, balance)
    assert account_id(folder) == before
    found = entries(folder)
    assert [each.place for each in whole if each not in found] == [whole[2].place]


@pytest.mark.parametrize("damage", [None, "line", "checksums"])
def test_a_folder_that_an_older_version_began_is_repaired(folder: Path, damage: str) -> None:
    shutil.copytree(ROOT / "tests" / "golden" / "data", folder)
    FileStore(folder).commit(partial(operations.deposit, amount=5), source="x")
    balance = FileStore(folder).read().account.wallet.balance
    before = account_id(folder)
    lines = len((folder / LEDGER_FILE).read_bytes().splitlines())
    (folder / ACCOUNT_FILE).unlink()
    if damage == "line":
        in_line(3, b'"amount":"', b'"amount":"1')(folder)
    elif damage == "checksums":
        (folder / CHECKSUM_FILE).write_bytes(b"garbage")
    report = assert_repaired(folder, balance)
    assert account_id(folder) == before
    assert lines < report.entries <= lines + 2
    assert not (folder / CHECKSUM_FILE).exists()


class EndingDisk(Disk):
    """A disk that refuses everything after so many calls."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self._left = calls

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise FULL

    def create(self, target: Path) -> tuple[int, str]:
        self._count()
        return super().create(target)

    def write(self, descriptor: int, text: bytes) -> None:
        self._count()
        super().write(descriptor, text)

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def rename(self, source: str, target: Path) -> None:
        self._count()
        super().rename(source, target)


@pytest.mark.parametrize("damage", ["amount edited", "last commits deleted", "account garbage"])
def test_a_repair_that_is_broken_off_anywhere_is_taken_up(account: Path, damage: str) -> None:
    {**LEDGER_DAMAGE, **ACCOUNT_DAMAGE}[damage](account)
    in_line(3, b'"epoch":2', b'"epoch":3')(account)
    before, identity = contents(account), None
    with suppress(ValueError):
        identity = account_id(account)
    done = False
    for step in count():
        for name, text in before.items():
            (account / name).write_bytes(text)
        with suppress(OSError):
            repair(account, disk=EndingDisk(step))
            done = True
        if done:
            break
        repair(account)
        assert verify(account).faults == (), step
        state = FileStore(account).read()
        assert state.account.wallet.balance == BALANCE, step
        assert identity in (None, state.account_id)
        kinds = [entry.booking.kind for entry in entries(account)]
        assert kinds.count("repair") <= 3, kinds
        keys_known(account, "k")
        for path in account.iterdir():
            if path.name not in (LOCK_FILE, *before):
                path.unlink()
    assert step > 10


def test_a_program_that_runs_goes_on_after_a_repair(account: Path) -> None:
    store = FileStore(account)
    assert len(list(store.entries())) == 8
    in_line(2, b'"500.00"', b'"600.00"')(account)
    with pytest.raises(StoreUnreadable, match="line 2"):
        list(store.entries())
    store.commit(partial(operations.deposit, amount=1), source="x")
    assert repair(account).faults
    assert store.read().account.wallet.balance == BALANCE + 1
    assert [entry.place for entry in store.entries()][-2:] == [(2, 1), (1, 1)]
    for n in range(2):
        store.commit(
            partial(operations.deposit, amount=1), source="x", request=Request(f"n{n}", "f")
        )
    assert verify(account).faults == ()
    keys_known(account, "k", "n0", "n1")


def test_an_entry_in_the_place_of_a_lost_one_says_what_is_known(account: Path) -> None:
    in_line(2, b'"500.00"', b'"600.00"')(account)
    report = repair(account)
    (made,) = [entry for entry in entries(account) if entry.booking.kind == "repair"]
    assert (made.place, made.booking.amount, made.booking.balance) == ((2, 1), 500, 10_500)
    assert made.booking.note == (
        f"The entries after 1 and before 3 are damaged or lost; what is left of it is in "
        f"{report.kept[0]}. They changed the balance by 500.00."
    )
    assert report.done == (
        f"Line 2 of {LEDGER_FILE} is damaged or in the wrong place, and is kept in "
        f"{report.kept[0]}.",
        f"Entry 2: {made.booking.note}",
        f"The account {account_id(account)} has 1,034.25 USDT at revision 6.",
    )
