"""Periods of the UTC calendar, and what the P&L of each is measured from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from balance.core.entry import Entry
from balance.core.money import exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """For one epoch of one account, what its P&L has to be added to for that of a period; None
    where the account is not known as it was when the period began. In the quote currency."""

    account: str = ""
    epoch: int = 0
    # For the P&L since 00:00, since Monday 00:00, and of all epochs.
    day: Decimal | None = None
    week: Decimal | None = None
    all_time: Decimal | None = None
    # Counts what was found anew, so that whoever shows it knows the newer one.
    number: int = 0

    def fits(self, account: str, epoch: int) -> bool:
        """Whether this is about ``epoch`` of ``account``."""
        return (self.account, self.epoch) == (account, epoch)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is unknown."""
        return None not in (self.day, self.week, self.all_time)

    def numbered_after(self, known: Baselines) -> Baselines:
        """This with the number after that of ``known``, or ``known`` where it says the same."""
        counted = replace(self, number=known.number)
        return known if counted == known else replace(self, number=known.number + 1)


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


@exactly
def after_reset(known: Baselines, account: str, epoch: int, entries: Sequence[Entry]) -> Baselines:
    """The baselines of ``epoch``, where the ``entries`` of one commit opened it by a reset of the
    one that ``known`` is about: that one's P&L is past now. Else ``known``."""
    ended = entries[-1].booking.ended if entries else None
    if ended is None or not known.fits(account, ended.wallet.epoch):
        return known
    closed = [each.booking.balance for each in entries if each.booking.epoch != epoch]
    pnl = (closed[-1] if closed else ended.wallet.balance) - ended.wallet.capital
    return Baselines(
        account=account,
        epoch=epoch,
        day=period_pnl(pnl, known.day),
        week=period_pnl(pnl, known.week),
        all_time=period_pnl(pnl, known.all_time),
        number=known.number + 1,
    )
