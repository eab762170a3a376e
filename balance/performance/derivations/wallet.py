"""How the figures of the wallet come about: its balance, its totals, and what was put in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from balance.core.entry import Entry
from balance.core.money import ZERO
from balance.core.snapshot import Snapshot
from balance.core.wallet import Wallet
from balance.performance.derivations.derivation import (
    MINUS,
    Derivation,
    Part,
    Term,
    link,
    summed,
    total_of,
)

#: The totals of the wallet: which kinds of entries make each up, what it is called, and what it is.
TOTALS: Final[Mapping[str, tuple[str, str, str]]] = {
    "deposits": ("deposit", "Deposits", "Money put in since the epoch began. It is no gain."),
    "withdrawals": (
        "withdrawal",
        "Withdrawals",
        "Money taken out since the epoch began. It is no loss.",
    ),
    "adjustments": (
        "adjustment,external_edit,repair",
        "Adjustments",
        "Gains less losses booked from outside, by a person or a program.",
    ),
    "realized_pnl": (
        "realized_pnl,liquidation",
        "Realised P&L",
        "What closed positions brought, before fees and funding.",
    ),
    "fees_paid": ("fee", "Fees", "Paid for fills."),
    "funding_paid": ("funding", "Funding", "Paid less received while positions were open."),
}
#: Those that are taken away.
PAID: Final = ("withdrawals", "fees_paid", "funding_paid")
_OPENINGS: Final = "start,reset,undo"


def total_in(wallet: Wallet, name: str) -> Decimal:
    """The total with ``name`` of ``TOTALS`` in ``wallet``."""
    total: Decimal = -wallet.funding if name == "funding_paid" else getattr(wallet, name)
    return total


@dataclass(frozen=True, slots=True)
class Stage:
    """An epoch that the running one goes on with, up to the reset that was undone."""

    epoch: int
    # the wallet that was gone on with, and the last revision that led to it where that is known
    ended: Wallet
    until: int | None


@dataclass(frozen=True, slots=True)
class Past:
    """What the running epoch goes on with: ``stages``, newest first, and the wallet that a repair
    opened the oldest with, where one did."""

    stages: tuple[Stage, ...] = ()
    stated: Wallet | None = None


def past_of(lineage: Sequence[Entry], opening: Callable[[int], Entry | None]) -> Past:
    """The past of the epoch that the first entry of ``lineage`` opened; the others opened those
    that it goes on with, newest first. ``opening`` gives the first entry of an epoch."""
    stages: list[Stage] = []
    for booking in (entry.booking for entry in lineage):
        if booking.restated is None:
            break
        if booking.continues is None:
            return Past(tuple(stages), booking.restated.wallet)
        reset = opening(booking.continues + 1)
        until = None if reset is None else reset.revision - 1
        stages.append(Stage(booking.continues, booking.restated.wallet, until))
    return Past(tuple(stages))


class Books:
    """A snapshot, what its epoch goes on with, and how it is written."""

    def __init__(self, snapshot: Snapshot, past: Past, decimals: int) -> None:
        self.snapshot = snapshot
        self.past = past
        self.decimals = decimals

    def total(self, name: str, label: str) -> Term:
        """The line that says what a figure is."""
        return total_of(label, self.snapshot[name], self.snapshot.display[name])

    def first(self, name: str, label: str) -> Term:
        """A figure to begin with, which opens for itself."""
        amount = self.snapshot[name]
        return Term(" ", label, self.snapshot.display[name], amount, derive=name)

    def part(self, sign: Any, name: str, label: str) -> Part:
        """A figure that opens for itself."""
        return Part(sign, label, self.snapshot[name], derive=name)

    def starting(self, sign: Any, label: str) -> Part:
        """What the epoch, or the oldest that it goes on with, began with."""
        stages = self.past.stages
        first = stages[-1].epoch if stages else self.snapshot.epoch
        opened = link("ledger", kind=_OPENINGS, epoch=first)
        return Part(sign, label.format(epoch=first), self.snapshot.starting_balance, opened)

    def split(self, name: str) -> list[Part]:
        """A total of the wallet by the epochs that it came from, oldest first, with the entries of
        each; of the older ones those that are not zero."""
        kinds, stated, before = TOTALS[name][0], self.past.stated, ZERO
        found: list[Part] = []
        if stated is not None:
            before = total_in(stated, name)
            found.append(Part("+", "Stated by a repair", before))
        for stage in reversed(self.past.stages):
            href = link("ledger", kind=kinds, epoch=stage.epoch, until=stage.until)
            after = total_in(stage.ended, name)
            label = f"In epoch {stage.epoch}, brought back by an undo"
            found.append(Part("+", label, after - before, href))
            before = after
        href = link("ledger", kind=kinds, epoch=self.snapshot.epoch)
        since = Part("+", f"In epoch {self.snapshot.epoch}", self.snapshot[name] - before, href)
        return [*(part for part in found if part.amount), since]

    def totals(self, signs: Mapping[str, Any]) -> list[Part]:
        """The totals of the wallet that have ``signs``, each split where it came from more epochs
        than one."""
        found = []
        for name, sign in signs.items():
            label, parts = TOTALS[name][1], self.split(name)
            shown = [part for part in parts if part.amount] or parts[-1:]
            for part in shown:
                is_plain = shown == parts[-1:]
                words = label if is_plain else f"{label} {part.label[0].lower()}{part.label[1:]}"
                found.append(Part(sign, words, part.amount, part.href))
        return found


def wallet_derivations(books: Books) -> dict[str, Derivation]:
    """The derivations of the figures of the wallet, by name."""
    return {
        **{name: _total(books, name) for name in TOTALS},
        "starting_balance": _starting(books),
        "balance": _balance(books),
    }


def pnl_parts(books: Books) -> list[Part]:
    """What the P&L of the epoch is made of."""
    return [
        books.part("+", "portfolio_value", "Equity now"),
        books.starting(MINUS, "Starting balance"),
        *books.totals({"deposits": MINUS, "withdrawals": "+"}),
    ]


def _total(books: Books, name: str) -> Derivation:
    _, label, words = TOTALS[name]
    return summed(label, words, books.split(name), books.total(name, label), books.decimals)


def _starting(books: Books) -> Derivation:
    return summed(
        "Starting balance",
        "What the epoch began with.",
        [books.starting("+", "Epoch {epoch}")],
        books.total("starting_balance", "Starting balance"),
        books.decimals,
    )


def _balance(books: Books) -> Derivation:
    signs = {name: MINUS if name in PAID else "+" for name in TOTALS}
    return summed(
        "Wallet balance",
        "Settled money. It is also the sum of the epoch's entries in the ledger.",
        [books.starting("+", "Starting balance"), *books.totals(signs)],
        books.total("balance", "Wallet balance"),
        books.decimals,
    )
