"""The account in real files: it outlives its programs, full disks and lost writes."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from balance.core import operations
from balance.core.change import Operation
from balance.core.errors import (
    AccountingError,
    AnswerLost,
    KeyReused,
    StoreFailed,
    StoreUnreadable,
)
from balance.store import file_store
from balance.store.codec import encode_state
from balance.store.disk import Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE, FileStore
from balance.store.ledger_file import CHECKSUM_FILE
from balance.store.state import Request, next_state
from balance.store.verification import verify
from tests.accounts import MOMENT, account, order, position
from tests.processes import PROCESSES
from tests.refusing import RefusingDisk
from tests.writers import adjust_by_module


def adjust(amount: object) -> Operation:
    return partial(operations.adjust, amount=amount)


def balance(store: FileStore) -> Decimal:
    return store.read().account.wallet.balance


def assert_in_order(folder: Path) -> None:
    assert verify(folder).faults == ()
    assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []


def test_everything_survives_reopening(folder: Path) -> None:
    first = FileStore(folder)
    first.commit(adjust("0.00000001"), source="shell")
    first.commit(operations.reset, source="http")
    first.commit(adjust("-12.3"), source="http", request=Request("k", "f"))
    again = FileStore(folder)
    assert again.read() == first.read()
    assert list(again.entries()) == list(first.entries())
    assert again.commit(adjust(5), source="x").state.revision == 5


def test_keys_survive_a_restart(folder: Path) -> None:
    request = Request("k", "f")
    first = FileStore(folder).commit(adjust(5), source="x", request=request)
    FileStore(folder).commit(adjust(6), source="x")
    again = FileStore(folder).commit(adjust(5), source="x", request=request)
    assert again.replayed
    assert (again.state.revision, again.state.request) == (first.state.revision, request)
    assert again.state.account == first.state.account
    with pytest.raises(KeyReused):
        FileStore(folder).commit(adjust(5), source="x", request=Request("k", "g"))
    assert balance(FileStore(folder)) == 10_011


def test_positions_and_orders_survive_a_restart(folder: Path) -> None:
    short = position(symbol="ETH/USDT", side="short")
    trading = account(10_000, positions=(position(), short), orders=(order(),))
    state = FileStore(folder, clock=lambda: MOMENT).read()
    later = next_state(
        state,
        lambda _: operations.restate(trading, "adjustment", Decimal(10_000), ""),
        MOMENT,
        "x",
    )
    (folder / ACCOUNT_FILE).write_bytes(encode_state(later))
    assert FileStore(folder).read() == later
    reset = FileStore(folder).commit(operations.reset, source="x").state
    assert [entry.booking.kind for entry in reset.entries] == [
        *("fill", "realized_pnl"),
        *("fill", "realized_pnl"),
        "reset",
    ]
    assert_in_order(folder)


def test_stores_on_one_folder_agree_at_once(folder: Path) -> None:
    one, other = FileStore(folder), FileStore(folder)
    for step in range(50):
        writer, reader = (one, other) if step % 2 else (other, one)
        revision = writer.commit(adjust(1), source="x").state.revision
        assert (reader.read().revision, balance(reader)) == (revision, 10_001 + step)


def test_programs_that_open_an_empty_folder_at_once_make_one_account(folder: Path) -> None:
    programs = [PROCESSES.Process(target=adjust_by_module, args=(folder, ["1"])) for _ in range(8)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    kinds = [entry.booking.kind for entry in FileStore(folder).entries()]
    assert kinds == ["adjustment"] * 8 + ["start"]


def test_a_linked_account_stays_a_link(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    target = tmp_path / "elsewhere.json"
    (folder / ACCOUNT_FILE).symlink_to(target)
    store = FileStore(folder)
    store.commit(adjust(5), source="x")
    assert (folder / ACCOUNT_FILE).readlink() == target
    assert balance(FileStore(folder)) == 10_005
    assert b"10005.00" in target.read_bytes()


def test_leftovers_of_dead_writers_are_swept(folder: Path) -> None:
    store = FileStore(folder)
    (folder / f".{ACCOUNT_FILE}.abc123.tmp").write_bytes(b"{")
    bystander = folder / "notes.tmp"
    bystander.write_text("mine")
    store.commit(adjust(5), source="x")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [ACCOUNT_FILE, LEDGER_FILE, LOCK_FILE, bystander.name]
    )


def test_an_unchanged_file_is_not_read_again(folder: Path, monkeypatch: Any) -> None:
    store = FileStore(folder)
    os.utime(folder / ACCOUNT_FILE, ns=(1, 1))
    state = store.read()
    monkeypatch.setattr(file_store, "decode_state", None)
    assert store.read() is state


@contextmanager
def one_tick(monkeypatch: pytest.MonkeyPatch, path: Path) -> Iterator[Callable[[bytes], None]]:
    """Gives a writer in place whose changes can't be told apart by the file's status."""
    clock = SimpleNamespace(time_ns=lambda: path.stat().st_mtime_ns)
    monkeypatch.setattr(file_store, "time", clock)

    def write(text: bytes) -> None:
        before = path.stat()
        path.write_bytes(text)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_size, after.st_ino) == (before.st_size, before.st_ino)

    yield write


def test_two_changes_within_one_tick_are_both_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(folder)
    first = store.commit(adjust("0.01"), source="x").state
    second = next_state(first, adjust("0.01"), MOMENT, "x")
    with one_tick(monkeypatch, folder / ACCOUNT_FILE) as write:
        assert store.read().revision == first.revision
        write(encode_state(second))
        assert store.read().revision == second.revision


def test_a_change_while_a_slow_reader_reads_is_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, decode = FileStore(folder), file_store.decode_state
    first = store.commit(adjust("0.01"), source="x").state
    second = next_state(first, adjust("0.01"), MOMENT, "x")
    with one_tick(monkeypatch, folder / ACCOUNT_FILE) as write:
        clock: Any = file_store.time
        now = clock.time_ns()

        def slow(text: bytes) -> Any:
            monkeypatch.setattr(file_store, "decode_state", decode)
            write(encode_state(second))
            clock.time_ns = lambda: now + 10**9
            return decode(text)

        monkeypatch.setattr(file_store, "decode_state", slow)
        assert store.read().revision == first.revision
        assert store.read().revision == second.revision


@pytest.mark.parametrize("call", ["create", "write", "sync", "rename"])
def test_a_disk_that_refuses_a_change_leaves_the_old_one(folder: Path, call: str) -> None:
    disk = RefusingDisk()
    store = FileStore(folder, disk=disk)
    store.commit(adjust(5), source="x")
    before = store.read(), list(store.entries()), (folder / ACCOUNT_FILE).read_bytes()
    with (
        pytest.raises(StoreFailed, match="No space left on device") as failed,
        disk.refusing(call),
    ):
        store.commit(adjust(7), source="x")
    assert str(folder) not in str(failed.value)
    assert (store.read(), list(store.entries()), (folder / ACCOUNT_FILE).read_bytes()) == before
    assert_in_order(folder)
    store.commit(adjust(1), source="x")
    assert (balance(store), store.read().revision) == (10_006, 3)
    assert_in_order(folder)


def test_a_folder_whose_sync_failed_is_not_acknowledged_and_a_retry_books_once(
    folder: Path,
) -> None:
    disk, request = RefusingDisk(), Request("k", "f")
    store = FileStore(folder, disk=disk)
    with disk.refusing("sync_folder"), pytest.raises(StoreFailed):
        store.commit(adjust(7), source="x", request=request)
    assert balance(store) == balance(FileStore(folder))
    store.commit(adjust(7), source="x", request=request)
    assert balance(store) == 10_007
    assert_in_order(folder)


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The system's own refusal: what is written beyond ``size`` fails, after a part of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 1, 500])
def test_a_change_that_does_not_fit_is_not_acknowledged(folder: Path, size: int) -> None:
    store = FileStore(folder)
    with no_file_longer_than(size), pytest.raises(StoreFailed):
        store.commit(adjust(7), source="x")
    assert_in_order(folder)
    assert store.commit(adjust(5), source="x").state.revision == 2
    assert balance(FileStore(folder)) == 10_005
    assert_in_order(folder)


@pytest.mark.parametrize("part", [0, 1, 50, 150])
def test_a_ledger_that_is_full_takes_no_change_back(
    folder: Path, part: int, caplog: pytest.LogCaptureFixture
) -> None:
    store, request = FileStore(folder), Request("k", "f")
    for step in range(20):  # until the ledger is longer than the account
        store.commit(adjust(step + 1), source="x")
    ledger = folder / LEDGER_FILE
    size = ledger.stat().st_size
    with no_file_longer_than(size + part):
        done = store.commit(adjust(1_000), source="x", request=request).state
    # what came of it is taken back, and is written anew by the next change
    assert ledger.stat().st_size == size
    assert "revision 22 is not in the ledger yet" in caplog.text
    for reader in (store, FileStore(folder)):
        assert balance(reader) == 11_210
        newest = next(reader.entries())
        assert (newest.revision, newest.booking.amount) == (22, 1_000)
        assert len(list(reader.entries())) == 22
    assert verify(folder).faults == ()
    assert FileStore(folder).commit(adjust(1_000), source="x", request=request).replayed
    store.commit(adjust(1), source="x", if_match=done.revision)
    assert [entry.revision for entry in store.entries()] == list(range(23, 0, -1))
    assert_in_order(folder)


def test_a_ledger_that_can_not_be_mended_stops_writers_only(folder: Path) -> None:
    store, ledger = FileStore(folder), folder / LEDGER_FILE
    ledger.unlink()
    with no_file_longer_than(0), pytest.raises(StoreFailed):
        store.commit(adjust(5), source="x")
    assert balance(store) == balance(FileStore(folder)) == 10_000
    store.commit(adjust(5), source="x")
    assert balance(FileStore(folder)) == 10_005
    assert_in_order(folder)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_takes_no_change_back(folder: Path) -> None:
    class FullDevice(Disk):
        is_full = False

        def write(self, descriptor: int, text: bytes) -> None:
            if self.is_full and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND:
                Path("/dev/full").write_bytes(text)
            super().write(descriptor, text)

    disk = FullDevice()
    store = FileStore(folder, disk=disk)
    disk.is_full = True
    store.commit(adjust(5), source="x")
    assert [entry.revision for entry in store.entries()] == [2, 1]
    with pytest.raises(StoreFailed, match="No space left on device"):
        store.commit(adjust(6), source="x")
    disk.is_full = False
    assert store.commit(adjust(7), source="x").state.revision == 3
    assert balance(FileStore(folder)) == 10_012
    assert_in_order(folder)


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "account"):
        with pytest.raises(StoreFailed, match="data folder") as failed:
            FileStore(place)
        assert str(tmp_path) not in str(failed.value)


def test_what_could_not_be_read_back_is_never_written(folder: Path) -> None:
    store = FileStore(folder)
    before = (folder / ACCOUNT_FILE).read_bytes()
    with pytest.raises(AccountingError, match="source must be a text"):
        store.commit(adjust(5), source="")
    assert (folder / ACCOUNT_FILE).read_bytes() == before
    assert not (folder / ANSWER_FILE).exists()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def thinned(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[::2]))


@pytest.mark.parametrize("damage", [Path.unlink, emptied, thinned])
@pytest.mark.parametrize("newest", ["keyed", "without a key", "edited"])
def test_no_key_is_booked_again_whatever_becomes_of_the_answers(
    folder: Path, damage: Callable[[Path], None], newest: str
) -> None:
    store = FileStore(folder)
    for n in range(1, 5):
        store.commit(adjust(n), source="x", request=Request(f"k{n}", f"f{n}"))
        store.commit(adjust(n), source="x")
    if newest == "keyed":
        store.commit(adjust(9), source="x", request=Request("k9", "f9"))
    damage(folder / ANSWER_FILE)
    store = FileStore(folder)
    if newest == "edited":
        text = (folder / ACCOUNT_FILE).read_text()
        (folder / ACCOUNT_FILE).write_text(text.replace('"answered": 8', '"answered": 0'))
    lost = []
    for n in range(1, 5):
        before = store.read()
        with pytest.raises(KeyReused):
            store.commit(adjust(n), source="x", request=Request(f"k{n}", "other"))
        try:
            again = store.commit(adjust(n), source="x", request=Request(f"k{n}", f"f{n}"))
            assert (again.replayed, again.state.revision) == (True, 2 * n)
        except AnswerLost as fault:
            lost.append(f"booked before, as revision {fault.revision}" in str(fault))
        assert store.read().account == before.account
    assert lost == [True] * (2 if damage is thinned else 4)
    assert store.commit(adjust(1), source="x", request=Request("new", "f")).replayed is False
    assert verify(folder).faults == ()


@pytest.mark.parametrize("place", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
def test_a_ledger_that_can_not_be_opened_is_named_and_the_account_is_read(
    folder: Path, place: Callable[[Path], object]
) -> None:
    before = balance(FileStore(folder))
    (folder / LEDGER_FILE).unlink()
    place(folder / LEDGER_FILE)
    store = FileStore(folder)
    assert balance(store) == before
    calls: list[Callable[[], object]] = [
        lambda: list(store.entries()),
        lambda: store.opening(1),
        lambda: list(store.lines()),
        # Nothing was tried that the disk did not confirm.
        lambda: store.commit(adjust(1), source="x"),
    ]
    for call in calls:
        with pytest.raises(StoreUnreadable, match=r"ledger\.jsonl can't be read: .* repair"):
            call()
    assert balance(store) == before


def test_checksums_of_older_lines_that_can_not_be_read_are_named_by_a_change(folder: Path) -> None:
    shutil.copytree(Path(__file__).parent / "golden" / "data", folder, dirs_exist_ok=True)
    FileStore(folder)
    (folder / CHECKSUM_FILE).unlink()
    (folder / CHECKSUM_FILE).mkdir()
    with pytest.raises(StoreUnreadable, match=r"ledger\.checksums, which proves it, says Is a dir"):
        FileStore(folder).commit(adjust(1), source="x")
