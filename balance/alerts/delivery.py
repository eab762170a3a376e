"""What becomes of firings that are posted: put into the outbox, and how it goes kept and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from balance.alerts.alert import Delivery, Firing
from balance.alerts.lane import UNWANTED, Told, Wanted
from balance.alerts.outbox import Outbox
from balance.alerts.rows import told
from balance.alerts.state import Keeper
from balance.alerts.web_address import origin

#: What was not posted before the server stopped is posted after a start that comes so soon.
_STILL_NEWS: Final = timedelta(hours=1)
_TOO_LATE: Final = "Not sent: the server was off"


class Sending:
    """Posts firings of ``keeper`` to the URLs of their alerts, of which a firing tells only the
    server. Safe to use from many threads."""

    def __init__(self, keeper: Keeper, outbox: Callable[[Told, Wanted], Outbox]) -> None:
        self._keeper = keeper
        self._outbox = outbox(self._delivered, self._is_wanted)

    def post(self, *firings: Firing) -> None:
        """Post those of ``firings`` that are to be, if their alerts still want it."""
        with self._keeper.guard:
            for each in firings:
                if each.delivery is not None:
                    delivery = self._put(each, each.delivery)
                    if delivery != each.delivery:
                        self._delivered(each.id, delivery)

    def resume(self) -> bool:
        """Post what was left when the last server stopped, where that is news still; whether there
        was any, so that it is to be kept. Used with the keeper's guard held."""
        left = [
            (each, each.delivery)
            for each in self._keeper.kept.firings
            if each.delivery is not None and each.delivery.state == "sending"
        ]
        for firing, delivery in left:
            if datetime.now(UTC) - firing.time < _STILL_NEWS:
                self.post(firing)
            else:
                late = replace(delivery, state="failed", words=_TOO_LATE)
                self._keeper.change_firing(replace(firing, delivery=late))
        return bool(left)

    def stop(self) -> None:
        """Post nothing more once what is under way has ended."""
        self._outbox.stop()

    def _put(self, firing: Firing, delivery: Delivery) -> Delivery:
        url = self._url(firing)
        if url is None or origin(url) != delivery.url:
            return replace(delivery, state="failed", words=UNWANTED)
        return self._outbox.put(firing.id, url, told(firing))

    def _url(self, firing: Firing) -> str | None:
        alert = self._keeper.kept.alerts.get(firing.alert)
        return None if alert is None else alert.settings.url

    def _is_wanted(self, firing_id: int, url: str) -> bool:
        with self._keeper.guard:
            found = [each for each in self._keeper.kept.firings if each.id == firing_id]
            return any(self._url(each) == url for each in found)

    def _delivered(self, firing_id: int, delivery: Delivery) -> None:
        with self._keeper.guard:
            found = [each for each in self._keeper.kept.firings if each.id == firing_id]
            for each in found:
                self._keeper.change_firing(replace(each, delivery=delivery))
            if found:
                self._keeper.keep()
                self._keeper.tell()
