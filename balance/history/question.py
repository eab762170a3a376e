"""Questions about the history: which of its lists, what to leave out, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from balance.core.entry import Place
from balance.core.errors import InvalidRequest
from balance.core.moments import from_iso
from balance.core.money import number
from balance.core.trade import OUTCOMES
from balance.core.wallet import KINDS

#: The lists that the ledger is told as.
Table = Literal["ledger", "fills", "trades"]
#: The lists of the history: those, and the epochs.
Listed = Table | Literal["epochs"]
#: How the one who trades by hand is called among the owners, which are bots otherwise.
PERSON: Final = "you"
#: How many rows may be asked for at once.
MOST_ROWS: Final = 1_000
USUAL_ROWS: Final = 100
#: Newest first.
NEWEST_FIRST: Final = "-revision"

_COMMON: Final = ("revision", "place", "time", "epoch", "kind", "source", "symbol", "owner")
#: What each list may be sorted by, epochs also by the figures of performance; a "-" before it
#: turns the order round.
SORTS: Final[Mapping[Listed, tuple[str, ...]]] = MappingProxyType(
    {
        "ledger": (*_COMMON, "amount", "balance", "note"),
        "fills": (
            *(*_COMMON, "side", "type", "reason", "liquidity", "quantity", "price", "fee"),
            *("closed_quantity", "realized_pnl", "position_pnl"),
        ),
        "trades": (
            *(*_COMMON, "side", "outcome", "quantity", "entry_price", "exit_price", "opened_at"),
            *("closed_at", "seconds", "pnl", "gross", "fees", "funding"),
            *("opened_because", "closed_because"),
        ),
        "epochs": (
            *("epoch", "opened_at", "ended_at", "seconds", "entries", "starting_balance"),
            *("deposits", "withdrawals", "adjustments", "realized_pnl", "fees_paid"),
            *("funding_paid", "balance", "pnl", "pnl_percent", "carried"),
        ),
    }
)
_LISTS: Final = ("kind", "epoch", "symbol", "owner", "source")
#: The filters that may have several values, with commas between.
MANY: Final = frozenset({*_LISTS, "side", "reason", "outcome"})
_BOUNDS: Final = ("from", "to", "least", "most", "after", "until")
#: What each list may be filtered by.
FILTERS: Final[Mapping[Listed, tuple[str, ...]]] = MappingProxyType(
    {
        "ledger": (*_LISTS, "text", *_BOUNDS),
        "fills": (*_LISTS, "side", "reason", "text", *_BOUNDS),
        "trades": (*_LISTS, "side", "outcome", "text", *_BOUNDS),
        "epochs": ("epoch", *_BOUNDS),
    }
)
_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "kind": KINDS,
        "side": ("buy", "sell", "long", "short"),
        "reason": ("order", "stop_loss", "take_profit", "liquidation", "reset", "undo"),
        "outcome": OUTCOMES,
    }
)
_LONGEST: Final = 200
_LARGEST: Final = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of one list; all that is named must hold."""

    table: Listed
    # by name, any of the values of each: kind, epoch, symbol, owner, source, side, reason, outcome
    one_of: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    # a part of the note, or of why a trade was opened or closed; whatever the case of its letters
    text: str = ""
    # by the ledger's time (epochs: when they were opened), both included
    begin: datetime | None = None
    end: datetime | None = None
    # of the amount (fills: the realised P&L; trades and epochs: the P&L), both included, in the
    # quote currency
    least: Decimal | None = None
    most: Decimal | None = None
    # revisions (epochs: that opened them): greater than the first, at most the second
    after: int | None = None
    until: int | None = None
    # places: only older ones
    before: Place | None = None
    sort: str = NEWEST_FIRST
    offset: int = 0
    # None: all there are
    limit: int | None = USUAL_ROWS

    @property
    def is_whole(self) -> bool:
        """Whether it is the ledger as it stands, newest first: nothing is left out."""
        is_newest_first = self.table == "ledger" and self.sort in (NEWEST_FIRST, "-place")
        return is_newest_first and not self.is_filtered

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        bounds = (self.begin, self.end, self.least, self.most, self.after, self.until, self.before)
        return bool(self.one_of or self.text) or any(each is not None for each in bounds)

    @property
    def order(self) -> tuple[str, bool]:
        """The column to sort by, and whether its largest comes first."""
        return self.sort.removeprefix("-"), self.sort.startswith("-")


def question(
    table: Listed, asked: Mapping[str, str], sorts: Sequence[str] | None = None
) -> Question:
    """The question that the texts ``asked`` put to ``table``: filters, ``sort``, ``offset`` and
    ``limit``, by name. ``sorts`` are the names that it may be sorted by, unless those of
    ``SORTS``.

    Raises:
        InvalidRequest: a name or a value makes no sense.
    """
    known = (*FILTERS[table], "sort", "offset", "limit")
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise InvalidRequest(
            f"{table} can't be asked for {unknown[0][:40]!r}. There are: {', '.join(known)}."
        )
    limit = _count(asked, "limit", MOST_ROWS)
    if limit == 0:
        raise InvalidRequest(f"limit must be from 1 to {MOST_ROWS:,}.")
    return Question(
        table=table,
        one_of=_one_of(table, asked),
        text=_text(asked),
        begin=_moment(asked, "from"),
        end=_moment(asked, "to"),
        least=_amount(asked, "least"),
        most=_amount(asked, "most"),
        after=_count(asked, "after"),
        until=_count(asked, "until"),
        sort=_sort(sorts or SORTS[table], asked.get("sort", newest_first(table))),
        offset=_count(asked, "offset") or 0,
        limit=USUAL_ROWS if limit is None else limit,
    )


def newest_first(table: Listed) -> str:
    """What ``table`` is sorted by unless asked otherwise."""
    return "-epoch" if table == "epochs" else NEWEST_FIRST


def _one_of(table: Listed, asked: Mapping[str, str]) -> dict[str, tuple[str | int, ...]]:
    found: dict[str, tuple[str | int, ...]] = {}
    for name in FILTERS[table]:
        if name in MANY and asked.get(name):
            words = tuple(dict.fromkeys(filter(None, asked[name].split(","))))
            if len(words) > _LONGEST:
                raise InvalidRequest(f"{name} may have at most {_LONGEST} values.")
            found[name] = tuple(_value(name, word) for word in words)
    return found


def _value(name: str, word: str) -> str | int:
    if name == "epoch":
        return _whole(name, word)
    if name in _WORDS and word not in _WORDS[name]:
        raise InvalidRequest(f"{name} must be of {', '.join(_WORDS[name])}, not {word[:40]!r}.")
    return word


def _text(asked: Mapping[str, str]) -> str:
    text = asked.get("text", "")
    if len(text) > _LONGEST:
        raise InvalidRequest(f"text may have at most {_LONGEST} characters.")
    return text


def _moment(asked: Mapping[str, str], name: str) -> datetime | None:
    if not asked.get(name):
        return None
    try:
        return from_iso(asked[name])
    except (ValueError, OverflowError) as fault:
        raise InvalidRequest(
            f"{name} must be a time such as 2026-01-02T03:04:05Z, not {asked[name][:40]!r}."
        ) from fault


def _amount(asked: Mapping[str, str], name: str) -> Decimal | None:
    return number(asked[name], name) if asked.get(name) else None


def _count(asked: Mapping[str, str], name: str, most: int = _LARGEST) -> int | None:
    if not asked.get(name):
        return None
    count = _whole(name, asked[name])
    if count > most:
        raise InvalidRequest(f"{name} must be at most {most:,}, not {asked[name][:40]}.")
    return count


def _whole(name: str, word: str) -> int:
    if not (word.isascii() and word.isdecimal() and len(word) <= 15):
        raise InvalidRequest(f"{name} must be a whole number, not {word[:40]!r}.")
    return int(word)


def _sort(sorts: Sequence[str], sort: str) -> str:
    if sort.removeprefix("-") not in sorts:
        raise InvalidRequest(f"sort must be one of {', '.join(sorts)}, not {sort[:40]!r}.")
    return sort
