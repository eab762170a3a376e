"""What was acknowledged is there after a power loss, once, whatever the disk refused before it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from balance.core import operations
from balance.core.errors import StoreError
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.state import Request
from balance.store.verification import verify
from tests.length import rounds
from tests.power import EIO, Killed, PowerDisk

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="names files by their descriptors in /proc"
)
DEPOSITS = {f"key-{number}": Decimal(2) ** number for number in range(4)}


@pytest.fixture
def power(tmp_path: Path) -> Iterator[PowerDisk]:
    """A disk without anything on it."""
    found = PowerDisk(tmp_path / "data")
    yield found
    found.close()


def deposit(store: FileStore, key: str) -> bool:
    """Whether it was booked before."""
    request = Request(key, "deposit")
    operation = partial(operations.deposit, amount=DEPOSITS[key])
    return store.commit(operation, source="http", request=request).replayed


class Client:
    """Deposits with keys, each again until it is acknowledged; a power loss may come behind any."""

    def __init__(self, power: PowerDisk, places: Path, *, anew: bool) -> None:
        """With ``anew`` each try is made by another process."""
        self._power, self._places, self._anew = power, places, anew
        self._numbers = itertools.count()
        self._acknowledged: list[str] = []
        self._store: FileStore | None = None

    def live(self) -> None:
        """Make all deposits."""
        for key in DEPOSITS:
            for _ in range(9):
                try:
                    if self._anew or self._store is None:
                        self._power.restart()
                        self._store = FileStore(self._power.folder, disk=self._power)
                    deposit(self._store, key)
                except (StoreError, Killed):
                    if not self._is_made():
                        continue
                    self.check(pending=key)
                else:
                    self._acknowledged.append(key)
                    self.check()
                    break
        assert self._acknowledged == list(DEPOSITS), "the disk is well again"

    def _is_made(self) -> bool:
        """Whether there is an account to be found again: none was acknowledged before."""
        return bool(self._acknowledged)

    def check(self, pending: str | None = None) -> None:
        """Prove that what was acknowledged is found again, once."""
        for renamed in (False, True):
            place = self._places / f"found-{next(self._numbers)}"
            self._found(self._power.after_power_loss(place, renamed=renamed), pending)

    def _found(self, folder: Path, pending: str | None) -> None:
        store, known = FileStore(folder), sum(DEPOSITS[key] for key in self._acknowledged)
        more = DEPOSITS[pending] if pending else 0
        assert store.read().account.wallet.deposits in (known, known + more)
        assert all(deposit(store, key) for key in self._acknowledged)
        if pending:
            deposit(store, pending)
        wallet = store.read().account.wallet
        assert (wallet.deposits, wallet.adjustments) == (known + more, 0)
        kinds = [entry.booking.kind for entry in store.entries()]
        booked = len(self._acknowledged) + bool(pending)
        assert kinds == ["deposit"] * booked + ["start"]
        assert verify(folder).faults == ()


@pytest.mark.parametrize("refusals", [0, 2])
def test_a_process_that_dies_leaves_nothing_that_the_next_one_believes_unsynced(
    tmp_path: Path, refusals: int
) -> None:
    for first in itertools.count(1, rounds(5, 1)):
        power = PowerDisk(tmp_path / f"data-{first}")
        left = [Killed(), *[EIO] * refusals]

        def fault(
            number: int, power: PowerDisk = power, left: list[Any] = left, first: int = first
        ) -> BaseException | None:
            # a file is cut in memory alone; what one process could not cut no other one knows of
            is_due = number >= first and left and power.calls[-1][0] != "cut"
            return left.pop(0) if is_due else None

        power.fault = fault
        places = tmp_path / f"found-{first}"
        places.mkdir()
        Client(power, places, anew=True).live()
        power.close()
        if len(left) > refusals:
            return  # it has made no more calls


@pytest.mark.parametrize("what", ["sync", "sync folder", "replace"])
def test_a_disk_that_refuses_for_ever_acknowledges_nothing(
    power: PowerDisk, tmp_path: Path, what: str
) -> None:
    store = FileStore(power.folder, disk=power)
    deposit(store, "key-0")
    power.fault = lambda _number: EIO if power.calls[-1][0] == what else None
    for _ in range(3):
        with pytest.raises(StoreError):
            deposit(store, "key-1")
    power.fault = lambda _number: None
    found = FileStore(power.after_power_loss(tmp_path / "found"))
    assert found.read().account.wallet.deposits == DEPOSITS["key-0"]
    deposit(store, "key-1")
    assert store.read().account.wallet.deposits == DEPOSITS["key-0"] + DEPOSITS["key-1"]


def test_a_failed_sync_beside_an_account_that_was_put_back_cuts_nothing_off(
    power: PowerDisk,
) -> None:
    store = FileStore(power.folder, disk=power)
    older = (power.folder / ACCOUNT_FILE).read_bytes()
    for key in DEPOSITS:
        deposit(store, key)
    ledger = (power.folder / LEDGER_FILE).read_bytes()
    (power.folder / ACCOUNT_FILE).write_bytes(older)
    power.fault = lambda _number: EIO
    with pytest.raises(StoreError):
        deposit(FileStore(power.folder, disk=power), "key-0")
    assert (power.folder / LEDGER_FILE).read_bytes() == ledger


def test_a_ledger_that_could_not_be_cut_is_cut_before_anything_else(
    power: PowerDisk, tmp_path: Path
) -> None:
    client = Client(power, tmp_path, anew=False)
    refused: list[int] = []

    def fault(number: int) -> BaseException | None:
        what, name = power.calls[-1]
        is_due = name == "ledger.jsonl" and what != "write" and len(power.calls) > 12
        if is_due and len(refused) < 2:
            assert what == ("sync", "cut")[len(refused)]
            refused.append(number)
            return EIO
        return None

    power.fault = fault
    client.live()
    assert len(refused) == 2
    assert ("cut", "ledger.jsonl") in power.calls[refused[-1] :]


def test_a_commit_is_on_the_disk_before_another_process_completes_it(
    power: PowerDisk, tmp_path: Path
) -> None:
    store = FileStore(power.folder, disk=power)
    deposit(store, "key-0")

    def fault(_number: int) -> BaseException | None:
        return Killed() if power.calls[-1][0] == "sync folder" else None

    power.fault = fault
    with pytest.raises(Killed):
        deposit(store, "key-1")
    power.restart()
    # It dies as well, when the ledger has what the account's name has not come to the disk for.
    power.fault = lambda _: Killed() if power.calls[-1] == ("sync", ANSWER_FILE) else None
    with pytest.raises(Killed):
        deposit(FileStore(power.folder, disk=power), "key-2")
    found = FileStore(power.after_power_loss(tmp_path / "found"))
    assert found.read().account.wallet.deposits == DEPOSITS["key-0"] + DEPOSITS["key-1"]
    assert deposit(found, "key-1")


@pytest.mark.parametrize("name", [LEDGER_FILE, ANSWER_FILE])
def test_a_line_of_the_newest_commit_with_zeros_in_it_is_written_anew(
    tmp_path: Path, name: str
) -> None:
    store = FileStore(tmp_path)
    for key in ("key-0", "key-1"):
        deposit(store, key)
    lines = (tmp_path / name).read_bytes().splitlines(keepends=True)
    torn = bytes(100) + lines[-1][100:]
    (tmp_path / name).write_bytes(b"".join([*lines[:-1], torn]))
    store = FileStore(tmp_path)
    kinds = [entry.booking.kind for entry in store.entries()]
    assert kinds == ["deposit", "deposit", "start"]
    assert deposit(store, "key-1")
    assert (tmp_path / name).read_bytes() == b"".join(lines)
    assert verify(tmp_path).faults == ()
