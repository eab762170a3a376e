"""What History shows: a list, its filters, its order and what is open over it; all of it is in the
address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, cast
from urllib.parse import urlencode

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

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> View:
        """The view that the page says in a store."""
        known = {name: (data or {}).get(name) for name in cls.__dataclass_fields__}
        view = cls(**{name: value for name, value in known.items() if value})
        return replace(view, compare=tuple(view.compare)) if view.table in LISTS else cls()

    def href(self, path: str = PATH) -> str:
        """Its address; ``path`` is that of History, which may be below one of a proxy."""
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
        return f"{path}?{text}" if text else path

    def without(self, *names: str) -> View:
        """The same list without some of its filters."""
        left = {name: value for name, value in self.filters.items() if name not in names}
        return replace(self, filters=left)

    def turned(self, table: str) -> View:
        """Another list, with the filters that mean the same in it."""
        shared = {name: value for name, value in self.filters.items() if name in SHARED}
        return View(cast(Listed, table), shared)
