"""Only one writer at a time: waiting ends, and neither a dead nor a forked program spoils it."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from balance.core import operations
from balance.core.errors import LockUnusable, StoreBusy
from balance.store.file_store import LOCK_FILE, FileStore
from balance.store.lock import AccountLock, account_lock
from tests.patience import patience
from tests.processes import PROCESSES
from tests.writers import commit_as, fork_while_a_thread_holds_the_lock, hold_lock


def test_a_lock_that_another_program_holds_is_waited_for_in_vain(folder: Path) -> None:
    store = FileStore(folder)
    before = store.read(), list(store.entries())
    told, theirs = PROCESSES.Pipe()
    holder = PROCESSES.Process(target=hold_lock, args=(folder, theirs))
    holder.start()
    assert told.recv() == "held"
    lock = AccountLock(folder / LOCK_FILE, timeout=0.2)
    with pytest.raises(StoreBusy, match=r"held the account's lock for 0\.2 s") as busy, lock:
        pytest.fail("two holders at once")
    assert busy.value.seconds == 0.2
    assert (store.read(), list(store.entries())) == before, "readers take no lock"
    told.send("let go")
    holder.join()
    store.commit(partial(operations.adjust, amount=1), source="x")
    told.close()


def test_a_commit_that_finds_no_lock_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(folder)
    before = store.read()
    monkeypatch.setattr(account_lock(folder / LOCK_FILE), "_timeout", 0.1)
    with FileLock(folder / LOCK_FILE, is_singleton=False), pytest.raises(StoreBusy):
        store.commit(partial(operations.adjust, amount=1), source="x")
    assert store.read() == before
    assert store.commit(partial(operations.adjust, amount=1), source="x").state.revision == 2


def test_a_dead_holders_lock_is_free_at_once(folder: Path) -> None:
    store = FileStore(folder)
    told, theirs = PROCESSES.Pipe()
    holder = PROCESSES.Process(target=hold_lock, args=(folder, theirs))
    holder.start()
    assert told.recv() == "held"
    holder.kill()
    holder.join()
    with AccountLock(folder / LOCK_FILE, timeout=0):
        pass
    assert store.commit(partial(operations.adjust, amount=1), source="x").state.revision == 2
    told.close()


def test_no_writer_keeps_the_others_waiting_by_coming_again_at_once(folder: Path) -> None:
    store = FileStore(folder)
    names = "abcd"
    writers = [PROCESSES.Process(target=commit_as, args=(folder, name, 60)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    turns = "".join(entry.booking.note for entry in store.entries())
    assert Counter(turns) == dict.fromkeys(names, 60)
    # while all four want a turn, hardly anyone has two in a row
    begun, ended = max(map(turns.index, names)), min(map(turns.rindex, names))
    contended = turns[begun : ended + 1]
    assert len(contended) > len(turns) / 3, turns
    again = sum(one == next_one for one, next_one in itertools.pairwise(contended))
    assert again / len(contended) < 0.3, turns


def test_threads_wait_for_each_other(tmp_path: Path) -> None:
    lock, held, let_go = AccountLock(tmp_path / "lock", timeout=0.1), *_two_events()

    def hold() -> None:
        with lock:
            held.set()
            let_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with pytest.raises(StoreBusy), lock:
        pytest.fail("two holders at once")
    let_go.set()
    thread.join()
    with lock:
        pass


def _two_events() -> tuple[threading.Event, threading.Event]:
    return threading.Event(), threading.Event()


def test_an_error_within_lets_go(tmp_path: Path) -> None:
    lock = AccountLock(tmp_path / "lock", timeout=0.1)
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    with lock, pytest.raises(Timeout):
        FileLock(tmp_path / "lock", timeout=0, is_singleton=False).acquire()


def test_the_lock_file_is_kept(tmp_path: Path) -> None:
    with AccountLock(tmp_path / "lock"):
        before = (tmp_path / "lock").stat().st_ino
    assert (tmp_path / "lock").stat().st_ino == before


def test_a_path_has_one_lock_in_a_process(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert account_lock(tmp_path / "lock") is account_lock(tmp_path / "link" / "lock")
    assert account_lock(tmp_path / "lock") is not account_lock(tmp_path / "other")


def test_a_lock_file_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    said = r"^lock can't be opened: Is a directory\. Nothing was changed\. .*move the file away"
    with pytest.raises(LockUnusable, match=said), AccountLock(tmp_path / "lock"):
        pytest.fail("a folder is no lock")


def test_a_fork_while_a_thread_holds_the_lock_neither_hangs_nor_gets_in(folder: Path) -> None:
    told, theirs = PROCESSES.Pipe()
    program = PROCESSES.Process(target=fork_while_a_thread_holds_the_lock, args=(folder, theirs))
    program.start()
    assert told.poll(patience())
    assert told.recv() == "kept out"
    told.send("let go")
    assert told.poll(patience())
    assert told.recv() == "committed"
    program.join(patience())
    assert program.exitcode == 0
    assert FileStore(folder).read().account.wallet.balance == 10_005
    told.close()
