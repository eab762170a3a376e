"""The outbox: posts firings to the addresses that a person has named.

Nobody who puts something in ever waits for it, and no answer sends it anywhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import simplejson

from balance.alerts.alert import Delivery
from balance.alerts.lane import Job, Lane, Posting, Told, Wanted
from balance.alerts.web_address import origin
from balance.core.figures import plain

TIMEOUT_SECONDS: Final = 5.0
#: How long it waits before it tries again.
PAUSES_SECONDS: Final = (1.0, 4.0)


class Outbox:
    """Posts from the first firing on until :meth:`stop`, to each host in a lane of its own."""

    def __init__(
        self,
        tell: Told,
        is_wanted: Wanted,
        pauses: tuple[float, ...] = PAUSES_SECONDS,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        """``tell`` is called from threads of the outbox's own, as is ``is_wanted`` before each
        try."""
        self._posting = Posting(tell=tell, is_wanted=is_wanted, pauses=pauses, timeout=timeout)
        self._guard = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._is_stopped = False

    def put(self, firing: int, url: str, members: Mapping[str, Any]) -> Delivery:
        """Have ``members`` posted to ``url``; tells whether it will be. After :meth:`stop` it is
        left for the next start."""
        body = simplejson.dumps({name: _raw(value) for name, value in members.items()}).encode()
        job = Job(time.monotonic(), firing, url, Delivery(url=origin(url)), body)
        with self._guard:
            if self._is_stopped:
                return job.delivery
            lane = self._lanes.setdefault(origin(url), Lane(self._posting))
        return lane.put(job)

    def stop(self) -> None:
        """Post nothing more, once what is under way is told: untold, it would be posted again after
        the next start. It takes as long as one post at most."""
        with self._guard:
            self._is_stopped = True
        ending = [lane.stop() for lane in self._lanes.values()]
        for thread in ending:
            if thread is not None:
                thread.join()


def _raw(value: Any) -> Any:
    # a number with all its digits
    return simplejson.RawJSON(plain(value)) if isinstance(value, Decimal) else value
