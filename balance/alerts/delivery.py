"""Delivery: firings are posted to the URLs of their alerts, and what came of it is saved.

Hosts have lanes of their own, so that one which does not answer holds up nobody else. Nobody who
hands in a firing ever waits for its post, and no answer sends it anywhere else.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import requests
import simplejson

from balance.alerts.rows import firing_message_row
from balance.alerts.settings import origin
from balance.alerts.state import Delivery, DeliveryState, Firing
from balance.alerts.store import AlertStore
from balance.background.worker import UNTIL_WOKEN, Worker
from balance.core.figures import plain

#: How many may wait for one host; more are not sent.
MOST_WAITING: Final = 100
TIMEOUT_SECONDS: Final = 5.0
#: How long it waits before it tries again.
PAUSES_SECONDS: Final = (1.0, 4.0)
#: The outcome of a firing that is not to be posted there any more.
CANCELLED: Final = "Given up: its alert was deleted, or has another address by now"

# What was not posted before the server stopped is posted after a start that comes so soon.
_STILL_NEWS: Final = timedelta(hours=1)
_TOO_LATE: Final = "Not sent: the server was off"
# How long a post that was given up may take to end: its own timeout ends it now, unless its name
# is still being resolved, or its answer comes byte by byte.
_ENDING_SECONDS: Final = 0.5
_HEADERS: Final = {"User-Agent": "virtual-balance", "Content-Type": "application/json"}
# What may go better at another time, beside the server's own faults.
_LATER: Final = (408, 425, 429)

#: How a post ended, with its text; ``sending`` where it may go better later.
Outcome = tuple[DeliveryState, str]
_HANGS: Final[Outcome] = "sending", "The answer to the one before has not ended yet"

#: Hears what came of which firing so far.
Report = Callable[[int, Delivery], None]
#: Whether a firing is still to be posted to a URL.
IsDue = Callable[[int, str], bool]


class Deliveries:
    """Posts firings to the URLs of their alerts, of which a firing names only the server. Safe to
    use from many threads."""

    def __init__(self, store: AlertStore, outbox: Callable[[Report, IsDue], Outbox]) -> None:
        self._store = store
        self._outbox = outbox(self._report, self._is_due)

    def post(self, *firings: Firing) -> None:
        """Post those of ``firings`` that have a delivery, if their alerts still have the URL."""
        with self._store.guard:
            for each in firings:
                if each.delivery is not None:
                    delivery = self._put(each, each.delivery)
                    if delivery != each.delivery:
                        self._report(each.id, delivery)

    def resume(self) -> bool:
        """Post what was left when the last server stopped, where that is news still; whether there
        was any, so that it is to be saved. Used with the guard of the store held."""
        left = [
            (each, each.delivery)
            for each in self._store.book.firings
            if each.delivery is not None and each.delivery.state == "sending"
        ]
        for firing, delivery in left:
            if datetime.now(UTC) - firing.time < _STILL_NEWS:
                self.post(firing)
            else:
                late = replace(delivery, state="failed", words=_TOO_LATE)
                self._store.put_delivery(firing.id, late)
        return bool(left)

    def stop(self) -> None:
        """Post nothing more once what is under way has ended."""
        self._outbox.stop()

    def _put(self, firing: Firing, delivery: Delivery) -> Delivery:
        url = self._url(firing)
        if url is None or origin(url) != delivery.url:
            return replace(delivery, state="failed", words=CANCELLED)
        return self._outbox.put(firing.id, url, firing_message_row(firing))

    def _url(self, firing: Firing) -> str | None:
        alert = self._store.book.find(firing.alert)
        return None if alert is None else alert.settings.url

    def _is_due(self, firing_id: int, url: str) -> bool:
        with self._store.guard:
            firing = self._store.book.firing(firing_id)
            return firing is not None and self._url(firing) == url

    def _report(self, firing_id: int, delivery: Delivery) -> None:
        with self._store.guard:
            if self._store.put_delivery(firing_id, delivery):
                self._store.save()
                self._store.publish()


class Outbox:
    """Posts from the first firing on until :meth:`stop`, to each host in a lane of its own."""

    def __init__(
        self,
        report: Report,
        is_due: IsDue,
        pauses: tuple[float, ...] = PAUSES_SECONDS,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        """``report`` is called from threads of the outbox's own, as is ``is_due`` before each try.
        So many ``pauses`` in seconds are followed by another try; a try takes at most ``timeout``
        seconds, whatever its receiver does."""
        self._posting = _Posting(report, is_due, pauses, timeout)
        self._guard = threading.Lock()
        self._lanes: dict[str, _Lane] = {}
        #: Whether it posts nothing more.
        self.is_stopped = False

    def put(self, firing: int, url: str, message: Mapping[str, Any]) -> Delivery:
        """Have ``message`` posted to ``url``; the delivery says whether it will be. After
        :meth:`stop` it is left for the next start."""
        body = simplejson.dumps({name: _raw(value) for name, value in message.items()}).encode()
        job = _Job(time.monotonic(), firing, url, Delivery(url=origin(url)), body)
        with self._guard:
            if self.is_stopped:
                return job.delivery
            lane = self._lanes.setdefault(origin(url), _Lane(self._posting))
            return lane.put(job)

    def stop(self) -> None:
        """Post nothing more, once what is under way is reported: else it would be posted again
        after the next start. It takes as long as one post at most."""
        with self._guard:
            self.is_stopped = True
        for wait in (False, True):
            for lane in self._lanes.values():
                lane.worker.stop(wait=wait)


@dataclass(frozen=True, slots=True)
class _Posting:
    report: Report
    is_due: IsDue
    pauses: tuple[float, ...]
    timeout: float


@dataclass(frozen=True, slots=True, order=True)
class _Job:
    """One firing that is to be posted."""

    # By the monotonic clock; those of one moment go in the order of the firings.
    due: float
    firing: int
    url: str
    delivery: Delivery
    body: bytes


class _Lane:
    """What is posted to one host, one after the other."""

    def __init__(self, posting: _Posting) -> None:
        self._posting = posting
        self._guard = threading.Lock()
        self._jobs: list[_Job] = []
        self._last: _Post | None = None
        # A turn that fails has dropped its job, so that the next one is due at once.
        self.worker = Worker("outbox", self._turn, "an alert could not be posted", every=0.0)

    def put(self, job: _Job) -> Delivery:
        with self._guard:
            if len(self._jobs) >= MOST_WAITING:
                message = f"Not sent: {len(self._jobs)} others wait to be"
                return replace(job.delivery, state="failed", words=message)
            heapq.heappush(self._jobs, job)
            self.worker.start()
        self.worker.wake()
        return job.delivery

    def _turn(self) -> float:
        """Post what is due; how many seconds pass until the next is."""
        with self._guard:
            if not self._jobs:
                return UNTIL_WOKEN
            wait = self._jobs[0].due - time.monotonic()
            if wait > 0:
                return wait
            job = heapq.heappop(self._jobs)
        if self._posting.is_due(job.firing, job.url):
            delivery = self._attempt(job)
        else:
            delivery = replace(job.delivery, state="failed", words=CANCELLED)
        if delivery.state == "sending":
            due = time.monotonic() + self._posting.pauses[delivery.tries - 1]
            with self._guard:
                heapq.heappush(self._jobs, replace(job, due=due, delivery=delivery))
        self._posting.report(job.firing, delivery)
        return 0.0

    def _attempt(self, job: _Job) -> Delivery:
        state, message = self._outcome(job)
        tries = job.delivery.tries + 1
        if state == "sending" and tries > len(self._posting.pauses):
            count = "1 try" if tries == 1 else f"{tries} tries"
            state, message = "failed", f"Gave up after {count}: {message}"
        return replace(job.delivery, state=state, words=message, tries=tries)

    def _outcome(self, job: _Job) -> Outcome:
        """How posting ``job`` ended, or that it has not in time. At most one post is under way,
        those that were given up among them."""
        timeout = self._posting.timeout
        if self._last is not None:
            self._last.join(_ENDING_SECONDS)
            if self._last.is_alive():
                return _HANGS
        self._last = _Post(job.url, job.body, timeout)
        self._last.start()
        self._last.join(timeout)
        return self._last.outcome or _silence(timeout)


class _Post(threading.Thread):
    """Posts once, in a thread of its own: resolving a name can't be ended, nor can an answer that
    comes byte by byte, so that whoever waits for it goes on without it."""

    def __init__(self, url: str, body: bytes, timeout: float) -> None:
        super().__init__(name="post", daemon=True)
        # None until it has ended.
        self.outcome: Outcome | None = None
        self._url, self._body, self._timeout = url, body, timeout

    def run(self) -> None:
        self.outcome = _post(self._url, self._body, self._timeout)


def _post(url: str, body: bytes, timeout: float) -> Outcome:
    try:
        with requests.Session() as session:
            # Nothing of this machine's settings goes with it: no proxy, and no password of .netrc.
            session.trust_env = False
            # Only the head of the answer is read, as nothing in its body is of use.
            with session.post(
                url, body, headers=_HEADERS, timeout=timeout, allow_redirects=False, stream=True
            ) as answer:
                return _answered(answer.status_code)
    except requests.Timeout:
        return _silence(timeout)
    except requests.exceptions.SSLError:
        return "refused", "Its certificate is not to be trusted"
    except requests.ConnectionError:
        return "sending", "Nobody answers there"
    except (requests.RequestException, ValueError):
        # The text of these errors has the whole address in it, which may be a secret.
        return "refused", "Nothing can be posted to its address"


def _silence(seconds: float) -> Outcome:
    """How a post ends that is not answered within ``seconds``."""
    return "sending", f"No answer within {seconds:g} s"


def _answered(status: int) -> Outcome:
    if status < 300:
        return "answered", f"Answered {status}"
    if status < 400:
        return "refused", f"Answered {status}, a redirect, which is not followed"
    if status in _LATER or status >= 500:
        return "sending", f"Answered {status}"
    return "refused", f"Refused: answered {status}"


def _raw(value: Any) -> Any:
    # A number with all its digits.
    return simplejson.RawJSON(plain(value)) if isinstance(value, Decimal) else value
