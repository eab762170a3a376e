"""The tracker: turns what is seen of an account into samples, and leaves out no change of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, Protocol

from balance.core.entry import Entry
from balance.core.errors import AccountingError, BalanceError
from balance.core.money import ZERO
from balance.core.snapshot import Snapshot
from balance.core.wallet import OPENINGS, Wallet
from balance.history.index import Index
from balance.performance.sample import (
    Commit,
    Resumed,
    Sample,
    committed,
    first_seen,
    seen,
    seen_later,
    track_of,
)

#: How often prices alone make a sample, and how often there is one though nothing moves.
PRICE_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 60.0
#: Between two samples further apart than this is a gap.
GAP_SECONDS: Final = 150.0
#: As many entries are read to follow what other programs did.
MOST_ENTRIES: Final = 10_000

#: Tells what the epochs before one have brought, by its number; None while that is not known.
Carried = Callable[[int], Decimal | None]

_log = logging.getLogger(__name__)


def carried_by(history: Index | None) -> Carried:
    """What gives the P&L of the epochs before one, by its number; before the first there is none,
    of others ``history`` tells."""

    def carried(epoch: int) -> Decimal | None:
        if epoch == 1:
            return ZERO
        if history is None:
            return None
        try:
            found = history.epoch(epoch)
        except BalanceError:
            return None
        return None if found is None else found.carried

    return carried


class Ledger(Protocol):
    """What there is to read of the account's history."""

    def since(self, revision: int, most: int) -> list[Entry] | None:
        """The entries after ``revision``, oldest first; None where they are more than ``most``."""

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``; None where there is none."""


class Tracker:
    """Follows one account from its ``last`` sample on, or from the opening of its epoch."""

    def __init__(
        self, ledger: Ledger, last: Sample | None, resumed: Resumed, carried: Carried
    ) -> None:
        self._ledger = ledger
        self._resumed = resumed
        self._carried = carried
        self._track = None if last is None else track_of(last)
        self._is_new = True
        self._found: list[Sample] = []
        #: The newest change that was followed.
        self.revision = 0 if last is None else last.revision

    @property
    def last(self) -> Sample | None:
        """The newest sample."""
        return None if self._track is None else self._track.last

    def learn(self, carried: Decimal) -> None:
        """Have the earlier epochs have brought ``carried``."""
        if self._track is not None:
            last = replace(self._track.last, carried=carried)
            self._track = replace(self._track, last=last)

    def change(self, snapshot: Snapshot, entries: Sequence[Entry], time: datetime) -> list[Sample]:
        """The samples that a change made here leads to, after those of others before it."""
        if snapshot.revision > self.revision:
            self._catch_up(snapshot.revision - 1, snapshot, time)
            self._take(Commit(time=time, entries=entries, unrealized_pnl=snapshot.unrealized_pnl))
        return self._taken()

    def look(self, snapshot: Snapshot, now: datetime, *, is_last: bool = False) -> list[Sample]:
        """The samples that lead to ``snapshot``, which is how the account is at ``now``; there is
        one of now where it is due, or ``is_last``."""
        if self._track is None:
            self._see_first(snapshot.epoch)
        self._catch_up(snapshot.revision, snapshot, now)
        if self._is_due(snapshot, now) or is_last:
            self._see(snapshot, now)
        self._is_new = False
        return self._taken()

    def _see_first(self, epoch: int) -> None:
        """Begin where the account was made, and where its ``epoch`` was opened."""
        for number in sorted({1, epoch}):
            opening = self._ledger.opening(number)
            if opening is None or opening.booking.kind not in OPENINGS:
                continue
            restated = opening.booking.restated
            begun = Wallet.opened(number, opening.booking.amount)
            self._keep(
                first_seen(
                    time=opening.time,
                    revision=opening.revision,
                    wallet=begun if restated is None else restated.wallet,
                    unrealized_pnl=ZERO if restated is None else restated.unrealized_pnl,
                    carried=self._carried(number),
                )
            )

    def _catch_up(self, revision: int, snapshot: Snapshot, now: datetime) -> None:
        """Follow the ledger up to ``revision``, where other programs made changes."""
        if revision <= self.revision:
            return
        entries = self._ledger.since(self.revision, MOST_ENTRIES)
        if entries is None:
            self._see(snapshot, now)
            return
        for number, lines in groupby(entries, key=lambda entry: entry.revision):
            known = snapshot.unrealized_pnl if number == snapshot.revision else None
            told = tuple(lines)
            commit = Commit(time=told[0].time, entries=told, unrealized_pnl=known)
            if number > revision or not self._take(commit):
                return

    def _take(self, commit: Commit) -> bool:
        """Follow ``commit``; False where it does not follow from what is known: then the next look
        tells where the account is."""
        if self._track is None:
            return False
        try:
            track, samples = committed(self._track, commit, self._before_end)
        except AccountingError as fault:
            _log.warning("revision %d can't be followed: %s", commit.revision, fault)
            return False
        for sample in samples:
            self._keep(sample)
        if not samples:
            self._track = track
        self.revision = commit.revision
        return True

    def _before_end(self, epoch: int) -> Sample | None:
        """The last sample of ``epoch`` from before it was ended, which may have been just now."""
        return before_end(self._found, epoch) or self._resumed(epoch)

    def _is_due(self, snapshot: Snapshot, now: datetime) -> bool:
        track = self._track
        if track is None or track.unrealized_pnl is None or self._is_new:
            return True
        if snapshot.revision > self.revision or snapshot.epoch != track.last.epoch:
            return True
        since = (now - track.last.time).total_seconds()
        has_moved = snapshot.unrealized_pnl != track.last.unrealized_pnl
        return since >= (PRICE_SECONDS if has_moved else LONGEST_SECONDS)

    def _see(self, snapshot: Snapshot, now: datetime) -> None:
        """Take ``snapshot`` as it is, whether or not it is known what led to it."""
        last = self.last
        if last is None or last.epoch != snapshot.epoch:
            self._keep(now_of(None, snapshot, now, self._carried))
        else:
            self._keep(seen_later(last, **_figures(snapshot, now)))

    def _keep(self, sample: Sample) -> None:
        """Take ``sample``, never from before the last one, with the gap that is between them."""
        last = self.last
        if last is not None:
            time = max(sample.time, last.time)
            sample = replace(sample, time=time, gap=_gap(last.time, time))
        self._found.append(sample)
        self._track, self.revision = track_of(sample), max(self.revision, sample.revision)

    def _taken(self) -> list[Sample]:
        found, self._found = self._found, []
        return found


def before_end(samples: Sequence[Sample], epoch: int) -> Sample | None:
    """Of ``samples``, the last of ``epoch`` from before it was ended; None where they have none of
    it."""
    ours = [each for each in samples if each.epoch == epoch]
    ended = ours[-1].revision if ours else 0
    return next((each for each in reversed(ours) if each.revision < ended), None)


def now_of(last: Sample | None, snapshot: Snapshot, now: datetime, carried: Carried) -> Sample:
    """The sample of ``snapshot``, how the account is at ``now``, where ``last`` was the newest one
    that was taken, perhaps of another epoch."""
    if last is None or last.epoch != snapshot.epoch or last.revision > snapshot.revision:
        return first_seen(
            time=now,
            revision=snapshot.revision,
            wallet=wallet_of(snapshot),
            unrealized_pnl=snapshot.unrealized_pnl,
            carried=carried(snapshot.epoch),
        )
    sample = sample_of(last, snapshot, max(now, last.time))
    if sample.carried is None:
        sample = replace(sample, carried=carried(snapshot.epoch))
    return replace(sample, gap=_gap(last.time, sample.time))


def _gap(before: datetime, time: datetime) -> int:
    """For how many seconds nobody looked between two samples."""
    seconds = (time - before).total_seconds()
    return int(seconds) if seconds > GAP_SECONDS else 0


def sample_of(last: Sample, snapshot: Snapshot, now: datetime) -> Sample:
    """The sample of ``snapshot`` after ``last``, which is of the same epoch."""
    return seen(last, **_figures(snapshot, now))


def _figures(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    return {
        "time": now,
        "revision": snapshot.revision,
        "wallet": wallet_of(snapshot),
        "unrealized_pnl": snapshot.unrealized_pnl,
    }


def wallet_of(snapshot: Snapshot) -> Wallet:
    """The wallet that ``snapshot`` tells."""
    return Wallet(
        epoch=snapshot.epoch,
        starting_balance=snapshot.starting_balance,
        deposits=snapshot.deposits,
        withdrawals=snapshot.withdrawals,
        adjustments=snapshot.adjustments,
        realized_pnl=snapshot.realized_pnl,
        fees_paid=snapshot.fees_paid,
        funding=-snapshot.funding_paid,
        balance=snapshot.balance,
    )
