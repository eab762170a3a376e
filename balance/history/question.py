"""Questions about the history: which of its lists, what to filter, in which order."""

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
from balance.core.symbols import symbol_alone
from balance.history.columns import Column
from balance.history.lists import COLUMNS, SUBJECT, SUBJECTS, Table

#: The lists of the history: those of the ledger, and the epochs.
Listed = Table | Literal["epochs"]
#: The owner's name in a filter for the one who trades by hand; the other owners are bots.
PERSON: Final = "you"
#: How many rows a page may have, and how many it has by default.
MOST_ROWS: Final = 1_000
USUAL_ROWS: Final = 100
#: Newest first.
NEWEST_FIRST: Final = "-revision"

_OF_TABLE: Final[Mapping[Table, tuple[Column, ...]]] = MappingProxyType(
    {table: (*SUBJECTS[table], *columns) for table, columns in COLUMNS.items()}
)
#: What each list may be sorted by; a "-" before it reverses the order. Epochs are sorted by the
#: figures of performance.
SORTS: Final[Mapping[Table, tuple[str, ...]]] = MappingProxyType(
    {
        table: ("revision", "place", *(each.name for each in columns if each.mark.is_sortable))
        for table, columns in _OF_TABLE.items()
    }
)
#: The columns whose values a list may be filtered by, several of them with commas between.
FILTER_COLUMNS: Final[Mapping[Listed, tuple[Column, ...]]] = MappingProxyType(
    {
        **{
            table: tuple(each for each in columns if each.mark.is_filter)
            for table, columns in _OF_TABLE.items()
        },
        "epochs": tuple(each for each in SUBJECT if each.name == "epoch"),
    }
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """An amount that a list is filtered by, in the quote currency, both bounds included."""

    column: str
    # What it is called in a sentence.
    label: str
    # The names of its two filters.
    least: str
    most: str


def bounds_of(columns: Sequence[Column]) -> tuple[Bounds, ...]:
    """Of the first amount that is bounded, ``least`` and ``most``; the others have its name too."""
    bounded = [each for each in columns if each.mark.bounded_as]
    ends = ["", *(f"_{each.name}" for each in bounded[1:])]
    return tuple(
        Bounds(each.name, each.mark.bounded_as, f"least{end}", f"most{end}")
        for each, end in zip(bounded, ends, strict=True)
    )


#: The amounts that a list may be filtered by. Epochs have the P&L of trades.
BOUNDS: Final[Mapping[Listed, tuple[Bounds, ...]]] = MappingProxyType(
    {
        **{table: bounds_of(columns) for table, columns in COLUMNS.items()},
        "epochs": bounds_of([each for each in COLUMNS["trades"] if each.name == "pnl"]),
    }
)
#: What each list may be filtered by.
FILTERS: Final[Mapping[Listed, tuple[str, ...]]] = MappingProxyType(
    {
        table: (
            *(each.name for each in columns),
            *(() if table == "epochs" else ("text",)),
            *("from", "to"),
            *(name for each in BOUNDS[table] for name in (each.least, each.most)),
            *("after", "until"),
        )
        for table, columns in FILTER_COLUMNS.items()
    }
)
_FILTERED: Final = {each: None for columns in FILTER_COLUMNS.values() for each in columns}
#: The filters that may have several values.
MANY: Final = frozenset(each.name for each in _FILTERED)
# The only values that a filter may have, whichever the list; none: any.
_VALUES: Final = {
    name: [value for each in _FILTERED if each.name == name for value in each.values]
    for name in MANY
}
_LONGEST: Final = 200
_LARGEST: Final = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a reader wants of one list: the rows that pass all of its filters."""

    table: Listed
    # By name, any of the values of each: kind, epoch, symbol, owner, source, side, reason, outcome.
    one_of: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    # A part of the note, or of why a trade was opened or closed; whatever the case of its letters.
    text: str = ""
    # By the ledger's time (epochs: when they were opened), both included.
    begin: datetime | None = None
    end: datetime | None = None
    # By the column of an amount in BOUNDS, both included, in the quote currency.
    least: Mapping[str, Decimal] = field(default_factory=dict)
    most: Mapping[str, Decimal] = field(default_factory=dict)
    # Revisions (epochs: that opened them): greater than the first, at most the second.
    after: int | None = None
    until: int | None = None
    # Only places from this one on.
    since: Place | None = None
    # Only places before this one.
    before: Place | None = None
    sort: str = NEWEST_FIRST
    offset: int = 0
    # None: all rows.
    limit: int | None = USUAL_ROWS
    # Whether it is also for how many rows all pages have, which must be counted.
    is_counted: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether it is for the ledger as it stands, newest first and without a filter."""
        is_newest_first = self.table == "ledger" and self.sort in (NEWEST_FIRST, "-place")
        return is_newest_first and not self.is_filtered

    @property
    def is_filtered(self) -> bool:
        """Whether it has a filter."""
        ends = (self.begin, self.end, self.after, self.until, self.since, self.before)
        is_some = bool(self.one_of or self.text or self.least or self.most)
        return is_some or any(each is not None for each in ends)

    @property
    def order(self) -> tuple[str, bool]:
        """The column to sort by, and whether its largest comes first."""
        return self.sort.removeprefix("-"), self.sort.startswith("-")


def parse_question(table: Listed, params: Mapping[str, str], sorts: Sequence[str]) -> Question:
    """The question for ``table`` that ``params`` are: filters, ``sort``, one of ``sorts``,
    ``offset`` and ``limit``, by name.

    Raises:
        InvalidRequest: a name or a value makes no sense.
    """
    known = (*FILTERS[table], "sort", "offset", "limit")
    unknown = sorted(set(params) - set(known))
    if unknown:
        raise InvalidRequest(
            f"{table} has no parameter {unknown[0][:40]!r}. There are: {', '.join(known)}."
        )
    limit = _count(params, "limit", MOST_ROWS)
    if limit == 0:
        raise InvalidRequest(f"limit must be from 1 to {MOST_ROWS:,}.")
    return Question(
        table=table,
        one_of=_one_of(table, params),
        text=_text(params),
        begin=_moment(params, "from"),
        end=_moment(params, "to"),
        least=_amounts(params, {each.column: each.least for each in BOUNDS[table]}),
        most=_amounts(params, {each.column: each.most for each in BOUNDS[table]}),
        after=_count(params, "after"),
        until=_count(params, "until"),
        sort=_sort(sorts, params.get("sort", newest_first(table))),
        offset=_count(params, "offset") or 0,
        limit=USUAL_ROWS if limit is None else limit,
    )


def newest_first(table: Listed) -> str:
    """What ``table`` is sorted by by default."""
    return "-epoch" if table == "epochs" else NEWEST_FIRST


def _one_of(table: Listed, params: Mapping[str, str]) -> dict[str, tuple[str | int, ...]]:
    found: dict[str, tuple[str | int, ...]] = {}
    for name in FILTERS[table]:
        if name in MANY and params.get(name):
            values = tuple(dict.fromkeys(filter(None, params[name].split(","))))
            if len(values) > _LONGEST:
                raise InvalidRequest(f"{name} may have at most {_LONGEST} values.")
            found[name] = tuple(_value(name, each) for each in values)
    return found


def _value(name: str, text: str) -> str | int:
    if name == "epoch":
        return _whole(name, text)
    if name == "symbol":
        return symbol_alone(text) or text
    if _VALUES[name] and text not in _VALUES[name]:
        raise InvalidRequest(f"{name} must be of {', '.join(_VALUES[name])}, not {text[:40]!r}.")
    return text


def _text(params: Mapping[str, str]) -> str:
    text = params.get("text", "")
    if len(text) > _LONGEST:
        raise InvalidRequest(f"text may have at most {_LONGEST} characters.")
    return text


def _moment(params: Mapping[str, str], name: str) -> datetime | None:
    if not params.get(name):
        return None
    try:
        return from_iso(params[name])
    except (ValueError, OverflowError) as fault:
        raise InvalidRequest(
            f"{name} must be a time such as 2026-01-02T03:04:05Z, not {params[name][:40]!r}."
        ) from fault


def _amounts(params: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Decimal]:
    """The amounts in ``params`` by column; ``names`` are those of the filters by column."""
    return {
        column: number(params[name], name) for column, name in names.items() if params.get(name)
    }


def _count(params: Mapping[str, str], name: str, most: int = _LARGEST) -> int | None:
    if not params.get(name):
        return None
    count = _whole(name, params[name])
    if count > most:
        raise InvalidRequest(f"{name} must be at most {most:,}, not {params[name][:40]}.")
    return count


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise InvalidRequest(f"{name} must be a whole number, not {text[:40]!r}.")
    return int(text)


def _sort(sorts: Sequence[str], sort: str) -> str:
    if sort.removeprefix("-") not in sorts:
        raise InvalidRequest(f"sort must be one of {', '.join(sorts)}, not {sort[:40]!r}.")
    return sort
