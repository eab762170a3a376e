"""The store's twin in memory: the same contract, gone with the process."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

from balance.core.change import Operation
from balance.core.entry import Entry, Place
from balance.core.errors import KeyReused
from balance.core.money import DEFAULT_STARTING_BALANCE
from balance.core.operations import start_account
from balance.store.codec import chained
from balance.store.state import (
    Commit,
    Extent,
    Line,
    Request,
    Spot,
    State,
    expect,
    first_state,
    next_state,
)


class MemoryStore:
    """An account that lives as long as this object; safe to use from several threads."""

    folder = None

    def __init__(
        self,
        starting_balance: Decimal = DEFAULT_STARTING_BALANCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        state = first_state("memory", start_account(starting_balance), clock(), "program")
        self._state = chained(state)
        self._ledger: tuple[Entry, ...] = self._state.entries
        self._lines: tuple[bytes, ...] = self._state.lines
        self._answered: dict[str, State] = {}

    def read(self) -> State:
        """The newest committed state."""
        return self._state

    def commit(
        self,
        operation: Operation,
        *,
        source: str,
        if_match: int | None = None,
        request: Request | None = None,
    ) -> Commit:
        """Apply ``operation`` and keep the result, as :meth:`Store.commit` says."""
        with self._lock:
            if request is not None and (earlier := self._answered.get(request.key)):
                if earlier.request != request:
                    raise KeyReused(request.key)
                return Commit(earlier, replayed=True)
            expect(self._state, if_match)
            state = chained(next_state(self._state, operation, self._clock(), source, request))
            self._state = state
            self._ledger += state.entries
            self._lines += state.lines
            if request is not None:
                self._answered[request.key] = state
            return Commit(state)

    def entries(self, *, before: Place | None = None) -> Iterator[Entry]:
        """The ledger, newest first, from just before ``before`` on."""
        return (entry for entry in reversed(self._ledger) if before is None or entry.place < before)

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``; None where there is none."""
        ledger = self._ledger
        place = bisect_left(ledger, epoch, key=lambda entry: entry.booking.epoch)
        found = ledger[place] if place < len(ledger) else None
        return found if found is not None and found.booking.epoch == epoch else None

    def disagreement(self) -> None:
        """None: both are in memory."""

    def answer_faults(self) -> tuple[str, ...]:
        """Nothing: they are in memory."""
        return ()

    def extent(self) -> Extent:
        """How far the ledger reaches: a line is as long as 1."""
        return Extent("memory", self._state.revision, len(self._ledger))

    def lines(self, start: int = 0) -> Iterator[Line]:
        """The ledger, oldest first, from the entry numbered ``start``, from 0, on."""
        for number, text in enumerate(self._lines[start:], start):
            yield Line(number, number + 1, text)

    def texts(self, spots: Iterable[Spot]) -> Iterator[bytes]:
        """What stands in the ledger at each of ``spots``."""
        lines = self._lines
        for start, _ in spots:
            yield lines[start] if start < len(lines) else b""
