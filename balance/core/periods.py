"""Periods of the UTC calendar, and what the P&L of each is measured from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """For one epoch of one account, what its P&L has to be added to for that of a period; None
    where the account is not known as it was when the period began. In the quote currency."""

    account: str = ""
    epoch: int = 0
    # since 00:00, since Monday 00:00, and in all epochs
    day: Decimal | None = None
    week: Decimal | None = None
    all_time: Decimal | None = None
    # counts what was found out anew, so that who shows it can tell
    number: int = 0

    def fits(self, account: str, epoch: int) -> bool:
        """Whether this is about ``epoch`` of ``account``."""
        return (self.account, self.epoch) == (account, epoch)


#: While nothing of the past is known.
NO_BASELINES: Final = Baselines()


def day_start(moment: datetime) -> datetime:
    """When the day of ``moment`` began, in UTC."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def week_start(moment: datetime) -> datetime:
    """When the week of ``moment`` began: on Monday, in UTC."""
    day = day_start(moment)
    return day - timedelta(days=day.weekday())


def period_pnl(pnl: Decimal, before: Decimal | None) -> Decimal | None:
    """The P&L of a period: that of the epoch and what it has to be added to."""
    return None if before is None else pnl + before


def period_percent(pnl: Decimal | None, equity: Decimal) -> Decimal | None:
    """``pnl`` in percent of what the ``equity`` would be without it; None where that is nothing."""
    if pnl is None or equity - pnl <= 0:
        return None
    return pnl / (equity - pnl) * 100
