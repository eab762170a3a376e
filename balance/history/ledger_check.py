"""The check of the whole ledger: every line is proved once after the start, and again whatever
others have changed. What it finds is listed in the damage; nothing waits for it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from balance.background.pace import Pace
from balance.background.worker import Worker
from balance.core.errors import StoreError, StoreUnreadable
from balance.store.advice import command
from balance.store.damage import Damage, Damages
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE
from balance.store.state import Extent, Line, Store

#: So many damaged lines are listed one by one.
MOST_LISTED: Final = 20
# One turn of the check, how long after a commit it looks at what was added, and how often it looks
# whether another program has changed the ledger, in seconds.
_TURN_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 5.0
_LOST: Final = (
    "A request whose Idempotency-Key is repeated is refused where its answer is lost, and never "
    "booked twice; while the file can't be read, so are changes with a key."
)
# So many lines are read before others get their turn.
_BLOCK: Final = 50


@dataclass(slots=True)
class _Pass:
    """How far the check has come on its way through the ledger."""

    # The ledger as it was at the last turn; None: there was none.
    extent: Extent | None = None
    # Where the next line begins, and how many there are before it.
    place: int = 0
    number: int = 0
    # The first damaged lines, and how many there are beside those.
    found: list[Damage] = field(default_factory=list)
    more: int = 0
    # Whether it has come to the end, and whether it has to begin anew all the same.
    is_done: bool = False
    is_stale: bool = False


class LedgerCheck:
    """Proves the lines of the ledger of ``store``, the oldest first, and lists in ``damages`` those
    that are not as they were written.

    What is appended is proved as it comes. Where the ledger was changed in another way, such as by
    an editor or by a repair, all of it is proved once more.
    """

    def __init__(self, store: Store, damages: Damages) -> None:
        self._store = store
        self._damages = damages
        self._pass = _Pass()
        # The damaged line because of which changes are refused; None: there is none.
        self._stopping: int | None = None

    @property
    def percent(self) -> int:
        """How much of the ledger has been proved, or found damaged, in percent, rounded down."""
        now = self._pass
        if now.is_done or now.extent is None:
            return 100 if now.is_done else 0
        return min(99, 100 * now.place // max(1, now.extent.end))

    def report(self, fault: StoreUnreadable) -> None:
        """List the damage that somebody met who read the ledger, before the check comes to it."""
        if fault.file != LEDGER_FILE or fault.line is None:
            return
        listed = {each.line for each in self._damages.listed if each.file == LEDGER_FILE}
        # Beyond those that are listed one by one, their number is.
        if not listed & {fault.line, None}:
            self._damages.report(self._damage(fault.line, fault.reason))
            # It was proved before, or the check has not come to it: so the check begins anew.
            self._pass.is_stale = True

    def check(self, seconds: float | None = None) -> bool:
        """Prove what has not been proved yet, for at most so many ``seconds`` (None: all of it);
        returns whether all is.

        Raises:
            StoreError: the account or its ledger can't be read now.
        """
        self._compare()
        self._check_answers()
        extent, now = self._store.extent(), self._pass
        if now.is_done and not now.is_stale and extent == now.extent:
            return True
        if now.is_stale or not _has_grown(now.extent, extent):
            self._pass = now = _Pass()
        now.extent, now.is_done = extent, False
        start, pace = time.monotonic(), Pace()
        for line in self._store.lines(now.place):
            now.number, now.place = now.number + 1, line.end
            if line.fault:
                self._add(now, line)
            if now.number % _BLOCK == 0:
                pace.rest()
                if seconds is not None and time.monotonic() - start > seconds:
                    return False
        now.is_done = not now.is_stale
        if now.is_done:
            self._damages.settle(LEDGER_FILE, now.found)
            if now.more:
                self._damages.report(self._damage(None, f"has {now.more:,} more damaged lines"))
        return now.is_done

    def _compare(self) -> None:
        """List it if the ledger does not lead up to the account."""
        try:
            fault = self._store.disagreement()
        except StoreUnreadable as unreadable:
            if unreadable.file != LEDGER_FILE:
                raise
            fault = unreadable
        message = fault and (
            f"{fault.file} {fault.reason}, so it does not lead up to {ACCOUNT_FILE}. The account "
            f"is shown as it is, and changes are refused. {self._advice}"
        )
        found = [Damage(ACCOUNT_FILE, None, message)] if message else []
        self._damages.settle(ACCOUNT_FILE, found)
        stopping = None if fault is None or fault.file != LEDGER_FILE else fault.line
        if stopping != self._stopping:
            self._stopping, self._pass.is_stale = stopping, True

    def _check_answers(self) -> None:
        """List it if answers that are kept for repeated requests are lost."""
        faults = self._store.answer_faults()
        if faults is None:
            return
        found = []
        if faults:
            more = f" {len(faults) - 1:,} more of it can't be used." if len(faults) > 1 else ""
            found.append(Damage(ANSWER_FILE, None, f"{faults[0]}{more} {_LOST} {self._advice}"))
        self._damages.settle(ANSWER_FILE, found)

    def _add(self, now: _Pass, line: Line) -> None:
        if len(now.found) == MOST_LISTED:
            now.more += 1
            return
        now.found.append(self._damage(now.number, line.fault))
        self._damages.report(now.found[-1])

    def _damage(self, number: int | None, text: str) -> Damage:
        means = "Lists and sums that need it are refused, everything else goes on."
        if number is not None and number == self._stopping:
            means = "Lists and sums that need it are refused, and so are changes."
        return Damage(LEDGER_FILE, number, f"{LEDGER_FILE} {text}. {means} {self._advice}")

    @property
    def _advice(self) -> str:
        verify, repair = (command(each, self._store.folder) for each in ("verify", "repair"))
        return f"`{verify}` says more, and `{repair}` mends it."


def ledger_checker(check: LedgerCheck) -> Worker:
    """A worker that goes on with ``check`` in the background."""

    def turn() -> float | None:
        try:
            return None if check.check(_TURN_SECONDS) else 0
        except StoreError:
            return None  # Every tab says so.

    return Worker(
        "ledger-check",
        turn,
        "the ledger could not be checked",
        every=_LOOK_SECONDS,
        settle=_QUIET_SECONDS,
    )


def _has_grown(before: Extent | None, extent: Extent) -> bool:
    """Whether the ledger has only grown, or nothing, since it reached as far as ``before``, as far
    as this can be told from outside."""
    if before is None or before == extent:
        return True
    is_longer = extent.end > before.end or extent.revision > before.revision
    return extent.ledger == before.ledger and extent.end >= before.end and is_longer
