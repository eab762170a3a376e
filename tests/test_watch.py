"""The watch: what another program does to the account is told at once."""

from __future__ import annotations

import queue
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from balance import Snapshot, StoreError, StoreUnreadable, open_account
from balance import watch as watch_module
from balance.store.file_store import ACCOUNT_FILE
from balance.watch import Watch
from tests.processes import PROCESSES
from tests.writers import change_and_tell

SECONDS = 10


class Heard:
    """What a watch told, in order and without repeats, each with the time when it did."""

    def __init__(self) -> None:
        self.news: queue.Queue[tuple[float, Snapshot | StoreError]] = queue.Queue()
        self._last: Any = None

    def snapshot(self, snapshot: Snapshot) -> None:
        if snapshot != self._last:
            self._last = snapshot
            self.news.put((time.monotonic(), snapshot))

    def fault(self, fault: StoreError) -> None:
        if type(fault) is not type(self._last):
            self._last = fault
            self.news.put((time.monotonic(), fault))

    def next(self) -> tuple[float, Any]:
        """The next thing told; waits for it."""
        return self.news.get(timeout=SECONDS)


@pytest.fixture
def heard(folder: Path) -> Iterator[Heard]:
    """What a watch of the account in ``folder`` tells; the first snapshot is taken already."""
    heard = Heard()
    watch = Watch(open_account(folder), heard.snapshot, heard.fault)
    watch.start()
    assert heard.next()[1].revision == 1
    yield heard
    watch.stop()


def test_a_change_by_another_program_is_told_at_once(folder: Path, heard: Heard) -> None:
    told, theirs = PROCESSES.Pipe()
    program = PROCESSES.Process(target=change_and_tell, args=(folder, theirs))
    program.start()
    assert told.recv() == "ready"
    delays = []
    for revision in range(2, 22):
        told.send(True)
        at, snapshot = heard.next()
        assert (snapshot.revision, snapshot.balance) == (revision, 9_999 + revision)
        delays.append(at - told.recv())
    told.send(False)
    program.join()
    told.close()
    # 50 ms on a machine with nothing else to do; the tests may run on a busy one
    assert statistics.median(delays) < 0.25
    print(f"median {statistics.median(delays) * 1000:.1f} ms, longest {max(delays) * 1000:.1f} ms")


def test_an_edit_of_the_file_is_told_with_its_entry(folder: Path, heard: Heard) -> None:
    path = folder / ACCOUNT_FILE
    path.write_text(path.read_text().replace('"balance": "10000.00"', '"balance": "500"', 1))
    snapshot = heard.next()[1]
    assert (snapshot.balance, snapshot.revision) == (500, 2)
    assert open_account(folder).history(limit=1).entries[0]["kind"] == "external_edit"


def test_damage_is_told_and_so_is_its_end(folder: Path, heard: Heard) -> None:
    path = folder / ACCOUNT_FILE
    whole = path.read_bytes()
    at = time.monotonic()
    path.write_bytes(b"{")
    told, fault = heard.next()
    assert isinstance(fault, StoreUnreadable)
    assert told - at >= 0.2
    path.unlink()
    path.write_bytes(whole)
    assert heard.next()[1].revision == 1


def test_a_file_that_is_written_in_place_is_no_fault(folder: Path) -> None:
    account, heard = open_account(folder), Heard()
    path, looks = folder / ACCOUNT_FILE, []
    watch = Watch(account, heard.snapshot, heard.fault)
    clock = SimpleNamespace(monotonic=lambda: 1_000.0 + len(looks) / 10)

    def look() -> None:
        looks.append(1)
        watch._look()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch_module, "time", clock)
        whole = path.read_bytes()
        look()
        for _ in range(3):
            path.write_bytes(whole[:100])
            look()
            look()
            path.write_bytes(whole)
            look()
    assert [type(news) for _, news in list(heard.news.queue)] == [Snapshot]


def test_a_listener_that_fails_does_not_end_the_watch(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account, heard = open_account(folder), Heard()

    def broken(snapshot: Snapshot) -> None:
        if snapshot.revision == 1:
            heard.news.put((0.0, snapshot))
            raise ZeroDivisionError
        heard.snapshot(snapshot)

    watch = Watch(account, broken, heard.fault)
    watch.start()
    heard.next()
    account.adjust(5)
    news = heard.next()[1]
    while news.revision == 1:
        news = heard.next()[1]
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
