"""The lock of the one server that lets the market act: never two have it, whatever becomes of its
file."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from filelock import FileLock

from balance.core.errors import LockUnusable
from balance.server.market_lock import MARKET_LOCK_FILE, MarketLock
from tests.patience import wait_for
from tests.processes import PROCESSES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an account."""
    found = tmp_path / "account"
    found.mkdir()
    return found


def test_one_at_a_time_has_it(folder: Path) -> None:
    first, second = MarketLock(folder), MarketLock(folder)
    assert first.take()
    assert first.take()
    assert (second.take(), first.is_held(), second.is_held()) == (False, True, False)
    first.release()
    first.release()
    assert (second.take(), first.take(), first.is_held()) == (True, False, False)
    second.release()


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open can't be deleted there")
def test_a_file_that_was_deleted_is_made_anew_and_nobody_gets_in(folder: Path) -> None:
    first, second = MarketLock(folder), MarketLock(folder)
    first.take()
    for _ in range(3):
        (folder / MARKET_LOCK_FILE).unlink()
        assert not second.take()
        assert first.is_held()
        assert (folder / MARKET_LOCK_FILE).exists()
        assert not second.take()
    first.release()
    assert second.take()


def test_it_is_lost_where_an_older_program_has_a_new_file(folder: Path) -> None:
    ours = MarketLock(folder)
    ours.take()
    (folder / MARKET_LOCK_FILE).unlink()
    # one that knows no lock on the folder
    older = FileLock(folder / MARKET_LOCK_FILE)
    older.acquire(timeout=0)
    assert not ours.is_held()
    older.release()
    assert not ours.is_held(), "the other one may have acted meanwhile"


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open can't be deleted there")
def test_a_file_that_can_not_be_opened_is_named_and_keeps_nobody_out_once_it_is_gone(
    folder: Path,
) -> None:
    path = folder / MARKET_LOCK_FILE
    path.mkdir()
    mine, theirs = MarketLock(folder), MarketLock(folder)
    for each in (mine, theirs, mine):
        with pytest.raises(LockUnusable, match=r"market\.lock can't be opened: .* Nothing was"):
            each.take()
    path.rmdir()
    assert theirs.take()
    path.unlink()
    path.mkdir()
    assert not theirs.is_held()
    theirs.release()


def test_where_an_older_program_has_it_nobody_else_gets_it(folder: Path) -> None:
    older, ours = FileLock(folder / MARKET_LOCK_FILE), MarketLock(folder)
    older.acquire(timeout=0)
    assert not ours.take()
    older.release()
    assert ours.take()


def test_it_is_lost_with_a_folder_that_was_moved(folder: Path) -> None:
    ours, others = MarketLock(folder), MarketLock(folder)
    ours.take()
    folder.rename(folder.with_name("moved"))
    assert not ours.is_held()
    folder.mkdir()
    assert others.take()
    assert (ours.is_held(), others.is_held()) == (False, True)


@contextmanager
def _holder(folder: Path, *, forks: bool = False) -> Iterator[int]:
    """The id of a process that has it, and of which, where it ``forks``, a child goes on."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_hold, args=(folder, theirs, forks))
    process.start()
    child = ours.recv()
    assert process.pid is not None
    try:
        yield process.pid
    finally:
        process.kill()
        process.join()
        if child:
            os.kill(child, signal.SIGKILL)


def _hold(folder: Path, said: Connection, forks: bool) -> None:
    lock = MarketLock(folder)
    assert lock.take()
    child = os.fork() if forks else 0
    if forks and not child:
        signal.pause()
    assert lock.is_held()
    said.send(child)
    signal.pause()


def test_it_is_free_once_its_process_was_killed(folder: Path) -> None:
    lock = MarketLock(folder)
    with _holder(folder) as process:
        assert not lock.take()
        os.kill(process, signal.SIGSTOP)
        assert not lock.take(), "who is stopped may go on at any time"
    assert lock.take()


def test_a_child_of_its_process_does_not_have_it(folder: Path) -> None:
    lock = MarketLock(folder)
    with _holder(folder, forks=True) as process:
        assert not lock.take()
        os.kill(process, signal.SIGKILL)
        wait_for(lock.take, "the lock of a process that has ended, though its child has not")
