"""The watch: what another program does to the account is told at once."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from balance import Snapshot, StoreError, StoreUnreadable, open_account
from balance.server.watch import Watch
from balance.store.file_store import ACCOUNT_FILE
from tests.patience import patience
from tests.processes import PROCESSES
from tests.writers import change_and_tell


class Heard:
    """What a watch told, in order and without repeats."""

    def __init__(self) -> None:
        self.news: queue.Queue[Snapshot | StoreError] = queue.Queue()
        self._last: Any = None

    def snapshot(self, snapshot: Snapshot) -> None:
        if snapshot != self._last:
            self._last = snapshot
            self.news.put(snapshot)

    def fault(self, fault: StoreError) -> None:
        if type(fault) is not type(self._last):
            self._last = fault
            self.news.put(fault)

    def next(self) -> Any:
        """The next thing told; waits for it."""
        return self.news.get(timeout=patience())


@pytest.fixture
def heard(folder: Path) -> Iterator[Heard]:
    """What a watch of the account in ``folder`` tells; the first snapshot is taken already."""
    heard = Heard()
    watch = Watch(open_account(folder), heard.snapshot, heard.fault)
    watch.start()
    assert heard.next().revision == 1
    yield heard
    watch.stop()


def test_a_change_by_another_program_is_told_at_once(folder: Path, heard: Heard) -> None:
    told, theirs = PROCESSES.Pipe()
    program = PROCESSES.Process(target=change_and_tell, args=(folder, theirs))
    program.start()
    assert told.recv() == "ready"
    for revision in range(2, 22):
        told.send(True)
        snapshot = heard.next()
        assert (snapshot.revision, snapshot.balance) == (revision, 9_999 + revision)
        assert told.recv() == revision
    told.send(False)
    program.join()
    told.close()


def test_an_edit_of_the_file_is_told_with_its_entry(folder: Path, heard: Heard) -> None:
    path = folder / ACCOUNT_FILE
    path.write_text(path.read_text().replace('"balance": "10000.00"', '"balance": "500"', 1))
    snapshot = heard.next()
    assert (snapshot.balance, snapshot.revision) == (500, 2)
    assert open_account(folder).history(limit=1).entries[0]["kind"] == "external_edit"


def test_damage_is_told_and_so_is_its_end(folder: Path, heard: Heard) -> None:
    path = folder / ACCOUNT_FILE
    whole = path.read_bytes()
    path.write_bytes(b"{")
    assert isinstance(heard.next(), StoreUnreadable)
    path.unlink()
    path.write_bytes(whole)
    assert heard.next().revision == 1


def test_a_file_that_is_written_in_place_is_no_fault(folder: Path) -> None:
    account, heard = open_account(folder), Heard()
    path = folder / ACCOUNT_FILE
    checks: list[int] = []
    watch = Watch(account, heard.snapshot, heard.fault, clock=lambda: 1_000.0 + len(checks) / 10)

    def check() -> None:
        checks.append(1)
        watch.check()

    whole = path.read_bytes()
    check()
    for _ in range(3):
        path.write_bytes(whole[:100])
        check()
        check()
        path.write_bytes(whole)
        check()
    assert [type(news) for news in list(heard.news.queue)] == [Snapshot]


def test_a_listener_that_fails_does_not_end_the_watch(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account, heard = open_account(folder), Heard()

    def broken(snapshot: Snapshot) -> None:
        if snapshot.revision == 1:
            heard.news.put(snapshot)
            raise ZeroDivisionError
        heard.snapshot(snapshot)

    watch = Watch(account, broken, heard.fault)
    watch.start()
    heard.next()
    account.adjust(5)
    news = heard.next()
    while news.revision == 1:
        news = heard.next()
    watch.stop()
    assert news.balance == 10_005
    assert "could not be watched" in caplog.text


def test_a_stopped_watch_tells_nothing_more(folder: Path) -> None:
    account, heard = open_account(folder), Heard()
    watch = Watch(account, heard.snapshot, heard.fault)
    watch.start()
    heard.next()
    watch.stop()
    account.adjust(5)
    assert heard.news.empty()
