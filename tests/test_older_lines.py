"""A ledger from before there were checksums keeps its lines, and their checksums are recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.errors import StoreFailed, StoreNewer, StoreUnreadable
from balance.store.codec import SCHEMA, encode_entry
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, LOCK_FILE, FileStore
from balance.store.ledger_file import CHECKSUM_FILE
from balance.store.lock import account_lock
from balance.store.older_lines import OlderLines
from balance.store.state import Request
from balance.store.verification import verify
from tests.accounts import MOMENT
from tests.ledgers import as_schema_1
from tests.power import Crashes, PowerDisk, put
from tests.processes import PROCESSES, ROOT
from tests.refusing import RefusingDisk
from tests.test_store import trade

deposit = partial(operations.deposit, amount=5)
KEYED = Request("k", "f")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the version before, whose newest commit has three entries."""
    folder = tmp_path_factory.mktemp("older") / "account"
    store = FileStore(folder, clock=lambda: MOMENT)
    store.commit(deposit, source="http", request=KEYED)
    store.commit(operations.reset, source="x")
    store.commit(trade, source="x")
    return as_schema_1(folder)


@pytest.fixture
def folder(source: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(source, tmp_path / "account"))


def lines_of(folder: Path) -> list[bytes]:
    return (folder / LEDGER_FILE).read_bytes().splitlines(keepends=True)


def entries_of(folder: Path) -> list[bytes]:
    return [encode_entry(entry) for entry in FileStore(folder).entries()]


def goes_on(folder: Path, before: list[bytes]) -> None:
    """The account of ``folder`` has the entries ``before``, oldest first, and is written on."""
    assert entries_of(folder) == before[::-1]
    store = FileStore(folder)
    assert store.commit(deposit, source="http", request=KEYED).replayed
    store.commit(deposit, source="x")
    assert entries_of(folder)[1:] == before[::-1]
    assert lines_of(folder)[:-1] == before
    assert b'"checksum"' in lines_of(folder)[-1]
    assert verify(folder).faults == ()


def test_the_lines_stay_and_their_checksums_are_recorded_once(folder: Path) -> None:
    before = lines_of(folder)
    state = FileStore(folder).read()
    recorded = (folder / CHECKSUM_FILE).read_bytes()
    older = OlderLines.decode(recorded)
    assert (older.account_id, older.count) == (state.account_id, len(before))
    assert json.loads((folder / ACCOUNT_FILE).read_bytes())["schema"] == SCHEMA
    assert lines_of(folder) == before
    goes_on(folder, before)
    assert (folder / CHECKSUM_FILE).read_bytes() == recorded


def test_a_folder_of_trading_opens_with_the_same_entries(tmp_path: Path) -> None:
    folder = tmp_path / "account"
    folder.mkdir()
    for name in (ACCOUNT_FILE, LEDGER_FILE):
        shutil.copy(ROOT / "tests" / "golden" / "data" / name, folder)
    before = lines_of(folder)
    assert entries_of(folder) == before[::-1]
    FileStore(folder).commit(deposit, source="x")
    assert entries_of(folder)[1:] == before[::-1]
    assert verify(folder).faults == ()


@pytest.mark.parametrize("kept", range(3))
@pytest.mark.parametrize("torn", [0, 1, 40])
def test_what_a_dead_writer_left_undone_is_mended_first(folder: Path, kept: int, torn: int) -> None:
    before = lines_of(folder)
    whole = len(before) - 3 + kept
    text = b"".join(before[:whole]) + before[whole][:torn]
    (folder / LEDGER_FILE).write_bytes(text)
    assert verify(folder).faults == ()
    goes_on(folder, before)


def test_it_is_read_while_another_program_holds_the_lock(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = account_lock(folder / LOCK_FILE)
    monkeypatch.setattr(lock, "_timeout", 0.01)
    before = lines_of(folder)
    with lock:
        store = FileStore(folder)
        assert [line.text for line in store.lines()] == before
        assert [encode_entry(entry) for entry in store.entries()] == before[::-1]
        assert store.opening(2) is not None
        assert store.read().revision == 4
    assert not (folder / CHECKSUM_FILE).exists()
    monkeypatch.undo()
    goes_on(folder, before)


def test_it_is_read_where_the_disk_is_full(folder: Path) -> None:
    disk, before = RefusingDisk(), lines_of(folder)
    with disk.refusing("write"):
        store = FileStore(folder, disk=disk)
        assert [line.text for line in store.lines()] == before
        with pytest.raises(StoreFailed, match="No space left"):
            store.commit(deposit, source="x")
    goes_on(folder, before)


def test_no_power_loss_on_the_way_loses_anything(source: Path, tmp_path: Path) -> None:
    before, place = lines_of(source), tmp_path / "again"
    power = PowerDisk(Path(shutil.copytree(source, tmp_path / "account")))
    power.begin("opening")
    store = FileStore(power.folder, disk=power)
    power.acknowledge("opening")
    power.begin("deposit")
    store.commit(deposit, source="x")
    power.acknowledge("deposit")
    states = {}
    for marks, tree in Crashes(power):
        acknowledged = any(each.what == "deposit" and each.acknowledged for each in marks)
        states[acknowledged, frozenset(tree.items())] = tree
    power.close()
    for (acknowledged, _), tree in states.items():
        put(place, tree)
        found = entries_of(place)[::-1]
        assert found[: len(before)] == before
        assert len(found) - len(before) in ((1,) if acknowledged else (0, 1))
        FileStore(place).commit(deposit, source="x")
        assert len(entries_of(place)) == len(found) + 1
        assert verify(place).faults == ()
    assert len(states) > 10


def open_and_deposit(folder: Path) -> None:
    FileStore(folder).commit(deposit, source="x")


def test_programs_that_open_it_at_once_record_the_same(folder: Path) -> None:
    before = lines_of(folder)
    programs = [PROCESSES.Process(target=open_and_deposit, args=(folder,)) for _ in range(4)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert len(lines_of(folder)) == len(before) + 4
    assert lines_of(folder)[: len(before)] == before
    assert verify(folder).faults == ()


def edited(folder: Path, **changes: object) -> None:
    path = folder / ACCOUNT_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_edit_that_nobody_has_seen_yet_is_adopted(folder: Path) -> None:
    before = lines_of(folder)
    edited(folder, balance="123.00")
    (entry, *_) = FileStore(folder).entries()
    assert (entry.booking.kind, entry.booking.balance) == ("external_edit", 123)
    assert "balance 10,024.25 -> 123.00" in entry.booking.note
    assert lines_of(folder)[:-1] == before
    assert FileStore(folder).commit(deposit, source="http", request=KEYED).replayed
    assert verify(folder).faults == ()


@pytest.mark.parametrize("then", [0, 1])
def test_the_account_of_before_is_taken_for_one_that_was_put_back(folder: Path, then: int) -> None:
    account = (folder / ACCOUNT_FILE).read_bytes()
    balance = FileStore(folder).read().account.wallet.balance
    for _ in range(then):
        FileStore(folder).commit(deposit, source="x")
    (folder / ACCOUNT_FILE).write_bytes(account)
    assert FileStore(folder).read().account.wallet.balance == balance
    kinds = [entry.booking.kind for entry in FileStore(folder).entries()]
    assert kinds[:then] == ["external_edit"] * then
    assert verify(folder).faults == ()


def first_amount(line: bytes) -> bytes:
    return line.replace(b'"amount":"5.00"', b'"amount":"905.00"')


@pytest.mark.parametrize("damage", [lambda _: b"garbage\n", lambda _: b"", first_amount])
def test_a_line_that_was_damaged_before_is_named_from_the_start(
    folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    lines = lines_of(folder)
    lines[1] = damage(lines[1])
    (folder / LEDGER_FILE).write_bytes(b"".join(lines))
    store = FileStore(folder)
    store.commit(deposit, source="x")
    faults = [line.fault for line in store.lines() if line.fault]
    assert faults == ["line 2 does not match its checksum"]
    if lines[1]:  # else it is the line behind it that is named
        opening = store.opening(2)
        assert opening is not None
        assert opening.revision == 3
    with pytest.raises(StoreUnreadable, match=r"ledger\.jsonl line 2 does not match"):
        list(store.entries())


def gone(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def other_records(path: Path) -> None:
    header, *records = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + b"".join(reversed(records)))


@pytest.mark.parametrize("damage", [gone, emptied, cut, other_records])
@pytest.mark.parametrize("went_on", [True, False])
def test_checksums_that_are_lost_are_recorded_anew_where_the_rest_proves_them(
    folder: Path, damage: Callable[[Path], None], went_on: bool
) -> None:
    store = FileStore(folder)
    if went_on:
        store.commit(deposit, source="x")
    recorded = (folder / CHECKSUM_FILE).read_bytes()
    truth = list(store.entries())
    damage(folder / CHECKSUM_FILE)
    again = FileStore(folder)
    assert list(again.entries()) == truth
    assert not any(line.fault for line in again.lines())
    again.commit(deposit, source="x")
    assert list(again.entries())[1:] == truth
    assert (folder / CHECKSUM_FILE).read_bytes() == recorded


def test_nothing_is_believed_without_checksums_that_the_rest_proves(folder: Path) -> None:
    FileStore(folder)
    text = (folder / LEDGER_FILE).read_bytes()
    (folder / CHECKSUM_FILE).unlink()
    (folder / LEDGER_FILE).write_bytes(text.replace(b'"amount":"5.00"', b'"amount":"6.00"'))
    store = FileStore(folder)
    assert store.read().revision == 4
    with pytest.raises(StoreUnreadable, match=r"line 6 has no checksum"):
        list(store.entries())
    with pytest.raises(StoreUnreadable, match=LEDGER_FILE):
        store.commit(deposit, source="x")


def test_no_changed_byte_of_what_is_recorded_shows_another_entry(folder: Path) -> None:
    store = FileStore(folder)
    store.commit(deposit, source="x")
    truth = list(store.entries())
    path = folder / CHECKSUM_FILE
    text = path.read_bytes()
    for place in range(0, len(text), 5):
        for mask in (1, 0x80):
            path.write_bytes(text[:place] + bytes([text[place] ^ mask]) + text[place + 1 :])
            assert list(FileStore(folder).entries()) == truth


def test_a_folder_of_a_newer_version_is_left_alone(folder: Path) -> None:
    FileStore(folder)
    edited(folder, schema=SCHEMA + 1)
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    store = FileStore(folder)
    for act in (store.read, lambda: store.commit(deposit, source="x")):
        with pytest.raises(StoreNewer, match="a newer version of the program wrote it") as newer:
            act()
        assert "repair" not in str(newer.value)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before
