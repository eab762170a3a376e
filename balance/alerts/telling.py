"""What is told of alerts, to those who ask and those who listen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from balance.alerts.alert import Alert, Kept
from balance.alerts.readings import Moment
from balance.alerts.rows import MOST_TOLD, firing_rows
from balance.core.errors import StoreError
from balance.core.market import Market
from balance.core.rows import Row
from balance.desk.desk import Desk

Listener = Callable[[Mapping[str, Any]], None]

_log = logging.getLogger(__name__)


def news_of(kept: Kept, version: int, fault: str) -> Row:
    """What every page is told when something has changed: the newest firings, and the ``fault`` for
    which no alert can be relied on, which is empty where all is well."""
    return {
        "version": version,
        "last": kept.fired,
        "fault": fault,
        "firings": firing_rows(kept.firings, MOST_TOLD),
    }


def tell_all(listeners: Iterable[Listener], news: Row) -> None:
    """Tell ``news`` to each of ``listeners``; a fault of one keeps no other from hearing."""
    for listener in listeners:
        try:
            listener(news)
        except Exception:
            _log.exception("a listener of the alerts failed")


def moment_of(desk: Desk, market: Market, alerts: Iterable[Alert]) -> Moment:
    """What ``alerts`` look at in ``market``: of the account only what one of them needs."""
    watched = {each.settings.what for each in alerts}
    if not watched - {"price"}:
        return Moment(market=market)
    try:
        account_id, _ = desk.version
        account = desk.account().marked(market)
        today, before = _today(desk) if "pnl_today" in watched else (None, None)
    except StoreError:
        return Moment(market=market)  # every tab says so
    return Moment(
        market=market,
        account=account,
        account_id=account_id,
        pnl_today=today,
        pnl_before=before,
    )


def _today(desk: Desk) -> tuple[Decimal | None, Decimal | None]:
    """The P&L of the day, and that of the epoch when the day began; None where it is not known."""
    snapshot = desk.snapshot()
    today = snapshot.pnl_today
    return today, None if today is None else snapshot.current_pnl - today
