"""The tracker: turns an account, and each of its changes, into samples."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Final

from balance.core.entry import Entry
from balance.core.errors import AccountingError, BalanceError
from balance.core.money import ZERO
from balance.core.snapshot import Snapshot
from balance.core.wallet import OPENINGS, Wallet
from balance.history.history import History
from balance.performance.sample import (
    Commit,
    Reading,
    Resumed,
    Sample,
    committed,
    first_sample,
    later_sample,
    next_sample,
    track_of,
)

#: So often there is a sample while only prices move, and while nothing does, in seconds.
PRICE_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 60.0
#: Two samples that are further apart than this have a gap between them, in seconds.
GAP_SECONDS: Final = 150.0
#: So many entries are read at most to follow other programs.
MOST_ENTRIES: Final = 10_000

#: Gives the P&L of all epochs before one, by its number; None while that is not known.
Carried = Callable[[int], Decimal | None]

# The fields of the wallet that a snapshot has too; funding has the other sign there.
_SAME: Final = tuple(each.name for each in fields(Wallet) if each.name != "funding")

_log = logging.getLogger(__name__)


def carried_by(history: History | None) -> Carried:
    """Reads the P&L of all epochs before one from ``history``; before the first it is zero."""

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


class Tracker:
    """Follows one account from its ``last`` sample on, or from the opening of its epoch."""

    def __init__(
        self, ledger: History, last: Sample | None, resumed: Resumed, carried: Carried
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

    def set_carried(self, carried: Decimal) -> None:
        """Let ``carried`` be the P&L of all earlier epochs."""
        if self._track is not None:
            last = replace(self._track.last, carried=carried)
            self._track = replace(self._track, last=last)

    def change(self, snapshot: Snapshot, entries: Sequence[Entry], time: datetime) -> list[Sample]:
        """The samples of a change by this program, after those of other programs before it."""
        if snapshot.revision > self.revision:
            self._catch_up(snapshot.revision - 1, snapshot, time)
            self._follow(Commit(time=time, entries=entries, unrealized_pnl=snapshot.unrealized_pnl))
        return self._take()

    def sample(self, snapshot: Snapshot, now: datetime, *, is_last: bool = False) -> list[Sample]:
        """The samples up to ``snapshot``, the account at ``now``; one of now is among them where it
        is due, or ``is_last``."""
        if self._track is None:
            self._add_openings(snapshot.epoch)
        self._catch_up(snapshot.revision, snapshot, now)
        if self._is_due(snapshot, now) or is_last:
            self._add_now(snapshot, now)
        self._is_new = False
        return self._take()

    def _add_openings(self, epoch: int) -> None:
        """Add the first samples of the account and of its ``epoch``."""
        for number in sorted({1, epoch}):
            opening = self._ledger.opening(number)
            if opening is None or opening.booking.kind not in OPENINGS:
                continue
            restated = opening.booking.restated
            wallet, open_pnl = Wallet.opened(number, opening.booking.amount), ZERO
            if restated is not None:
                wallet, open_pnl = restated.wallet, restated.unrealized_pnl
            reading = Reading(opening.time, opening.revision, wallet, open_pnl)
            self._add(first_sample(reading, self._carried(number)))

    def _catch_up(self, revision: int, snapshot: Snapshot, now: datetime) -> None:
        """Follow the ledger up to ``revision``, where other programs made changes."""
        if revision <= self.revision:
            return
        entries = self._ledger.since(self.revision, MOST_ENTRIES)
        if entries is None:
            self._add_now(snapshot, now)
            return
        for number, lines in groupby(entries, key=lambda entry: entry.revision):
            known = snapshot.unrealized_pnl if number == snapshot.revision else None
            own = tuple(lines)
            commit = Commit(time=own[0].time, entries=own, unrealized_pnl=known)
            if number > revision or not self._follow(commit):
                return

    def _follow(self, commit: Commit) -> bool:
        """Follow ``commit``; False where it does not follow from the track: then the next sample
        takes the account as it is."""
        if self._track is None:
            return False
        try:
            track, samples = committed(self._track, commit, self._before_end)
        except AccountingError as fault:
            _log.warning("revision %d can't be followed: %s", commit.revision, fault)
            return False
        for sample in samples:
            self._add(sample)
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

    def _add_now(self, snapshot: Snapshot, now: datetime) -> None:
        """Add ``snapshot`` as it is, even where the way there is not known."""
        last, reading = self.last, _reading(snapshot, now)
        if last is None or last.epoch != snapshot.epoch:
            self._add(first_sample(reading, self._carried(snapshot.epoch)))
        else:
            self._add(later_sample(last, reading))

    def _add(self, sample: Sample) -> None:
        """Add ``sample``, never from before the last one, with the gap that is between them."""
        last = self.last
        if last is not None:
            time = max(sample.time, last.time)
            sample = replace(sample, time=time, gap=_gap(last.time, time))
        self._found.append(sample)
        self._track, self.revision = track_of(sample), max(self.revision, sample.revision)

    def _take(self) -> list[Sample]:
        found, self._found = self._found, []
        return found


def before_end(samples: Sequence[Sample], epoch: int) -> Sample | None:
    """Of ``samples``, the last of ``epoch`` from before it was ended; None where they have none of
    it."""
    ours = [each for each in samples if each.epoch == epoch]
    ended = ours[-1].revision if ours else 0
    return next((each for each in reversed(ours) if each.revision < ended), None)


def current_sample(
    last: Sample | None, snapshot: Snapshot, now: datetime, carried: Carried
) -> Sample:
    """The sample of ``snapshot``, the account at ``now``, after ``last``, which may be of another
    epoch."""
    if last is None or last.epoch != snapshot.epoch or last.revision > snapshot.revision:
        return first_sample(_reading(snapshot, now), carried(snapshot.epoch))
    sample = next_sample(last, _reading(snapshot, max(now, last.time)))
    if sample.carried is None:
        sample = replace(sample, carried=carried(snapshot.epoch))
    return replace(sample, gap=_gap(last.time, sample.time))


def _gap(before: datetime, time: datetime) -> int:
    """The seconds between two samples, where they are too many."""
    seconds = (time - before).total_seconds()
    return int(seconds) if seconds > GAP_SECONDS else 0


def _reading(snapshot: Snapshot, time: datetime) -> Reading:
    wallet = Wallet(
        **{name: snapshot[name] for name in _SAME},
        funding=-snapshot.funding_paid,
    )
    return Reading(time, snapshot.revision, wallet, snapshot.unrealized_pnl)
