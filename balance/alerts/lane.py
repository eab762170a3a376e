"""A lane of the outbox: what is posted to one host, one after the other.

Hosts have lanes of their own, so that one which does not answer holds up nobody else.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from balance.alerts.alert import Delivery
from balance.alerts.post import Outcome, Post, silence

#: How many may wait for one host; more are not sent.
MOST_WAITING: Final = 100
# how long one that was given up may take to end: its own timeout ends it now, unless its name is
# still looked up, or its answer comes byte by byte
_ENDING_SECONDS: Final = 0.5
_HANGS: Final[Outcome] = "sending", "The answer to the one before has not ended yet"

#: What is said where nobody wants a firing posted there any more.
UNWANTED: Final = "Given up: its alert was deleted, or has another address by now"

_log = logging.getLogger(__name__)

#: Is told what came of which firing so far.
Told = Callable[[int, Delivery], None]
#: Whether which firing is still to be posted to which URL.
Wanted = Callable[[int, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """How firings are posted."""

    # both are called from the threads of the lanes
    tell: Told
    is_wanted: Wanted
    # how many seconds pass before it is tried again
    pauses: tuple[float, ...]
    # how many seconds a post may take, whatever its receiver does
    timeout: float


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """One firing that is to be posted."""

    # by the monotonic clock; those of one moment in the order of the firings
    due: float
    firing: int
    url: str
    delivery: Delivery
    body: bytes


class Lane:
    """Posts what is put in, as long as there is something and until :meth:`stop`."""

    def __init__(self, posting: Posting) -> None:
        self._posting = posting
        self._jobs: list[Job] = []
        self._changed = threading.Condition()
        self._is_stopped = False
        # there is one while there are jobs
        self._thread: threading.Thread | None = None
        self._last: Post | None = None

    def put(self, job: Job) -> Delivery:
        """Have ``job`` done when it is due; tells whether it will be."""
        with self._changed:
            if len(self._jobs) >= MOST_WAITING:
                words = f"Not sent: {len(self._jobs)} others wait to be"
                return replace(job.delivery, state="failed", words=words)
            heapq.heappush(self._jobs, job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
                self._thread.start()
            self._changed.notify()
        return job.delivery

    def stop(self) -> threading.Thread | None:
        """Post nothing more; the thread that ends once what is under way is told, where there is
        one."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
            return self._thread

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._do(job)
            except Exception:
                _log.exception("an alert could not be posted")

    def _next(self) -> Job | None:
        with self._changed:
            while self._jobs and not self._is_stopped:
                wait = self._jobs[0].due - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._jobs)
                self._changed.wait(wait)
            self._thread = None
        return None

    def _do(self, job: Job) -> None:
        if self._posting.is_wanted(job.firing, job.url):
            delivery = self._tried(job)
        else:
            delivery = replace(job.delivery, state="failed", words=UNWANTED)
        if delivery.state == "sending":
            due = time.monotonic() + self._posting.pauses[delivery.tries - 1]
            with self._changed:
                heapq.heappush(self._jobs, replace(job, due=due, delivery=delivery))
        self._posting.tell(job.firing, delivery)

    def _tried(self, job: Job) -> Delivery:
        state, words = self._outcome(job)
        tries = job.delivery.tries + 1
        if state == "sending" and tries > len(self._posting.pauses):
            state, words = "failed", f"Gave up after {_times(tries)}: {words}"
        return replace(job.delivery, state=state, words=words, tries=tries)

    def _outcome(self, job: Job) -> Outcome:
        """How posting ``job`` ended, or that it has not in time. At most one post is under way,
        those that were given up among them."""
        timeout = self._posting.timeout
        if self._last is not None:
            self._last.join(_ENDING_SECONDS)
            if self._last.is_alive():
                return _HANGS
        self._last = Post(job.url, job.body, timeout)
        self._last.start()
        self._last.join(timeout)
        return self._last.outcome or silence(timeout)


def _times(tries: int) -> str:
    return "1 try" if tries == 1 else f"{tries} tries"
