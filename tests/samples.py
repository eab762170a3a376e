"""Samples of the equity for the tests: single ones, paths, and a whole year in a file."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from balance.core.wallet import Wallet
from balance.performance.figures import FIGURES, values_of
from balance.performance.results import Results
from balance.performance.sample import Reading, Sample, first_sample, next_sample
from balance.performance.sample_file import SampleFile
from balance.performance.sample_rows import EQUITY_FILE

#: A Monday.
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT = "a1"


def at(hours: float = 0, seconds: float = 0) -> datetime:
    """A moment after that Monday's first."""
    return MONDAY + timedelta(hours=hours, seconds=seconds)


def opening(time: datetime = MONDAY, balance: object = 10_000, **changes: Any) -> Sample:
    """The first sample of an account that begins with ``balance``."""
    wallet = Wallet.opened(1, Decimal(str(balance)))
    sample = first_sample(Reading(time, 1, wallet, Decimal(0)), Decimal(0))
    return dataclasses.replace(sample, **changes)


def moved(before: Sample, time: datetime, unrealized: object) -> Sample:
    """The sample after ``before`` where only prices have moved."""
    open_pnl = Decimal(str(unrealized))
    return next_sample(before, Reading(time, before.revision, before.wallet, open_pnl))


def booked(before: Sample, time: datetime, kind: str, amount: object) -> Sample:
    """The sample after ``before`` where an entry of ``kind`` moved the balance by ``amount``."""
    wallet = before.wallet.booked(kind, Decimal(str(amount)))
    reading = Reading(time, before.revision + 1, wallet, before.unrealized_pnl)
    return next_sample(before, reading, is_kept=kind in ("deposit", "withdrawal"))


def percents(results: Results) -> tuple[Any, Any]:
    """The return and the maximum drawdown of ``results``."""
    values = values_of(FIGURES, results)
    return values["return_percent"], values["max_drawdown_percent"]


def write_a_year(
    folder: Path, account: str, now: datetime, last: Sample | None = None, seed: int = 1
) -> int:
    """Write into ``folder`` what a server that ran for a year would have left of ``account`` by
    ``now``; how many samples were taken on the way. The last of them has the wallet and the
    revision of ``last``, where that is given."""
    file = SampleFile(folder / EQUITY_FILE, account)
    count, batch = 0, list[Sample]()
    try:
        for sample in _year(now, last, random.Random(seed)):
            batch.append(sample)
            count += 1
            if len(batch) == 5_000:
                file.write(batch, sample.time)
                batch = []
        file.write(batch, now)
    finally:
        file.close()
    return count


def _year(now: datetime, last: Sample | None, chance: random.Random) -> Iterator[Sample]:
    """A year of samples: older ones as far apart as thinning would have left them."""
    time = now - timedelta(days=365)
    sample = last or opening()
    sample = dataclasses.replace(sample, time=time, growth=Decimal(1), carried=Decimal(0))
    yield sample
    while True:
        age = now - time
        step = 20 if age < timedelta(days=1) else 300 if age < timedelta(days=31) else 900
        time += timedelta(seconds=step)
        if time > now:
            return
        drift = Decimal(f"{chance.gauss(0, 1) * step**0.5:.2f}")
        worth = max(sample.unrealized_pnl + drift, Decimal(-5_000))
        sample = moved(sample, time, worth)
        yield sample
