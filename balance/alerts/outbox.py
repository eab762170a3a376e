"""The outbox: one thread that posts firings to the addresses that a person has named.

Nobody who puts something in ever waits for it, and no answer sends it anywhere else.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import requests
import simplejson

from balance.alerts.alert import Delivery, DeliveryState
from balance.core.figures import plain

#: How many may wait; more are not sent.
MOST_WAITING: Final = 100
TIMEOUT_SECONDS: Final = 5.0
#: How long it waits before it tries again.
PAUSES_SECONDS: Final = (1.0, 4.0)
_HEADERS: Final = {"User-Agent": "virtual-balance", "Content-Type": "application/json"}
# what may go better at another time, beside the server's own faults
_LATER: Final = (408, 425, 429)

_log = logging.getLogger(__name__)

#: Is told what came of which firing so far.
Told = Callable[[int, Delivery], None]


@dataclass(frozen=True, slots=True, order=True)
class _Job:
    # when it is to be done, by the monotonic clock; those of one moment in the order of the firings
    due: float
    firing: int
    delivery: Delivery
    body: bytes


class Outbox:
    """Posts from the first firing on until :meth:`stop`."""

    def __init__(
        self,
        tell: Told,
        pauses: tuple[float, ...] = PAUSES_SECONDS,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        """``tell`` is called from the outbox's own thread."""
        self._tell = tell
        self._pauses = pauses
        self._timeout = timeout
        self._jobs: list[_Job] = []
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def put(self, firing: int, url: str, members: Mapping[str, Any]) -> Delivery:
        """Have ``members`` posted to ``url``; tells whether it will be. After :meth:`stop` it is
        left for the next start."""
        body = simplejson.dumps({name: _raw(value) for name, value in members.items()}).encode()
        delivery = Delivery(url=url)
        with self._changed:
            if self._is_stopped:
                return delivery
            if len(self._jobs) >= MOST_WAITING:
                words = f"Not sent: {len(self._jobs)} others wait to be"
                return Delivery(url=url, state="failed", words=words)
            heapq.heappush(self._jobs, _Job(time.monotonic(), firing, delivery, body))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
                self._thread.start()
            self._changed.notify()
        return delivery

    def stop(self) -> None:
        """End; what is under way is not waited for, and told no more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._do(job)
            except Exception:
                _log.exception("an alert could not be posted")

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._is_stopped:
                wait = self._jobs[0].due - time.monotonic() if self._jobs else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._jobs)
                self._changed.wait(wait)
        return None

    def _do(self, job: _Job) -> None:
        state, words = _posted(job.delivery.url, job.body, self._timeout)
        tries = job.delivery.tries + 1
        if state == "sending" and tries > len(self._pauses):
            state, words = "failed", f"Gave up after {_times(tries)}: {words}"
        delivery = replace(job.delivery, state=state, words=words, tries=tries)
        with self._changed:
            if self._is_stopped:
                return
            if state == "sending":
                due = time.monotonic() + self._pauses[tries - 1]
                heapq.heappush(self._jobs, replace(job, due=due, delivery=delivery))
        self._tell(job.firing, delivery)


def _raw(value: Any) -> Any:
    # a number with all its digits
    return simplejson.RawJSON(plain(value)) if isinstance(value, Decimal) else value


def _posted(url: str, body: bytes, timeout: float) -> tuple[DeliveryState, str]:
    """How posting ``body`` to ``url`` ended, in words; ``sending`` where it may go better later."""
    try:
        with requests.Session() as session:
            # nothing of this machine's settings goes with it: no proxy, and no password of .netrc
            session.trust_env = False
            # only the head of the answer is read: there is nothing in it that is of use
            with session.post(
                url, body, headers=_HEADERS, timeout=timeout, allow_redirects=False, stream=True
            ) as answer:
                return _outcome(answer.status_code)
    except requests.Timeout:
        return "sending", f"No answer within {timeout:g} s"
    except requests.exceptions.SSLError:
        return "refused", "Its certificate is not to be trusted"
    except requests.ConnectionError:
        return "sending", "Nobody answers there"
    except (requests.RequestException, ValueError) as fault:
        return "refused", f"It can't be asked: {fault!s:.120}"


def _outcome(status: int) -> tuple[DeliveryState, str]:
    if status < 300:
        return "answered", f"Answered {status}"
    if status < 400:
        return "refused", f"Answered {status}, a redirect, which is not followed"
    if status in _LATER or status >= 500:
        return "sending", f"Answered {status}"
    return "refused", f"Refused: answered {status}"


def _times(tries: int) -> str:
    return "1 try" if tries == 1 else f"{tries} tries"
