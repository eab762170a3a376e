"""Summation: what of the ledger is to be added to sums over the running epoch.

Such sums belong to an owner, a bot or a key, and are carried on with every commit, whoever made it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from balance.desk.desk import Desk


@dataclass(frozen=True, slots=True)
class Reached:
    """Up to where sums reach: a revision of an account, and the epoch that it was in."""

    account: str = ""
    epoch: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """The entries that are to be added to sums."""

    # Up to where the sums reach with them.
    reached: Reached
    # They come after this revision, and are of these epochs: an epoch that continues an older one
    # has what happened in that as well.
    begin: int
    epochs: Collection[int]
    # Those after this revision are new: no sums of before had them.
    since: int
    # Whether the sums of before count for nothing, and whether it is the same epoch all the same.
    is_anew: bool
    is_same: bool
    # Whether this process sums up for the first time, or another account than before.
    is_first: bool


class Summation:
    """Finds what is to be added to sums over the ledger of ``desk``; for one thread at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # The version of the account that was summed up last.
        self._version: tuple[str, int] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether this process has summed up before."""
        return self._version is not None

    def portion(
        self, reached: Reached, *, anew: bool = False, is_idle: bool = False
    ) -> Portion | None:
        """What is to be added to sums that have ``reached`` so far; None where the account has not
        changed. With ``anew`` they count for nothing; while ``is_idle``, there is nobody to sum up
        for, and a process begins here.

        Raises:
            StoreUnreadable: the account or its ledger can't be read.
        """
        version = self._desk.version
        if version == self._version:
            return None
        account, revision = version
        epoch, since = self._desk.account().wallet.epoch, reached.revision
        epochs, begin = {epoch}, since
        is_first = self._version is None
        if account != reached.account or revision < since:
            is_first, since = True, 0
        is_same = since != 0 and epoch == reached.epoch
        if not is_same or anew:
            lineage = self._desk.ledger.lineage()
            epochs.update(each.booking.epoch for each in lineage)
            if since == 0 and lineage:
                # What is of earlier epochs is in no sums.
                begin = lineage[-1].revision
            elif lineage:
                begin = min(since, lineage[-1].revision)
        if is_first and is_idle:
            begin = revision
        return Portion(
            reached=Reached(account, epoch, revision),
            begin=begin,
            epochs=epochs,
            since=since,
            is_anew=not is_same or anew,
            is_same=is_same,
            is_first=is_first,
        )

    def done(self, portion: Portion) -> None:
        """Have ``portion`` added."""
        self._version = (portion.reached.account, portion.reached.revision)
