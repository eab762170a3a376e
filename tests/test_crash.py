"""A program that dies at any moment loses nothing that was acknowledged and books nothing twice."""

from __future__ import annotations

import random
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from balance.core.snapshot import Snapshot
from balance.open_account import open_account
from balance.store.file_store import ACCOUNT_FILE
from balance.store.verification import verify
from tests.length import rounds
from tests.patience import patience
from tests.processes import PROCESSES
from tests.writers import DEAD, commit_forever, die_at_step

KILLS = rounds(40, 100)


def killed_at_work(folder: Path, first: int, after: float) -> list[tuple[Any, ...]]:
    """What a program told that commits from ``first`` on, killed ``after`` seconds of that."""
    told, telling = PROCESSES.Pipe(duplex=False)
    program = PROCESSES.Process(target=commit_forever, args=(folder, telling, first))
    program.start()
    telling.close()
    told.poll(patience())
    time.sleep(after)
    program.kill()
    program.join()
    messages = []
    try:
        while True:
            messages.append(told.recv())
    except EOFError:
        return messages
    finally:
        told.close()
        program.close()


def deposited(cents: int) -> Decimal:
    """The balance after deposits of 1, 2, … ``cents`` cents."""
    return 10_000 + Decimal(cents * (cents + 1) // 2) / 100


def assert_nothing_is_lost(messages: list[tuple[Any, ...]], seen: Snapshot) -> tuple[int, int]:
    """Returns the cents that were acknowledged last and those that were asked for last."""
    asked = [message[1] for message in messages if message[0] == "asking"][-1]
    acknowledged = [message[1:] for message in messages if message[0] == "done"]
    for cents, revision, balance in acknowledged:
        assert (revision, balance) == (cents + 1, deposited(cents))
    done = acknowledged[-1][0] if acknowledged else asked - 1
    assert seen.balance in (deposited(done), deposited(asked))
    assert seen.balance == deposited(seen.revision - 1)
    return done, asked


def test_kills_lose_no_acknowledged_change_and_no_retry_books_twice(
    folder: Path,
) -> None:
    account, chance = open_account(folder), random.Random(1)
    first, in_doubt, had_committed = 1, 0, 0
    for _ in range(KILLS):
        messages = killed_at_work(folder, first, chance.uniform(0, 0.03))
        before = open_account(folder).snapshot()
        assert account.snapshot().revision == before.revision
        done, asked = assert_nothing_is_lost(messages, before)
        assert verify(folder).faults == ()
        if asked > done:
            in_doubt += 1
            had_committed += before.balance == deposited(asked)
            again = account.deposit(Decimal(asked) / 100, idempotency_key=f"deposit-{asked}")
            assert (again.revision, again.balance) == (asked + 1, deposited(asked))
        assert account.snapshot().balance == deposited(asked)
        account.deposit(Decimal(asked + 1) / 100)
        assert list(folder.glob("*.tmp")) + list(folder.glob(".*.tmp")) == []
        first = asked + 2
    assert verify(folder).faults == ()
    revisions = [entry["revision"] for entry in account.ledger.rows()]
    assert revisions == list(range(first, 0, -1))
    assert in_doubt > KILLS / 2, "the kills must fall while a change is being made"
    print(f"{KILLS} kills, {in_doubt} in a change, {had_committed} of these past its commit")


def test_a_program_that_dies_at_any_step_of_a_commit_leaves_all_of_it_or_nothing(
    tmp_path: Path,
) -> None:
    outcomes = []
    for step in range(1, 40):
        folder = tmp_path / str(step)
        account = open_account(folder)
        account.deposit(1)
        whole = (folder / ACCOUNT_FILE).read_bytes()
        program = PROCESSES.Process(target=die_at_step, args=(folder, step))
        program.start()
        program.join()
        code = program.exitcode
        program.close()
        seen = open_account(folder).snapshot()
        assert (seen.balance, seen.revision) in ((10_001, 2), (10_006, 3))
        assert (seen.revision == 2) == ((folder / ACCOUNT_FILE).read_bytes() == whole)
        assert verify(folder).faults == ()
        assert len(list(account.ledger.rows())) == seen.revision
        assert account.deposit(5, idempotency_key="k").balance == 10_006
        assert account.deposit(7).balance == 10_013
        assert verify(folder).faults == ()
        assert list(folder.glob(".*.tmp")) == []
        if code != DEAD:
            break
        outcomes.append(seen.revision)
    assert code == 0
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {2, 3}, "it must have died before and after its commit point"
