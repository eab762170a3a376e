"""The sampler: one thread that looks at the account and keeps what it is worth, browser or not."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from balance.core.entry import Entry
from balance.core.errors import BalanceError
from balance.core.periods import NO_BASELINES, Baselines, after_reset, day_start
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.history.index import Index
from balance.performance.baselines import baselines_of
from balance.performance.sample_store import Keeper
from balance.performance.steadiness import JITTER_SECONDS, Steadiness
from balance.performance.tracker import Tracker, carried_by

#: How often the account is looked at, and what was found is written.
LOOK_SECONDS: Final = 1.0
# what wait until the next look; more than these the ledger tells
_MOST_CHANGES: Final = 10_000

_log = logging.getLogger(__name__)


class Sampler:
    """Samples the account of ``desk`` from :meth:`start` to :meth:`stop`, into ``folder``; has the
    desk's snapshots tell the P&L of periods."""

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        show: Callable[[Snapshot], None],
        history: Index | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``show`` is told the account when more is known of its past; ``steady`` counts seconds
        whatever becomes of the ``clock``."""
        self._desk = desk
        self._show = show
        self._carried = carried_by(history)
        self._clock = clock
        self._steadiness = Steadiness(steady)
        self._keeper = Keeper(folder)
        self._account = ""
        self._tracker: Tracker | None = None
        self._changes: deque[tuple[Snapshot, Sequence[Entry], datetime]] = deque(
            maxlen=_MOST_CHANGES
        )
        self._baselines = NO_BASELINES
        # what they depend on, as it was when they were found
        self._looked: tuple[object, ...] = ()
        self._is_broken = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        desk.subscribe_entries(self._heard)
        desk.use_baselines(self._past)

    @property
    def words(self) -> str:
        """What there is to say of the file of the samples; empty for nothing."""
        return self._keeper.words

    def start(self) -> None:
        """Begin, with a sample at once."""
        self._thread.start()

    def stop(self) -> None:
        """End with a last sample, and wait until it is kept."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self, *, is_last: bool = False) -> None:
        """Take the samples that are due, and write them.

        Raises:
            BalanceError: the account can't be read.
        """
        now = self._clock()
        is_believed = self._steadiness.is_believed(now)
        tracker = self._tracker_for(self._desk.snapshot(), now, is_believed)
        if tracker is None:
            return  # what happens until the disk is well is in the ledger
        if tracker.last is not None:
            self._follow_changes(tracker)
        # only now: it must not be older than the changes
        self._keeper.add(tracker.look(self._desk.snapshot(), now, is_last=is_last))
        self._keeper.write(now, thins=is_believed)
        self._look_back(tracker, now)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.is_set()
            try:
                self.look(is_last=is_last)
                self._is_broken = False
            except BalanceError:
                pass  # every tab says so
            except Exception:
                if not self._is_broken:
                    _log.exception("the equity could not be sampled")
                self._is_broken = True
            if not is_last:
                self._wake.wait(LOOK_SECONDS)
                self._wake.clear()
        self._keeper.close()

    def _heard(self, snapshot: Snapshot, entries: Sequence[Entry]) -> None:
        """Note a change that was made here; whoever made it waits."""
        self._changes.append((snapshot, entries, self._clock()))
        if snapshot.epoch != self._baselines.epoch:
            # until then snapshots tell nothing of periods
            self._wake.set()

    def _past(self, account: str, epoch: int, entries: Sequence[Entry]) -> Baselines:
        known = self._baselines
        found = after_reset(known, account, epoch, entries)
        if found is not known:
            self._baselines = found
        return found

    def _tracker_for(self, snapshot: Snapshot, now: datetime, is_believed: bool) -> Tracker | None:
        """What follows the account of ``snapshot``, taken up anew where that is another one, was
        put back, or the clock was; None while the disk refuses. Until the clock is believed that
        is behind the samples, none is dated anew: the next have the time of the last."""
        tracker = self._tracker
        if tracker is None or snapshot.account != self._account:
            self._account, self._tracker = snapshot.account, None
            if not self._keeper.open(snapshot.account, now):
                return None
            tracker = self._taken_up()
        if tracker.revision > snapshot.revision:
            self._keeper.take_back(snapshot.revision, now)
            tracker = self._taken_up()
        last = tracker.last
        is_behind = last is not None and (last.time - now).total_seconds() > JITTER_SECONDS
        if is_behind and is_believed:
            self._keeper.set_back(now)
            tracker = self._taken_up()
        return tracker

    def _taken_up(self) -> Tracker:
        """A tracker that goes on where the samples end."""
        newest = self._keeper.newest()
        # what periods were measured from may be gone
        self._looked = ()
        self._tracker = Tracker(self._desk, newest, self._keeper.before_end, self._carried)
        return self._tracker

    def _follow_changes(self, tracker: Tracker) -> None:
        while self._changes:
            told, entries, time = self._changes.popleft()
            if told.account == self._account:
                self._keeper.add(tracker.change(told, entries, time))

    def _look_back(self, tracker: Tracker, now: datetime) -> None:
        """Find out what the P&L of periods is measured from, where that may have changed, and show
        it where that is news."""
        self._learn(tracker, now)
        last = tracker.last
        if last is None:
            return
        looked = (self._account, last.epoch, last.carried, day_start(now))
        if looked == self._looked:
            return
        self._looked = looked
        found = baselines_of(self._keeper, last, self._account, now)
        known = found.numbered_after(self._baselines)
        if known is not self._baselines:
            self._baselines = known
            self._show(self._desk.snapshot())

    def _learn(self, tracker: Tracker, now: datetime) -> None:
        """Note what earlier epochs brought as soon as that is known."""
        last = tracker.last
        if last is None or last.carried is not None:
            return
        carried = self._carried(last.epoch)
        if carried is not None:
            tracker.learn(carried)
            self._keeper.fill(self._carried, now)
