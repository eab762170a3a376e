"""What History shows: a list, its filters, its order and what is open over it; all of it is in the
address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, cast
from urllib.parse import parse_qs, urlencode

from dash import html

from balance.history.lists import SUBJECT
from balance.history.question import FILTER_COLUMNS, FILTERS, Listed

PATH: Final = "/history"
#: The lists, by what they are called.
LISTS: Final[Mapping[Listed, str]] = MappingProxyType(
    {
        "ledger": "Ledger",
        "fills": "Fills",
        "trades": "Trades",
        "orders": "Orders",
        "epochs": "Epochs",
    }
)
#: The filters that mean the same in every list.
SHARED: Final = ("symbol", "owner", "epoch", "from", "to", "text", "after", "until")
#: How many epochs stand side by side at most.
MOST_COMPARED: Final = 4
_MOMENTS: Final = ("from", "to")


def filter_names(table: Listed) -> list[str]:
    """The filters of ``table`` in the order of an address: those of that list alone come first."""
    own = {each.name for each in FILTER_COLUMNS[table]} - {each.name for each in SUBJECT}
    return sorted(FILTERS[table], key=lambda name: name not in own)


@dataclass(frozen=True, slots=True)
class View:
    """A list as an address says it; what an empty one says is the ledger, the newest first."""

    table: Listed = "ledger"
    # By name, as the routes take them: several values have commas between.
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    # The place of the entry, or the id of the order, that is open over the list.
    entry: str = ""
    order: str = ""
    # The numbers of the epochs side by side.
    compare: tuple[int, ...] = ()
    # Where History is, which may be below a path of a proxy.
    path: str = PATH

    @classmethod
    def parse(cls, query: str, path: str = PATH) -> View:
        """The view that the ``query`` of an address says; what its list does not have is left
        out."""
        members = parse_qs(query.removeprefix("?"))

        def first(name: str) -> str:
            return members.get(name, [""])[0]

        table = cast(Listed, first("table") if first("table") in LISTS else "ledger")
        # A name that is there again has more values.
        given = {name: ",".join(members.get(name, [])) for name in filter_names(table)}
        return cls(
            table,
            {
                name: _in_utc(value) if name in _MOMENTS else value
                for name, value in given.items()
                if value
            },
            first("sort"),
            first("entry"),
            first("order"),
            parse_epochs(first("compare")) if table == "epochs" else (),
            path,
        )

    @property
    def href(self) -> str:
        """Its address."""
        filters = {
            name: self.filters[name] for name in filter_names(self.table) if self.filters.get(name)
        }
        query = {
            "table": "" if self.table == "ledger" else self.table,
            **filters,
            "sort": self.sort,
            "compare": ",".join(map(str, self.compare)),
            "entry": self.entry,
            "order": self.order,
        }
        text = urlencode({name: value for name, value in query.items() if value}, safe=",:/")
        return f"{self.path}?{text}" if text else self.path

    def turned(self, table: str) -> View:
        """Another list, with the filters that mean the same in it."""
        shared = {name: value for name, value in self.filters.items() if name in SHARED}
        return View(cast(Listed, table), shared, path=self.path)

    def link(self, text: str, **filters: object) -> html.A:
        """A link to the ledger with ``filters``."""
        known = {name: str(value) for name, value in filters.items()}
        return html.A(text, href=View(filters=known, path=self.path).href)

    def over(self, text: str, *, entry: str = "", order: str = "") -> html.A:
        """A link to an ``entry`` by its place, or to an ``order`` by its id, open over the
        list."""
        return html.A(text, href=replace(self, entry=entry, order=order).href)


def parse_epochs(text: str) -> tuple[int, ...]:
    """The epochs that an address has side by side, which are at most so many."""
    numbers = dict.fromkeys(int(each) for each in text.split(",") if each.isdecimal())
    return tuple(each for each in numbers if each > 0)[:MOST_COMPARED]


def _in_utc(text: str) -> str:
    """A moment of an address in UTC, as all moments are shown; what is none stays as it is."""
    # An address writes a space as "+".
    moment = re.sub(r" (\d\d:?\d\d)$", r"+\1", text)
    if not re.search(r"T.*[+-]\d\d:?\d\d$", moment):
        return text
    try:
        shown = datetime.fromisoformat(moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    return shown.isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000Z", "Z")
