"""Samples: what an account was worth at a moment, and what its money has become since.

The equity is sampled again and again; between two samples the return is
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
from typing import Final, NamedTuple

from balance.core.account import Account
from balance.core.entry import Booking, Entry, replay
from balance.core.money import ZERO, exactly
from balance.core.wallet import Wallet

ONE: Final = Decimal(1)
# A product of millions of factors is rounded to so many digits.
_DIGITS: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)


class Reading(NamedTuple):
    """An account at one moment; money in the quote currency."""

    time: datetime
    revision: int
    wallet: Wallet
    unrealized_pnl: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An account at one moment, and its money since its epoch began; in the quote currency."""

    time: datetime
    revision: int
    wallet: Wallet
    unrealized_pnl: Decimal
    # What 1 has become since the epoch began, to 28 digits.
    growth: Decimal
    # Whether all of that is known: not where money came or went while the equity was not known,
    # nor where something was gained from nothing.
    is_whole: bool
    # The epoch in which the growth began: after an undone reset an older one goes on.
    chain: int
    # The P&L of earlier epochs; None where it is not known.
    carried: Decimal | None
    # The seconds before it without a sample.
    gap: int = 0
    # Whether it stays when others are thinned out.
    is_kept: bool = False

    @property
    def epoch(self) -> int:
        """The number of its epoch."""
        return self.wallet.epoch

    @property
    def equity(self) -> Decimal:
        """Wallet balance + unrealised P&L."""
        return self.wallet.balance + self.unrealized_pnl

    @property
    def pnl(self) -> Decimal:
        """The P&L of its epoch."""
        return self.equity - self.wallet.capital

    @property
    def all_pnl(self) -> Decimal | None:
        """The P&L of all epochs up to it; None where it is not known."""
        return None if self.carried is None else self.carried + self.pnl


class Point(NamedTuple):
    """A sample as it is drawn, its figures rounded to those of a float: when it was taken, of which
    chain of epochs, the P&L of its epoch, and the seconds before it without a sample."""

    # Unix time in milliseconds.
    time: int
    chain: int
    equity: float
    pnl: float
    growth: float
    gap: int
    # Whether it has an unrealised P&L.
    is_open: bool = False


def pnl_since(base: Sample | None, now: Sample) -> Decimal | None:
    """The P&L from ``base`` to ``now``, across epochs too; None where it is not known."""
    if base is None:
        return None
    if base.epoch == now.epoch:
        return now.pnl - base.pnl
    if now.all_pnl is None or base.all_pnl is None:
        return None
    return now.all_pnl - base.all_pnl


@dataclass(frozen=True, slots=True)
class Track:
    """How far an account was followed: its newest sample, the wallet after its newest entry, and
    the unrealised P&L then; None where positions have changed since by another program."""

    last: Sample
    wallet: Wallet
    unrealized_pnl: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One committed change: its entries, and the unrealised P&L after it where that is known."""

    time: datetime
    entries: Sequence[Entry]
    unrealized_pnl: Decimal | None = None

    @property
    def revision(self) -> int:
        """The revision of its entries."""
        return self.entries[-1].revision


#: Gives the last sample before an epoch, by its number, was ended; None where there is none.
Resumed = Callable[[int], Sample | None]


def track_of(sample: Sample) -> Track:
    """The track that has come to ``sample``."""
    return Track(sample, sample.wallet, sample.unrealized_pnl)


@exactly
def first_sample(reading: Reading, carried: Decimal | None) -> Sample:
    """The first sample of an account, which may have a past: its growth is that since its epoch
    began where no money came or went before."""
    wallet = reading.wallet
    equity, start = wallet.balance + reading.unrealized_pnl, wallet.starting_balance
    is_untouched = not wallet.deposits and not wallet.withdrawals
    return Sample(
        **reading._asdict(),
        growth=_growth(ONE, start, equity) if is_untouched else ONE,
        is_whole=(is_untouched and start > 0) or equity == wallet.capital,
        chain=wallet.epoch,
        carried=carried,
        is_kept=True,
    )


@exactly
def next_sample(before: Sample, reading: Reading, *, is_kept: bool = False) -> Sample:
    """The sample after ``before``, of the same epoch or of one that continues it."""
    flow = reading.wallet.capital - before.wallet.capital
    then = reading.wallet.balance + reading.unrealized_pnl - flow
    # What is gained from nothing is no multiple of it.
    is_from_nothing = before.equity <= 0 < then and before.growth > 0
    return replace(
        before,
        **reading._asdict(),
        growth=_growth(before.growth, before.equity, then),
        is_whole=before.is_whole and not is_from_nothing,
        gap=0,
        is_kept=is_kept,
    )


@exactly
def later_sample(before: Sample, reading: Reading, *, is_kept: bool = False) -> Sample:
    """As :func:`next_sample`, where the unrealised P&L meanwhile is not known: if money came or
    went, the growth can't be told from it, and is left out."""
    after = next_sample(before, reading, is_kept=is_kept)
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
        account = replay((entry,), Account(track.wallet))
        assert account is not None  # noqa: S101 - there was one before
        wallet = account.wallet
        if wallet.epoch != track.wallet.epoch:
            found += _ended(before, track, commit)
            found.append(_opened(found[-1], entry, wallet, commit, resumed))
            before = track = track_of(found[-1])
        else:
            track = Track(track.last, wallet, _open_pnl(track.unrealized_pnl, entry.booking))
    open_pnl = track.unrealized_pnl if commit.unrealized_pnl is None else commit.unrealized_pnl
    if open_pnl is None or track is before:
        return track, tuple(found)
    found += _settled(before, track.wallet, open_pnl, commit)
    return track_of(found[-1]), tuple(found)


def _open_pnl(before: Decimal | None, booking: Booking) -> Decimal | None:
    """The unrealised P&L after ``booking``, of ``before``; None where positions have changed."""
    if booking.restated is not None:
        return None if booking.restated.positions else ZERO
    return before if booking.fill is None else None


def _settled(before: Track, wallet: Wallet, open_pnl: Decimal, commit: Commit) -> list[Sample]:
    """The samples of ``commit`` within an epoch, after which the wallet is ``wallet``."""
    after = Reading(commit.time, commit.revision, wallet, open_pnl)
    if wallet.capital != before.wallet.capital:
        just_before = _just_before(before, open_pnl, commit)
        return [just_before, next_sample(just_before, after, is_kept=True)]
    kinds = {entry.booking.kind for entry in commit.entries}
    return [later_sample(before.last, after, is_kept="liquidation" in kinds)]


def _just_before(before: Track, open_pnl: Decimal, commit: Commit) -> Sample:
    reading = Reading(commit.time, commit.revision - 1, before.wallet, open_pnl)
    return later_sample(before.last, reading, is_kept=True)


def _ended(before: Track, track: Track, commit: Commit) -> list[Sample]:
    """The epoch just before ``commit`` ended it, and as it was ended, with nothing open."""
    just_before = _just_before(before, track.wallet.balance - before.wallet.balance, commit)
    ended = Reading(commit.time, commit.revision, track.wallet, ZERO)
    return [just_before, next_sample(just_before, ended, is_kept=True)]


def _opened(
    ended: Sample, entry: Entry, wallet: Wallet, commit: Commit, resumed: Resumed
) -> Sample:
    """The first sample of the epoch that ``entry`` opened after ``ended``."""
    continued, open_pnl = entry.booking.continues, commit.unrealized_pnl
    if continued is None:
        return first_sample(Reading(commit.time, commit.revision, wallet, ZERO), ended.all_pnl)
    before = resumed(continued)
    if open_pnl is None:
        open_pnl = ZERO if before is None else before.unrealized_pnl
    reading = Reading(commit.time, commit.revision, wallet, open_pnl)
    if before is None:
        return first_sample(reading, None)
    # The P&L of more than one epoch between them is known by the ledger only.
    between = ended.pnl if ended.epoch == continued + 1 else None
    known = None if before.carried is None or between is None else before.carried + between
    return replace(next_sample(before, reading, is_kept=True), carried=known)
