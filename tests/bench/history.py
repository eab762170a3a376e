"""How the history fares when the ledger grows from ten thousand entries to a million.

    .venv/bin/python tests/bench/history.py

Writes an account with so many entries (fills with their trades, fees, funding, deposits, orders,
resets and undone ones, of a person and of bots) and a year of equity samples, starts the server on
it, and measures the start, the first answer while the ledger is being indexed, how long that takes,
each kind of question and the curve of each range (medians), how long Overview and History take in a
browser until their first content, and the server's memory; the same for the small ledger, and the
growth from one to the other in one run.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import requests

from balance.store.file_store import FileStore
from tests.bench.first_content import first_contents
from tests.ledgers import write_ledger
from tests.samples import opening, write_a_year
from tests.serving import Program

SMALL = 10_000
ROUNDS = 5
PATIENCE_SECONDS = 1_800

#: What people ask most, and what costs most; {half} is the middle of the ledger.
QUESTIONS = {
    "newest entries": "/history/ledger",
    "a page in the middle": "/history/ledger?offset={half}",
    "the oldest page": "/history/ledger?sort=revision",
    "of one kind": "/history/ledger?kind=fee",
    "of one kind, deep": "/history/ledger?kind=fee&offset={tenth}",
    "of one epoch": "/history/ledger?epoch=5",
    "of one symbol": "/history/ledger?symbol=BTC/USDT",
    "of one bot": "/history/ledger?owner=trend-1",
    "of one source": "/history/ledger?source=market",
    "of kind and symbol": "/history/ledger?kind=fee&symbol=BTC/USDT",
    "of a time": "/history/ledger?from=2026-01-03T00:00:00Z&to=2026-03-01T00:00:00Z",
    "newest fills": "/history/fills",
    "fills of a symbol, deep": "/history/fills?symbol=ETH/USDT&offset={tenth}",
    "newest trades": "/history/trades",
    "losing trades": "/history/trades?outcome=loss&symbol=SOL/USDT",
    "trades, best first": "/history/trades?sort=-pnl",
    "newest orders": "/history/orders",
    "orders of a symbol, deep": "/history/orders?symbol=ETH/USDT&offset={tenth}",
    "orders that were cancelled": "/history/orders?state=CANCELED",
    "epochs": "/history/epochs?limit=100",
    **{f"curve of a {name}": f"/equity?range={name}" for name in ("day", "month", "year")},
    "performance": "/performance",
}
WORST = {
    "text that is rare": "/history/ledger?text=28.4%20is%20be&after={after}",
    "text that is nowhere": "/history/ledger?text=nowhere-{nonce}",
    "by amount": "/history/ledger?sort=amount",
    "by amount, the middle": "/history/ledger?sort=amount&offset={half}",
    "by note, the middle": "/history/ledger?sort=-note&offset={half}",
    "by kind, the middle": "/history/ledger?sort=kind&offset={half}",
    "of a kind by amount": "/history/ledger?kind=fee&sort=amount&offset={tenth}",
    "fills by quantity": "/history/fills?sort=quantity&offset={tenth}",
    "orders by end": "/history/orders?sort=-ended_at&offset={tenth}",
    "orders by limit": "/history/orders?sort=price&offset={tenth}",
    "orders, a text": "/history/orders?text=nowhere-{nonce}",
    "trades by duration": "/history/trades?sort=-seconds&offset={tenth}",
}
_LISTS = ("/history/ledger", "/history/fills", "/history/trades", "/history/orders")


class Bench:
    """A running server on a ledger of so many entries."""

    def __init__(self, server: Program, entries: int, start_seconds: float) -> None:
        self.server = server
        self.entries = entries
        self.figures: dict[str, float] = {"start, s": start_seconds}
        # up to which revision the lists are asked for, as a page does that shows them
        self.until: int | None = None
        self._nonce = 0

    def ask(self, question: str) -> requests.Response:
        """The answer to ``question``."""
        self._nonce += 1
        path = question.format(
            half=self.entries // 2,
            tenth=self.entries // 10,
            after=self._nonce,
            nonce=self._nonce,
        )
        is_list = path.startswith(_LISTS)
        pin = {"until": self.until} if is_list and self.until is not None else {}
        answer = requests.get(self.server.url + path, params=pin, timeout=60)
        answer.raise_for_status()
        return answer

    def time_of(self, question: str) -> float:
        """The median milliseconds that ``question`` takes."""
        times = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            self.ask(question)
            times.append((time.perf_counter() - begun) * 1_000)
        return statistics.median(times)

    def memory(self) -> float:
        """What the server has in memory, in MiB."""
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        (line,) = (each for each in status.splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def running(folder: Path, entries: int) -> Iterator[Bench]:
    """The server on an account in ``folder``, which has so many entries."""
    begun = time.perf_counter()
    with Program(folder) as server:
        yield Bench(server, entries, time.perf_counter() - begun)


def measure(bench: Bench) -> dict[str, float]:
    """All figures of one ledger, by name."""
    figures = bench.figures
    figures["first answer while indexing, ms"] = bench.time_of("/history/ledger")
    begun = time.perf_counter()
    while not bench.ask("/history/ledger?limit=1").json()["index"]["is_complete"]:
        time.sleep(0.2)
        if time.perf_counter() - begun > PATIENCE_SECONDS:
            raise RuntimeError("the ledger was not indexed in time")
    figures["indexed after, s"] = time.perf_counter() - begun
    bench.until = bench.ask("/virtual_balance").json()["revision"]
    figures["memory when indexed, MiB"] = bench.memory()
    for name, question in {**QUESTIONS, **WORST}.items():
        figures[f"{name}, ms"] = bench.time_of(question)
    for number in range(100):
        bench.ask(list(QUESTIONS.values())[number % len(QUESTIONS)])
    figures["memory after 100 questions, MiB"] = bench.memory()
    figures |= first_contents(bench.server.url)
    figures["memory after the browsers, MiB"] = bench.memory()
    figures |= _download(bench)
    figures["memory after the whole CSV, MiB"] = bench.memory()
    return figures


def write_equity(folder: Path) -> int:
    """Give the account in ``folder`` a year of samples; how many were taken."""
    state, now = FileStore(folder).read(), datetime.now(UTC)
    last = replace(opening(), wallet=state.account.wallet, revision=state.revision)
    return write_a_year(folder, state.account_id, now, last)


def _download(bench: Bench) -> dict[str, float]:
    """How long the whole ledger as CSV takes, sorted by another column than it is kept by."""
    begun, size = time.perf_counter(), 0
    url = f"{bench.server.url}/history/ledger?format=csv&sort=-amount"
    with requests.get(url, stream=True, timeout=60) as answer:
        answer.raise_for_status()
        for block in answer.iter_content(1 << 16):
            size += len(block)
    return {"whole CSV, s": time.perf_counter() - begun, "whole CSV, MB": size / 1e6}


def main() -> None:
    """Measure a small ledger and a large one, and print both and the growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the large one (1000000)")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as name:
        for number, entries in enumerate((SMALL, options.entries)):
            folder = Path(name) / str(number)
            begun = time.perf_counter()
            count = write_ledger(folder, entries)
            samples = write_equity(folder)
            print(
                f"{count:,} entries and {samples:,} samples written in "
                f"{time.perf_counter() - begun:.0f} s",
                flush=True,
            )
            with running(folder, count) as bench:
                results.append(measure(bench))
    small, large = results
    print(f"{'':50}{SMALL:>12,}{options.entries:>12,}{'ratio':>8}")
    for name, value in large.items():
        ratio = value / small[name] if small[name] else float("nan")
        print(f"{name:50}{small[name]:>12.2f}{value:>12.2f}{ratio:>8.1f}")


if __name__ == "__main__":
    main()
