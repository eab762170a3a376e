"""How the figures of the account come about: wallet, equity, margin, exposure and positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from balance.core.entry import Entry
from balance.core.figures import plain
from balance.core.money import ZERO, exactly
from balance.core.order import sum_by_group
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.core.wallet import Wallet
from balance.performance.derivations.derivation import (
    DIVIDED,
    IN_PERCENT,
    MINUS,
    TIMES,
    Derivation,
    Sign,
    Term,
    link,
    money_term,
    opened,
    total_of,
)

#: The totals of the wallet: which kinds of entries make each up, what it is called, and what it is.
TOTALS: Final[Mapping[str, tuple[str, str, str]]] = {
    "deposits": ("deposit", "Deposits", "Money put in since the epoch began. It is no gain."),
    "withdrawals": (
        *("withdrawal", "Withdrawals"),
        "Money taken out since the epoch began. It is no loss.",
    ),
    "adjustments": (
        *("adjustment,external_edit,repair", "Adjustments"),
        "Gains less losses booked from outside, by a person or a program.",
    ),
    "realized_pnl": (
        *("realized_pnl,liquidation", "Realised P&L"),
        "What closed positions brought, before fees and funding.",
    ),
    "fees_paid": ("fee", "Fees", "Paid for fills."),
    "funding_paid": ("funding", "Funding", "Paid less received while positions were open."),
}
#: The totals that are subtracted.
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
    # The wallet that was gone on with, and the last revision that led to it where that is known.
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


@dataclass(frozen=True, slots=True)
class Books:
    """A snapshot, what its epoch goes on with, and how many decimals money is shown with."""

    snapshot: Snapshot
    past: Past
    decimals: int

    def term(self, sign: Sign, label: str, amount: Decimal, href: str | None = None) -> Term:
        """A sum of money that is added or subtracted."""
        return money_term(sign, label, amount, self.decimals, href)

    def part(self, sign: Sign, name: str, label: str) -> Term:
        """A figure that opens for itself."""
        return replace(self.term(sign, label, self.snapshot[name]), derive=name)

    def total(self, name: str, label: str) -> Term:
        """The line that says what a figure is."""
        return total_of(label, self.snapshot[name], self.snapshot.display[name])

    def sum(
        self, name: str, title: str, text: str, terms: Iterable[Term], label: str = ""
    ) -> Derivation:
        """The derivation of the figure with ``name`` from ``terms``."""
        return Derivation(title, text, (*opened(terms), self.total(name, label or title)))

    def rounded_sum(self, name: str, title: str, text: str, terms: Iterable[Term]) -> Derivation:
        """As :meth:`sum`, where each of ``terms`` is rounded for itself."""
        found = list(terms)
        rest = self.snapshot[name] - sum((term.amount for term in found), ZERO)
        if rest or not found:
            found.append(self.term("+", "Rounding" if rest else "Nothing is open", rest))
        return self.sum(name, title, text, found)

    def starting(self, sign: Sign, label: str) -> Term:
        """What the epoch, or the oldest that it goes on with, began with."""
        stages = self.past.stages
        first = stages[-1].epoch if stages else self.snapshot.epoch
        href = link("ledger", kind=_OPENINGS, epoch=first)
        return self.term(sign, label.format(epoch=first), self.snapshot.starting_balance, href)

    def split(self, name: str) -> list[Term]:
        """A total of the wallet by the epochs that it came from, oldest first, with the entries of
        each; of the older ones those that are not zero."""
        kinds, stated, before = TOTALS[name][0], self.past.stated, ZERO
        found: list[Term] = []
        if stated is not None:
            before = total_in(stated, name)
            found.append(self.term("+", "Stated by a repair", before))
        for stage in reversed(self.past.stages):
            href = link("ledger", kind=kinds, epoch=stage.epoch, until=stage.until)
            after = total_in(stage.ended, name)
            label = f"In epoch {stage.epoch}, brought back by an undo"
            found.append(self.term("+", label, after - before, href))
            before = after
        epoch = self.snapshot.epoch
        href = link("ledger", kind=kinds, epoch=epoch)
        since = self.term("+", f"In epoch {epoch}", self.snapshot[name] - before, href)
        return [*(term for term in found if term.amount), since]

    def totals(self, signs: Mapping[str, Sign]) -> list[Term]:
        """The totals of the wallet that have ``signs``, each split where it came from more epochs
        than one."""
        found = []
        for name, sign in signs.items():
            label, terms = TOTALS[name][1], self.split(name)
            shown = [term for term in terms if term.amount] or terms[-1:]
            for term in shown:
                is_plain = shown == terms[-1:]
                text = label if is_plain else f"{label} {term.label[0].lower()}{term.label[1:]}"
                found.append(replace(term, sign=sign, label=text))
        return found

    def positions(
        self,
        name: Literal["notional", "unrealized_pnl", "isolated_margin"],
        label: str = "{}",
        side: str = "",
    ) -> list[Term]:
        """A figure of each position, of one ``side`` where that is given."""
        return [
            self.term(
                "+",
                label.format(f"{row['symbol']} {row['side']}"),
                row[name],
                link("fills", symbol=row["symbol"]),
            )
            for row in self.snapshot.positions
            if row["side"] == side or not side
        ]


@exactly
def account_derivations(books: Books) -> dict[str, Derivation]:
    """The derivations of the figures of the snapshot, by name."""
    signs: dict[str, Sign] = {name: MINUS if name in PAID else "+" for name in TOTALS}
    return {
        **{name: total_derivation(books, name) for name in TOTALS},
        "starting_balance": books.sum(
            *("starting_balance", "Starting balance", "What the epoch began with."),
            [books.starting("+", "Epoch {epoch}")],
        ),
        "balance": books.sum(
            *("balance", "Wallet balance"),
            "Settled money. It is also the sum of the epoch's entries in the ledger.",
            [books.starting("+", "Starting balance"), *books.totals(signs)],
        ),
        "portfolio_value": books.sum(
            *("portfolio_value", "Total equity"),
            "What there would be if all positions were closed at their mark price, without fees.",
            [
                books.part("+", "balance", "Wallet balance"),
                books.part("+", "unrealized_pnl", "Unrealised P&L"),
            ],
        ),
        "unrealized_pnl": books.rounded_sum(
            *("unrealized_pnl", "Unrealised P&L"),
            "Of open positions, at the last known mark price.",
            books.positions("unrealized_pnl"),
        ),
        "available_balance": books.sum(
            *("available_balance", "Available"),
            "What a new order may take. Unrealised P&L stays with its position.",
            [
                books.part("+", "balance", "Wallet balance"),
                books.part(MINUS, "used_margin", "Margin in use"),
            ],
        ),
        "used_margin": books.rounded_sum(
            *("used_margin", "Margin in use", "Of positions and of open orders."),
            _margins(books),
        ),
        "current_pnl": pnl_derivation(books),
        "pnl_percent": _pnl_percent(books),
        **{
            f"{side}_exposure": books.rounded_sum(
                *(f"{side}_exposure", title, "Quantity times mark price of each."),
                books.positions("notional", side=side),
            )
            for side, title in (("long", "Longs"), ("short", "Shorts"))
        },
        "net_exposure": books.sum(
            *("net_exposure", "Net exposure", "What a rise of all prices would be felt on."),
            [
                books.part("+", "long_exposure", "Longs"),
                books.part(MINUS, "short_exposure", "Shorts"),
            ],
        ),
        "exposure_percent": _exposure_percent(books),
    }


def total_derivation(books: Books, name: str) -> Derivation:
    """The derivation of the total with ``name`` of ``TOTALS``."""
    _, label, text = TOTALS[name]
    return books.sum(name, label, text, books.split(name))


def pnl_derivation(books: Books) -> Derivation:
    """The derivation of the P&L of the epoch."""
    return books.sum(
        *("current_pnl", "P&L of this epoch"),
        "The equity less what was put in: what was gained or lost since the epoch began.",
        [
            books.part("+", "portfolio_value", "Equity now"),
            books.starting(MINUS, "Starting balance"),
            *books.totals({"deposits": MINUS, "withdrawals": "+"}),
        ],
        label="P&L",
    )


def _margins(books: Books) -> list[Term]:
    terms, orders = books.positions("isolated_margin", "Margin of {}"), books.snapshot.open_orders
    if orders:
        href = link("ledger", kind="order,cancel", epoch=books.snapshot.epoch)
        reserved = sum_by_group((row["group"], row["reserved_margin"]) for row in orders)
        terms.append(books.term("+", "Kept back by open orders", reserved, href))
    return terms


def _pnl_percent(books: Books) -> Derivation:
    snapshot, title = books.snapshot, "P&L in percent"
    capital = snapshot.starting_balance + snapshot.deposits - snapshot.withdrawals
    text = "The P&L in percent of the capital: the starting balance + deposits - withdrawals."
    if snapshot.pnl_percent is None:
        return Derivation(title, f"{text} None is left in.", ())
    pnl = replace(books.part(" ", "current_pnl", "P&L"), display=snapshot.display["current_pnl"])
    terms = [pnl, books.term(DIVIDED, "Capital", capital), IN_PERCENT]
    return books.sum("pnl_percent", title, text, terms)


def _exposure_percent(books: Books) -> Derivation:
    title, text = "Gross exposure", "Longs and shorts together, in percent of the equity."
    if books.snapshot.exposure_percent is None:
        return Derivation(title, f"{text} There is none.", ())
    terms = [
        books.part("+", "long_exposure", "Longs"),
        books.part("+", "short_exposure", "Shorts"),
        books.part(DIVIDED, "portfolio_value", "Total equity"),
        IN_PERCENT,
    ]
    return books.sum("exposure_percent", title, text, terms)


@exactly
def position_derivations(snapshot: Snapshot) -> dict[str, Derivation]:
    """The derivations of notional, unrealised P&L and ROE of each position of ``snapshot``, by the
    name of the figure and the symbol: ``"notional:BTC/USDT"``."""
    return {
        f"{name}:{row['symbol']}": derivation
        for row in snapshot.positions
        for name, derivation in _of_position(row).items()
    }


def _of_position(row: Row) -> dict[str, Derivation]:
    symbol, display = row["symbol"], row["display"]
    quantity = Term(TIMES, "Quantity", plain(row["quantity"]), row["quantity"])

    def price(sign: Sign, label: str, name: str) -> Term:
        return Term(sign, label, display[name], row[name])

    def total(label: str, name: str) -> Term:
        return total_of(label, row[name], display[name])

    entry, mark = ("Entry price", "entry_price"), ("Mark price", "mark_price")
    end, begin = (mark, entry) if row["side"] == "long" else (entry, mark)
    # What the price moved in favour of the position.
    gained = price(" ", *end), price(MINUS, *begin)
    return {
        "notional": Derivation(
            f"{symbol} {row['side']}",
            "What is held at mark price: quantity times mark price.",
            (replace(quantity, sign=" "), price(TIMES, *mark), total("Notional", "notional")),
        ),
        "unrealized_pnl": Derivation(
            f"Unrealised P&L of {symbol}",
            "What it would bring to close it at its mark price, before fees.",
            (*gained, quantity, total("Unrealised P&L", "unrealized_pnl")),
        ),
        "roe_percent": Derivation(
            f"ROE of {symbol}",
            "The unrealised P&L in percent of the initial margin at the entry price: what the "
            "price moved, over the entry price, times the leverage.",
            (
                *gained,
                price(DIVIDED, *entry),
                Term(TIMES, "Leverage", display["leverage"], row["leverage"]),
                IN_PERCENT,
                total("ROE", "roe_percent"),
            ),
        ),
    }
