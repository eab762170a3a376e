"""Changes of the alerts: each made once, kept and told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from balance.alerts.alert import Answer
from balance.alerts.rows import alert_row
from balance.alerts.watching import Watching
from balance.core.request import check_key


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request: one sentence, and members of the answer such as the ``alert``."""

    message: str
    members: Mapping[str, Any] = field(default_factory=dict)
    # whether an earlier request with the same key had done it already
    replayed: bool = False


class Changing(Watching):
    """How a change is made. Safe to use from many threads."""

    def _changed(
        self, asked: Sequence[Any], key: str | None, change: Callable[[], tuple[str, str]]
    ) -> Done:
        """Make ``change``, which tells its alert and what it did; kept durably, and told.

        Raises:
            BalanceError: whatever ``change`` refuses, with nothing of it left.
        """
        fingerprint = _fingerprint(asked)
        with self._keeper.guard:
            earlier = self._earlier(key, fingerprint)
            if earlier is not None:
                return earlier
            made: list[str] = []

            def make() -> str:
                alert_id, said = change()
                made.append(alert_id)
                if key is not None:
                    self._keeper.answer(
                        Answer(key=key, fingerprint=fingerprint, message=said, alert=alert_id)
                    )
                return said

            said = self._keeper.all_or_nothing(make)
            self._keeper.tell()
            return Done(said, self._members(made[0]))

    def _earlier(self, key: str | None, fingerprint: str) -> Done | None:
        if key is None:
            return None
        check_key(key)
        answer = self._keeper.answered(key, fingerprint)
        if answer is None:
            return None
        return Done(answer.message, self._members(answer.alert), replayed=True)

    def _members(self, alert_id: str) -> Mapping[str, Any]:
        """The row of the alert for an answer; of one that is gone there is none."""
        alert = self._keeper.kept.alerts.get(alert_id)
        return {} if alert is None else {"alert": alert_row(alert, self._moment(alert))}


def _fingerprint(asked: Sequence[Any]) -> str:
    text = json.dumps(asked, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
