"""The sampler: one thread that samples the account, whether or not a browser is open."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from balance.background.clock import JITTER_SECONDS, Steadiness
from balance.background.worker import Worker
from balance.core.entry import Entry
from balance.core.errors import BalanceError
from balance.core.periods import NO_BASELINES, Baselines, after_reset, day_start
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.history.history import History
from balance.performance.baselines import baselines_of
from balance.performance.sample_store import SampleStore
from balance.performance.tracker import Tracker, carried_by

#: How often the account is sampled where that is due, and samples are written.
TURN_SECONDS: Final = 1.0
#: Samples are thinned and dated anew only by a clock that made no leap for so long.
STEADY_SECONDS: Final = 300.0
# So many changes wait for the next turn; more than these are read from the ledger.
_MOST_CHANGES: Final = 10_000


class Sampler:
    """Samples the account of ``desk`` from :meth:`start` to :meth:`stop`, into ``folder``, and
    gives the desk's snapshots the P&L of periods."""

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        show: Callable[[Snapshot], None],
        history: History | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
        baselines: Baselines = NO_BASELINES,
    ) -> None:
        """``show`` is called with the account when more is known of its past, which until then is
        what ``baselines`` say; ``steady`` counts seconds whatever becomes of the ``clock``."""
        self._desk = desk
        self._show = show
        self._carried = carried_by(history)
        self._clock = clock
        self._steadiness = Steadiness(steady, STEADY_SECONDS)
        self._store = SampleStore(folder, desk.ledger.damages)
        self._account = ""
        self._tracker: Tracker | None = None
        self._changes: deque[tuple[Snapshot, Sequence[Entry], datetime]] = deque(
            maxlen=_MOST_CHANGES
        )
        self._baselines = baselines
        # What the baselines depend on, as it was when they were found.
        self._found_for: tuple[object, ...] = ()
        self._worker = Worker(
            "sampler",
            self._turn,
            "the equity could not be sampled",
            every=TURN_SECONDS,
            last=self._end,
        )
        desk.subscribe_entries(self._note_change)
        desk.use_baselines(self._baselines_after)

    @property
    def message(self) -> str:
        """What became of an earlier file of samples; empty for nothing."""
        return self._store.message

    def suspect(self) -> None:
        """Prove the file of the samples now, as it was found damaged."""
        self._store.suspect()
        self._worker.wake()

    def start(self) -> None:
        """Begin, with a sample at once."""
        self._worker.start()

    def stop(self) -> None:
        """End with a last sample, and wait until it is written."""
        self._worker.stop()

    def sample(self, *, is_last: bool = False) -> None:
        """Take the samples that are due, and write them.

        Raises:
            BalanceError: the account can't be read.
        """
        now = self._clock()
        is_believed = self._steadiness.is_believed(now)
        tracker = self._tracker_for(self._desk.snapshot(), now, is_believed)
        if tracker is None:
            return  # The ledger has what happens until the disk is well.
        if tracker.last is not None:
            self._follow_changes(tracker)
        # The snapshot is taken only now, so that it is not older than the changes.
        self._store.add(tracker.sample(self._desk.snapshot(), now, is_last=is_last))
        self._store.write(now, thins=is_believed)
        self._set_carried(tracker, now)
        self._find_baselines(tracker, now)

    def _turn(self) -> None:
        with suppress(BalanceError):  # Every tab says so.
            self.sample()

    def _end(self) -> None:
        try:
            with suppress(BalanceError):
                self.sample(is_last=True)
        finally:
            self._store.close()

    def _note_change(self, snapshot: Snapshot, entries: Sequence[Entry]) -> None:
        """Note a change by this program; whoever made it waits."""
        self._changes.append((snapshot, entries, self._clock()))
        if snapshot.epoch != self._baselines.epoch:
            # Until the next turn snapshots have no P&L of periods.
            self._worker.wake()

    def _baselines_after(self, account: str, epoch: int, entries: Sequence[Entry]) -> Baselines:
        known = self._baselines
        found = after_reset(known, account, epoch, entries)
        if found is not known:
            self._baselines = found
        return found

    def _tracker_for(self, snapshot: Snapshot, now: datetime, is_believed: bool) -> Tracker | None:
        """The tracker of the account of ``snapshot``, a new one where that is another account, was
        put back, or the clock was; None while the disk refuses. Until a clock is believed that is
        behind the samples, none is dated anew: the next have the time of the last."""
        tracker = self._tracker
        if tracker is None or snapshot.account != self._account:
            self._account, self._tracker = snapshot.account, None
            if not self._store.open(snapshot.account, now):
                return None
            tracker = self._new_tracker()
        if tracker.revision > snapshot.revision:
            self._store.take_back(snapshot.revision, now)
            tracker = self._new_tracker()
        last = tracker.last
        is_behind = last is not None and (last.time - now).total_seconds() > JITTER_SECONDS
        if is_behind and is_believed:
            self._store.set_back(now)
            tracker = self._new_tracker()
        return tracker

    def _new_tracker(self) -> Tracker:
        """A tracker that goes on where the samples end."""
        # The samples that periods were measured from may be gone.
        self._found_for = ()
        newest = self._store.newest()
        self._tracker = Tracker(self._desk.ledger, newest, self._store.before_end, self._carried)
        return self._tracker

    def _follow_changes(self, tracker: Tracker) -> None:
        while self._changes:
            snapshot, entries, time = self._changes.popleft()
            if snapshot.account == self._account:
                self._store.add(tracker.change(snapshot, entries, time))

    def _set_carried(self, tracker: Tracker, now: datetime) -> None:
        """Note the P&L of earlier epochs as soon as it is known."""
        last = tracker.last
        if last is None or last.carried is not None:
            return
        carried = self._carried(last.epoch)
        if carried is not None:
            tracker.set_carried(carried)
            self._store.fill(self._carried, now)

    def _find_baselines(self, tracker: Tracker, now: datetime) -> None:
        """Find what the P&L of periods is measured from, where that may have changed, and show the
        account where it has."""
        last = tracker.last
        if last is None:
            return
        depends_on = (self._account, last.epoch, last.carried, day_start(now))
        if depends_on == self._found_for:
            return
        self._found_for = depends_on
        found = baselines_of(self._store, last, self._account, now)
        known = found.numbered_after(self._baselines)
        if known is not self._baselines:
            self._baselines = known
            self._show(self._desk.snapshot())
