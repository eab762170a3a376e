"""How the figures of the account come about: wallet, equity, margin, exposure and positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from balance.core.entry import Entry
from balance.core.figures import dollars, plain
from balance.core.money import ZERO, exactly
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.core.wallet import Wallet
from balance.performance.derivations.derivation import (
    DIVIDED,
    IN_PERCENT,
    MINUS,
    TIMES,
    Derivation,
    Part,
    Sign,
    Term,
    added,
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


def total_derivation(books: Books, name: str) -> Derivation:
    """The derivation of the total with ``name`` of ``TOTALS``."""
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


@exactly
def account_derivations(books: Books) -> dict[str, Derivation]:
    """The derivations of the figures of the snapshot, by name."""
    return {
        **{name: total_derivation(books, name) for name in TOTALS},
        "starting_balance": _starting(books),
        "balance": _balance(books),
        "portfolio_value": _equity(books),
        "unrealized_pnl": _unrealized(books),
        "available_balance": _available(books),
        "used_margin": _used_margin(books),
        "current_pnl": pnl_derivation(books),
        "pnl_percent": _pnl_percent(books),
        **_exposures(books),
    }


def _equity(books: Books) -> Derivation:
    parts = [
        books.part("+", "balance", "Wallet balance"),
        books.part("+", "unrealized_pnl", "Unrealised P&L"),
    ]
    return summed(
        "Total equity",
        "What there would be if all positions were closed at their mark price, without fees.",
        parts,
        books.total("portfolio_value", "Total equity"),
        books.decimals,
    )


def _unrealized(books: Books) -> Derivation:
    parts = [
        Part("+", _named(row), row["unrealized_pnl"], _of_symbol(row))
        for row in books.snapshot.positions
    ]
    return _summed_up(
        books,
        "unrealized_pnl",
        "Unrealised P&L",
        "Of open positions, at the last known mark price.",
        parts,
    )


def _used_margin(books: Books) -> Derivation:
    parts = [
        Part("+", f"Margin of {_named(row)}", row["isolated_margin"], _of_symbol(row))
        for row in books.snapshot.positions
    ]
    kept_back = sum((row["reserved_margin"] for row in books.snapshot.open_orders), ZERO)
    if books.snapshot.open_orders:
        href = link("ledger", kind="order,cancel", epoch=books.snapshot.epoch)
        parts.append(Part("+", "Kept back by open orders", kept_back, href))
    return _summed_up(
        books, "used_margin", "Margin in use", "Of positions and of open orders.", parts
    )


def _summed_up(
    books: Books, name: str, title: str, words: str, parts: Iterable[Part]
) -> Derivation:
    """The sum of what the positions say, each rounded for itself."""
    found, total = list(parts), books.snapshot[name]
    rest = total - sum((part.amount for part in found), ZERO)
    if rest or not found:
        found.append(Part("+", "Rounding" if rest else "Nothing is open", rest))
    return summed(title, words, found, books.total(name, title), books.decimals)


def _available(books: Books) -> Derivation:
    parts = [
        books.part("+", "balance", "Wallet balance"),
        books.part(MINUS, "used_margin", "Margin in use"),
    ]
    return summed(
        "Available",
        "What a new order may take. Unrealised P&L stays with its position.",
        parts,
        books.total("available_balance", "Available"),
        books.decimals,
    )


def pnl_derivation(books: Books) -> Derivation:
    """The derivation of the P&L of the epoch."""
    return summed(
        "P&L of this epoch",
        "The equity less what was put in: what was gained or lost since the epoch began.",
        [
            books.part("+", "portfolio_value", "Equity now"),
            books.starting(MINUS, "Starting balance"),
            *books.totals({"deposits": MINUS, "withdrawals": "+"}),
        ],
        books.total("current_pnl", "P&L"),
        books.decimals,
    )


def _pnl_percent(books: Books) -> Derivation:
    snapshot = books.snapshot
    capital = snapshot.starting_balance + snapshot.deposits - snapshot.withdrawals
    words = "The P&L in percent of the capital: the starting balance + deposits - withdrawals."
    if snapshot.pnl_percent is None:
        return Derivation("P&L in percent", f"{words} None is left in.", ())
    return Derivation(
        "P&L in percent",
        words,
        (
            books.first("current_pnl", "P&L"),
            Term(DIVIDED, "Capital", dollars(capital, books.decimals), capital),
            IN_PERCENT,
            books.total("pnl_percent", "P&L in percent"),
        ),
    )


def _exposures(books: Books) -> dict[str, Derivation]:
    snapshot, found = books.snapshot, dict[str, Derivation]()
    for side, title in (("long", "Longs"), ("short", "Shorts")):
        parts = [
            Part("+", _named(row), row["notional"], _of_symbol(row))
            for row in snapshot.positions
            if row["side"] == side
        ]
        name = f"{side}_exposure"
        found[name] = _summed_up(books, name, title, "Quantity times mark price of each.", parts)
    longs_and_shorts = [
        books.part("+", "long_exposure", "Longs"),
        books.part(MINUS, "short_exposure", "Shorts"),
    ]
    found["net_exposure"] = summed(
        "Net exposure",
        "What a rise of all prices would be felt on.",
        longs_and_shorts,
        books.total("net_exposure", "Net exposure"),
        books.decimals,
    )
    found["exposure_percent"] = _exposure_percent(books)
    return found


def _exposure_percent(books: Books) -> Derivation:
    snapshot, words = books.snapshot, "Longs and shorts together, in percent of the equity."
    if snapshot.exposure_percent is None:
        return Derivation("Gross exposure", f"{words} There is none.", ())
    held = [
        books.part("+", "long_exposure", "Longs"),
        books.part("+", "short_exposure", "Shorts"),
    ]
    return Derivation(
        "Gross exposure",
        words,
        (
            *added(held, books.decimals),
            Term(
                DIVIDED,
                "Total equity",
                snapshot.display["portfolio_value"],
                snapshot.portfolio_value,
                derive="portfolio_value",
            ),
            IN_PERCENT,
            books.total("exposure_percent", "Gross exposure"),
        ),
    )


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['symbol']} {row['side']}"


def _of_symbol(row: Mapping[str, Any]) -> str:
    return link("fills", symbol=row["symbol"])


@exactly
def position_derivations(snapshot: Snapshot) -> dict[str, Derivation]:
    """The derivations of notional, unrealised P&L and ROE of each position of ``snapshot``, by the
    name of the figure and the symbol: ``"notional:BTC/USDT"``."""
    return {
        f"{name}:{row['symbol']}": derive(row)
        for row in snapshot.positions
        for name, derive in _POSITION_FIGURES.items()
    }


def _position_notional(row: Row) -> Derivation:
    return Derivation(
        f"{row['symbol']} {row['side']}",
        "What is held at mark price: quantity times mark price.",
        (
            _quantity(" ", row),
            _price(TIMES, "Mark price", "mark_price", row),
            _position_total(row, "notional"),
        ),
    )


def _position_unrealized(row: Row) -> Derivation:
    return Derivation(
        f"Unrealised P&L of {row['symbol']}",
        "What it would bring to close it at its mark price, before fees.",
        (*_gained(row), _quantity(TIMES, row), _position_total(row, "unrealized_pnl")),
    )


def _position_roe(row: Row) -> Derivation:
    leverage = row["leverage"]
    return Derivation(
        f"ROE of {row['symbol']}",
        "The unrealised P&L in percent of the initial margin at the entry price: what the price "
        "moved, over the entry price, times the leverage.",
        (
            *_gained(row),
            _price(DIVIDED, "Entry price", "entry_price", row),
            Term(TIMES, "Leverage", row["display"]["leverage"], leverage),
            IN_PERCENT,
            _position_total(row, "roe_percent"),
        ),
    )


def _gained(row: Row) -> tuple[Term, Term]:
    """What the price moved in favour of the position."""
    entry, mark = ("Entry price", "entry_price"), ("Mark price", "mark_price")
    end, begin = (mark, entry) if row["side"] == "long" else (entry, mark)
    return _price(" ", *end, row), _price(MINUS, *begin, row)


def _price(sign: Sign, label: str, name: str, row: Row) -> Term:
    return Term(sign, label, row["display"][name], row[name])


def _quantity(sign: Sign, row: Row) -> Term:
    quantity: Decimal = row["quantity"]
    return Term(sign, "Quantity", plain(quantity), quantity)


def _position_total(row: Row, name: str) -> Term:
    labels = {"notional": "Notional", "unrealized_pnl": "Unrealised P&L", "roe_percent": "ROE"}
    return total_of(labels[name], row[name], row["display"][name])


_POSITION_FIGURES: Final[Mapping[str, Callable[[Row], Derivation]]] = {
    "notional": _position_notional,
    "unrealized_pnl": _position_unrealized,
    "roe_percent": _position_roe,
}
