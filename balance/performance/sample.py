"""Performance: what became of the money, whatever was put in or taken out meanwhile.

The account is looked at again and again; between two looks the return is
``(equity after - flow) / equity before``, where the flow is what was put in less what was taken
out, counted at the end. The product of these is the time-weighted growth (GIPS 2020, provision
2.A.18: sub-periods end at each flow, and are linked geometrically). Money that comes or goes does
not move it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final, NamedTuple

from balance.core.account import Account
from balance.core.entry import Booking, Entry, replay
from balance.core.money import ZERO, exactly
from balance.core.wallet import Wallet

ONE: Final = Decimal(1)
# what is chained millions of times keeps so many digits
_DIGITS: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The account at one moment, and how it came there; money in the quote currency."""

    time: datetime
    revision: int
    wallet: Wallet
    unrealized_pnl: Decimal
    # what 1 has become since the epoch began, to 28 digits
    growth: Decimal
    # whether that is so; not where money came or went while nobody saw the equity, nor where
    # something was gained from nothing
    is_whole: bool
    # the epoch in which that growth began: an undone reset lets one go on with an older one's
    chain: int
    # the P&L of earlier epochs; None where it is not known
    carried: Decimal | None
    # for how many seconds before it nobody looked
    gap: int = 0
    # whether it stays when others are thinned out
    is_kept: bool = False

    @property
    def epoch(self) -> int:
        """The epoch that it is of."""
        return self.wallet.epoch

    @property
    def equity(self) -> Decimal:
        """Wallet balance + unrealised P&L."""
        return self.wallet.balance + self.unrealized_pnl

    @property
    def pnl(self) -> Decimal:
        """That of its epoch."""
        return self.equity - self.wallet.capital

    @property
    def all_pnl(self) -> Decimal | None:
        """That of all epochs up to it; None where it is not known."""
        return None if self.carried is None else self.carried + self.pnl


class Point(NamedTuple):
    """A sample as it is drawn, its figures rounded to those of a float: when it was taken, of which
    chain of epochs, the P&L of its epoch, and the seconds before it without a sample."""

    # Unix time in milliseconds
    time: int
    chain: int
    equity: float
    pnl: float
    growth: float
    gap: int
    # Whether it has an unrealised P&L.
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """How far an account has been followed: its newest sample, the wallet after its newest entry,
    and what is open then; None where that was traded since by somebody else."""

    last: Sample
    wallet: Wallet
    unrealized_pnl: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One committed change: its entries, and what was open after it where that is known."""

    time: datetime
    entries: Sequence[Entry]
    unrealized_pnl: Decimal | None = None

    @property
    def revision(self) -> int:
        """Which one it is."""
        return self.entries[-1].revision


#: Gives the last sample before an epoch, by its number, was ended; None where there is none.
Resumed = Callable[[int], Sample | None]


def track_of(sample: Sample) -> Track:
    """The track that has come to ``sample``."""
    return Track(sample, sample.wallet, sample.unrealized_pnl)


@exactly
def first_seen(
    *,
    time: datetime,
    revision: int,
    wallet: Wallet,
    unrealized_pnl: Decimal,
    carried: Decimal | None,
) -> Sample:
    """The first sample of an account, which may have a past: its growth is that since its epoch
    began where no money came or went before."""
    equity, start = wallet.balance + unrealized_pnl, wallet.starting_balance
    untouched = not wallet.deposits and not wallet.withdrawals
    return Sample(
        time=time,
        revision=revision,
        wallet=wallet,
        unrealized_pnl=unrealized_pnl,
        growth=_growth(ONE, start, equity) if untouched else ONE,
        is_whole=(untouched and start > 0) or equity == wallet.capital,
        chain=wallet.epoch,
        carried=carried,
        is_kept=True,
    )


@exactly
def seen(
    before: Sample,
    *,
    time: datetime,
    revision: int,
    wallet: Wallet,
    unrealized_pnl: Decimal,
    is_kept: bool = False,
) -> Sample:
    """The sample after ``before``, of the same epoch or of one that continues it."""
    flow = wallet.capital - before.wallet.capital
    then = wallet.balance + unrealized_pnl - flow
    # what is gained from nothing is no multiple of it
    is_from_nothing = before.equity <= 0 < then and before.growth > 0
    return replace(
        before,
        time=time,
        revision=revision,
        wallet=wallet,
        unrealized_pnl=unrealized_pnl,
        growth=_growth(before.growth, before.equity, then),
        is_whole=before.is_whole and not is_from_nothing,
        gap=0,
        is_kept=is_kept,
    )


@exactly
def seen_later(before: Sample, **now: Any) -> Sample:
    """As :func:`seen`, where nobody knows what was open meanwhile: if money came or went, what it
    grew by can't be told from that, and is left out."""
    after = seen(before, **now)
    if _put_in(before.wallet) == _put_in(after.wallet):
        return after
    return replace(after, growth=before.growth, is_whole=False)


def _put_in(wallet: Wallet) -> tuple[Decimal, ...]:
    return wallet.starting_balance, wallet.deposits, wallet.withdrawals


def _growth(before: Decimal, equity: Decimal, then: Decimal) -> Decimal:
    """What ``before`` has grown to, where ``equity`` became ``then``. Where there was nothing,
    nothing grew; after a total loss it stays zero."""
    if equity <= 0:
        return before
    return _DIGITS.plus(before * max(then, ZERO) / equity)


@exactly
def committed(track: Track, commit: Commit, resumed: Resumed) -> tuple[Track, tuple[Sample, ...]]:
    """Where ``commit`` leads ``track``, and the samples on the way, oldest first: one before and
    one after money came or went, and those of the moments in which an epoch ended and began.

    Raises:
        AccountingError: its entries do not follow from the track.
    """
    before, found = track, list[Sample]()
    for entry in commit.entries:
        wallet = _after(track.wallet, entry)
        if wallet.epoch != track.wallet.epoch:
            found += _ended(before, track, commit)
            found.append(_begun(found[-1], entry, wallet, commit, resumed))
            before = track = track_of(found[-1])
        else:
            track = Track(track.last, wallet, _worth(track.unrealized_pnl, entry.booking))
    open_pnl = track.unrealized_pnl if commit.unrealized_pnl is None else commit.unrealized_pnl
    if open_pnl is None or track is before:
        return track, tuple(found)
    found += _settled(before, track.wallet, open_pnl, commit)
    return track_of(found[-1]), tuple(found)


def _worth(before: Decimal | None, booking: Booking) -> Decimal | None:
    """What is open after ``booking``, where ``before`` was; None where positions have changed."""
    if booking.restated is not None:
        return None if booking.restated.positions else ZERO
    return before if booking.fill is None else None


def _after(wallet: Wallet, entry: Entry) -> Wallet:
    account = replay((entry,), Account(wallet))
    assert account is not None  # noqa: S101 - there was one before
    return account.wallet


def _settled(before: Track, wallet: Wallet, open_pnl: Decimal, commit: Commit) -> list[Sample]:
    """The samples of ``commit`` within an epoch, after which the wallet is ``wallet``."""
    kinds = {entry.booking.kind for entry in commit.entries}
    last, found = before.last, list[Sample]()
    is_flow = wallet.capital != before.wallet.capital
    if is_flow:
        last = seen_later(
            last,
            time=commit.time,
            revision=commit.revision - 1,
            wallet=before.wallet,
            unrealized_pnl=open_pnl,
            is_kept=True,
        )
        found.append(last)
    take = seen if is_flow else seen_later
    found.append(
        take(
            last,
            time=commit.time,
            revision=commit.revision,
            wallet=wallet,
            unrealized_pnl=open_pnl,
            is_kept=is_flow or "liquidation" in kinds,
        )
    )
    return found


def _ended(before: Track, track: Track, commit: Commit) -> list[Sample]:
    """The epoch just before ``commit`` ended it, and as it was ended, with nothing open."""
    open_pnl = track.wallet.balance - before.wallet.balance
    just_before = seen_later(
        before.last,
        time=commit.time,
        revision=commit.revision - 1,
        wallet=before.wallet,
        unrealized_pnl=open_pnl,
        is_kept=True,
    )
    ended = seen(
        just_before,
        time=commit.time,
        revision=commit.revision,
        wallet=track.wallet,
        unrealized_pnl=ZERO,
        is_kept=True,
    )
    return [just_before, ended]


def _begun(ended: Sample, entry: Entry, wallet: Wallet, commit: Commit, resumed: Resumed) -> Sample:
    """The first sample of the epoch that ``entry`` opened after ``ended``."""
    how: dict[str, Any] = {"time": commit.time, "revision": commit.revision, "wallet": wallet}
    continued = entry.booking.continues
    if continued is None:
        return first_seen(**how, unrealized_pnl=ZERO, carried=ended.all_pnl)
    before = resumed(continued)
    open_pnl = commit.unrealized_pnl
    if before is None:
        return first_seen(**how, unrealized_pnl=open_pnl or ZERO, carried=None)
    again = seen(
        before,
        **how,
        unrealized_pnl=before.unrealized_pnl if open_pnl is None else open_pnl,
        is_kept=True,
    )
    # of more epochs than one between them only the ledger knows
    between = ended.pnl if ended.epoch == continued + 1 else None
    known = None if before.carried is None or between is None else before.carried + between
    return replace(again, carried=known)
