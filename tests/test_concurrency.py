"""Eight programs change the account at once, in every way there is, and nothing is lost."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

from balance.open_account import open_account
from balance.store.verification import verify
from tests.length import rounds
from tests.processes import PROCESSES
from tests.serving import Server
from tests.writers import (
    adjust_by_http,
    adjust_by_module,
    adjust_by_shell_and_module,
    read_raw,
)

CHANGES = rounds(100, 250)
#: A start of the command line takes as long as fifty commits: a part of the changes of its
#: processes are made with it, the others through the module.
BY_SHELL = rounds(8, 25)


def amounts(process: int) -> list[str]:
    """What one process books: gains and losses with eight decimals."""
    chance = random.Random(process)
    steps = [chance.randrange(-(10**8), 10**8) or 1 for _ in range(CHANGES)]
    return [f"{Decimal(step) / 10**8:f}" for step in steps]


def test_eight_processes_in_every_way_lose_nothing_and_no_reader_sees_a_broken_file(
    server: Server, folder: Path
) -> None:
    ways = [
        *[(adjust_by_module, (folder,))] * 3,
        *[(adjust_by_http, (server.url,))] * 3,
        *[(adjust_by_shell_and_module, (folder, BY_SHELL))] * 2,
    ]
    booked = [amounts(process) for process in range(len(ways))]
    readers, pipes = [], []
    for _ in range(2):
        pipe, theirs = PROCESSES.Pipe()
        readers.append(PROCESSES.Process(target=read_raw, args=(folder, theirs)))
        readers[-1].start()
        theirs.close()
        assert pipe.recv() == "reading"
        pipes.append(pipe)
    writers = [
        PROCESSES.Process(target=way, args=(*where, steps))
        for (way, where), steps in zip(ways, booked, strict=True)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    for pipe, reader in zip(pipes, readers, strict=True):
        pipe.send("stop")
        reads, broken = pipe.recv()
        assert broken == ""
        assert reads > 100
        reader.join()
        pipe.close()

    total = 10_000 + sum(Decimal(amount) for steps in booked for amount in steps)
    account = open_account(folder)
    seen = account.snapshot()
    assert seen.balance == total
    assert seen.revision == 1 + 8 * CHANGES
    answer = server.get().json()
    assert (answer["revision"], Decimal(str(answer["balance"]))) == (seen.revision, total)
    assert verify(folder).faults == ()
    entries = list(account.ledger.rows())
    assert [entry["revision"] for entry in entries] == list(range(seen.revision, 0, -1))
    assert Counter(entry["source"] for entry in entries) == {
        "program": 1 + 3 * CHANGES + 2 * (CHANGES - BY_SHELL),
        "http": 3 * CHANGES,
        "shell": 2 * BY_SHELL,
    }
    asked = Counter(Decimal(amount) for steps in booked for amount in steps)
    assert Counter(entry["amount"] for entry in entries[:-1]) == asked


def test_programs_with_one_key_book_once(folder: Path) -> None:
    account = open_account(folder)
    programs = [PROCESSES.Process(target=_deposit_once, args=(folder,)) for _ in range(8)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert [program.exitcode for program in programs] == [0] * 8
    assert (account.snapshot().balance, account.snapshot().revision) == (10_005, 2)


def _deposit_once(folder: Path) -> None:
    assert open_account(folder).deposit(5, idempotency_key="once").balance == 10_005
