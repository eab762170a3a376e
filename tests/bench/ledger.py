"""How the account's files fare when the ledger grows from ten entries to a million.

    .venv/bin/python tests/bench/ledger.py

Writes an account with so many entries and one with ten, and measures what must not grow with the
ledger on both of them by turns, so that whatever else the machine does falls on both: a start, a
commit, the newest page and one from the middle. Then what it takes to check a line beside reading
it, and the check of the whole ledger.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import count, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance.core import operations
from balance.store.checksum import START, is_proved, stated
from balance.store.codec import decode_entry
from balance.store.file_store import LEDGER_FILE, FileStore
from balance.store.state import Request
from balance.store.verification import verify
from tests.ledgers import lived, write_ledger, written

SMALL = 10
ROUNDS = 41
# Of so many lines, both reading and checking are measured, and so often.
LINES, TURNS = 20_000, 5

_numbers = count()


def start(folder: Path) -> None:
    """A program that opens the account."""
    FileStore(folder).read()


def commit(store: FileStore) -> None:
    """A change with an idempotency key."""
    request = Request(f"key-{next(_numbers)}", "deposit")
    store.commit(partial(operations.deposit, amount=1), source="http", request=request)


def newest_page(store: FileStore) -> None:
    """The newest five entries."""
    list(islice(store.entries(), 5))


def middle_page(store: FileStore) -> None:
    """Five entries from the middle on."""
    middle = store.read().revision // 2, 1
    list(islice(store.entries(before=middle), 5))


def by_turns(*actions: Callable[[], object]) -> list[float]:
    """The median milliseconds of each of ``actions``."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, found in zip(actions, times, strict=True):
            begin = time.perf_counter()
            action()
            found.append((time.perf_counter() - begin) * 1_000)
    return [statistics.median(found) for found in times]


def share_of_checks(folder: Path) -> float:
    """What checking a line takes, as a share of reading the entry in it."""
    with (folder / LEDGER_FILE).open("rb") as file:
        lines = list(islice(file, LINES))
    befores = [START, *(stated(line) or START for line in lines)]
    reading, checking = [], []
    for _ in range(TURNS):
        begin = time.perf_counter()
        for line in lines:
            decode_entry(line)
        reading.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        for line, before in zip(lines, befores, strict=False):
            is_proved(line, before)
        checking.append(time.perf_counter() - begin)
    return min(checking) / min(reading)


def main() -> None:
    """Measure both ledgers, and print the figures and the growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the large one (1000000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / "small", Path(name) / "large"]
        written(folders[0], lived(SMALL))
        entries = write_ledger(folders[1], options.entries)
        stores = [FileStore(folder) for folder in folders]
        print(f"{'median ms':20}{SMALL:>12,}{entries:>12,}{'ratio':>8}")
        for action, subjects in (
            (start, folders),
            (commit, stores),
            (newest_page, stores),
            (middle_page, stores),
        ):
            small, large = by_turns(*(partial(action, each) for each in subjects))
            label = action.__name__.replace("_", " ")
            print(f"{label:20}{small:>12.2f}{large:>12.2f}{large / small:>8.2f}", flush=True)
        print(f"checking a line: {share_of_checks(folders[1]):.1%} of reading it", flush=True)
        begin, worked = time.perf_counter(), time.process_time()
        report = verify(folders[1])
        seconds, worked = time.perf_counter() - begin, time.process_time() - worked
        print(
            f"verify: {report.entries:,} entries in {seconds:.1f} s, of which it worked "
            f"{worked:.1f} s; {len(report.faults)} faults"
        )


if __name__ == "__main__":
    main()
