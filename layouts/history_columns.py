"""The columns of History's lists: what each shows of a row, how wide it is, and the card that a
phone shows of a row instead.

A list has a column for each row of its table here; nothing else has to be written for one::

    Column("fee", "Fee", 72, kind="number", tip="USDT")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from balance.core.figures import NONE
from balance.history.question import Listed
from balance.history.rows import duration
from layouts.history_view import LISTS, View
from layouts.live import tone

Row = Mapping[str, Any]
#: A text; or the time since which something goes on, of which the page writes how long that is.
Part = str | Mapping[str, str]

# The width of the table, in px, from which on a column is shown.
_WIDE: Final = 960
_WIDEST: Final = 1240
_RIGHT: Final = {"cellClass": "ag-right-aligned-cell", "headerClass": "ag-right-aligned-header"}
_TONES: Final = {
    name: f"params.data && params.data.tones[params.colDef.colId] == '{name}'"
    for name in ("gain", "loss", "flat")
}
#: What the columns of a kind have in common, as the grid takes it. What draws a cell that is more
#: than its text is in the page.
KINDS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "text": {},
        "name": {},
        "long": {"flex": 8},
        "moment": {"cellClass": "when"},
        "number": _RIGHT,
        "result": {**_RIGHT, "cellClassRules": _TONES},
        "place": {**_RIGHT, "cellRenderer": "HistoryLink"},
        "entries": {**_RIGHT, "cellRenderer": "HistoryLink"},
        "lasted": {**_RIGHT, "cellRenderer": "HistoryLasted"},
        "opened": {},
        "epoch": {"cellClassRules": {"running": "params.data && params.data.since"}},
        "pick": {"cellClass": "pick", "cellRenderer": "HistoryPick"},
        "card": {"cellRenderer": "HistoryCard", "sortable": False},
    }
)
# Their texts are cut off rather than that the column is widened.
_CLIPPED: Final = ("long", "pick", "lasted", "opened")


def _shown(row: Row, name: str) -> str:
    text = row["display"].get(name, row.get(name))
    return "" if text is None else str(text)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list."""

    # The field of a row that it shows, as its text.
    name: str
    label: str
    # In px, at least.
    width: int
    # One of KINDS.
    kind: str = "text"
    # What is said of its heading.
    tip: str = ""
    # From which width of the table on it is shown.
    shown_from: int = 0
    # What the list is sorted by where that is called otherwise.
    by: str = ""
    is_sortable: bool = True
    # What it shows of a row where that is another text, and what is said of a cell.
    text: Callable[[Row], str] | None = None
    cell_tip: Callable[[Row], str] | None = None

    @property
    def id(self) -> str:
        """What the grid calls it: what the list is sorted by."""
        return self.by or self.name

    def text_of(self, row: Row, year: str) -> str:
        """What it shows of ``row`` in a ``year``."""
        if self.kind == "moment":
            return short_moment(row[self.name], year)
        return self.text(row) if self.text else _shown(row, self.name)

    def tip_of(self, row: Row) -> str:
        """What is said of its cell of ``row``; empty: nothing."""
        if self.kind == "moment":
            return exact_moment(row[self.name])
        if self.cell_tip:
            return self.cell_tip(row)
        return self.text_of(row, "") if self.kind == "long" else ""

    def definition(self) -> dict[str, Any]:
        """It as the grid takes it; the page leaves it out where the table is too narrow."""
        has_tips = self.cell_tip or self.kind in ("moment", "long")
        return {
            "colId": self.id,
            "field": f"texts.{self.id}",
            "headerName": self.label,
            "type": self.kind,
            "minWidth": self.width,
            "context": {"from": self.shown_from, "fits": self.kind not in _CLIPPED},
            **({"headerTooltip": self.tip} if self.tip else {}),
            **({"tooltipField": f"tips.{self.id}"} if has_tips else {}),
            **({} if self.is_sortable else {"sortable": False}),
        }


def short_moment(time: str | None, year: str) -> str:
    """``time`` in UTC as short as it can be written in a ``year``: ``"11-23 02:43:07"``, of another
    year ``"2025-11-23 02:43"``; nothing for what has not come yet."""
    if not time:
        return ""
    is_of_year = time.startswith(year)
    return f"{time[5:10]} {time[11:19]}" if is_of_year else f"{time[:10]} {time[11:16]}"


def exact_moment(time: str | None) -> str:
    """``time`` as it is, in UTC; nothing for what has not come yet."""
    return f"{time[:10]} {time[11:].replace('Z', '')} UTC" if time else ""


def lasted(row: Row) -> str:
    """How long an epoch has lasted."""
    seconds = row["seconds"]
    return NONE if seconds is None else duration(timedelta(seconds=seconds))


def _trader(row: Row) -> str:
    # The bot may be gone, and its name with it.
    return row["name"] or row["bot"] or "You"


def _opened(row: Row) -> str:
    known = {"undo": f"goes on from {row['continues']}", "reset": "after a reset"}
    known["start"] = "the first"
    return known.get(row["opened_by"], _shown(row, "opened_by"))


def _epoch(row: Row) -> str:
    return f"{row['epoch']}{' running' * row['is_current']}"


def _entries(row: Row) -> str:
    return f"{_shown(row, 'entries')} {'entry' if row['entries'] == 1 else 'entries'}"


_WHEN: Final = Column("time", "When", 124, "moment", by="revision")
_SYMBOL: Final = Column("symbol", "Symbol", 80)
_SIDE: Final = Column("side", "Side", 48)
_OWNER: Final = Column("owner", "Whose", 72, shown_from=_WIDE)
_EPOCH: Final = Column("epoch", "Epoch", 64, "number", shown_from=_WIDE)
_PLACE: Final = Column(
    *("place", "No.", 60, "place", "Where it stands in the ledger", _WIDE), is_sortable=False
)
_PNL: Final = Column("realized_pnl", "Realised P&L", 104, "result", "Before fees")

#: The columns of each list, in their order.
COLUMNS: Final[Mapping[Listed, Sequence[Column]]] = MappingProxyType(
    {
        "ledger": (
            _WHEN,
            Column("kind", "What", 104),
            replace(_SYMBOL, width=88),
            Column("amount", "Amount", 80, "result"),
            Column("balance", "Balance after", 104, "number"),
            _OWNER,
            Column("source", "From", 72, shown_from=_WIDE),
            Column("note", "Note", 144, "long"),
            _EPOCH,
            _PLACE,
        ),
        "fills": (
            _WHEN,
            replace(_SYMBOL, width=88),
            replace(_SIDE, width=60),
            Column("why", "Type", 96, by="type"),
            Column("quantity", "Quantity", 84, "number"),
            Column("price", "Price", 92, "number"),
            Column("fee", "Fee", 72, "number", "USDT"),
            _PNL,
            Column("liquidity", "Liquidity", 80, shown_from=_WIDE),
            replace(_OWNER, width=88),
            Column(
                *("client_id", "Client id", 96, "name", "", _WIDEST),
                is_sortable=False,
                cell_tip=lambda row: row["client_id"],
            ),
            _EPOCH,
            _PLACE,
        ),
        "trades": (
            replace(_WHEN, label="Closed"),
            _SYMBOL,
            _SIDE,
            Column(
                *("bot", "Whose", 60, "text", "", _WIDE, "owner"),
                text=_trader,
                cell_tip=lambda row: row["bot"],
            ),
            Column("quantity", "Quantity", 64, "number", shown_from=_WIDE),
            Column("entry_price", "Entry", 76, "number", "The average price that it was opened at"),
            Column("exit_price", "Exit", 76, "number", "The average price that it was closed at"),
            Column("duration", "Held", 68, "number", by="seconds"),
            Column("pnl", "P&L", 72, "result", "After fees and funding"),
            Column("fees", "Fees", 56, "number", "USDT", _WIDE),
            Column("funding", "Funding", 72, "result", "USDT", _WIDE),
            Column("opened_because", "Why opened", 96, "long", shown_from=_WIDE),
            Column("closed_because", "Why closed", 96, "long"),
            replace(_PLACE, shown_from=_WIDEST),
        ),
        "orders": (
            replace(_WHEN, label="Placed"),
            _SYMBOL,
            _SIDE,
            Column("kind", "Type", 96, by="type", cell_tip=lambda row: _shown(row, "type")),
            Column("state", "State", 76),
            Column("quantity", "Quantity", 76, "number"),
            Column("price", "Limit", 76, "number"),
            Column("trigger_price", "Trigger", 76, "number", shown_from=_WIDE),
            Column("average_price", "Filled at", 80, "number"),
            Column("fee", "Fee", 60, "number", "USDT", _WIDEST),
            replace(_PNL, shown_from=_WIDE),
            Column("ended_at", "Ended", 124, "moment", shown_from=_WIDEST),
            _OWNER,
            Column("why", "Why it ended", 96, "long"),
            Column(*("id", "Id", 60, "number", "The id of the order", _WIDE), is_sortable=False),
        ),
        "epochs": (
            Column("pick", "Compare", 76, "pick", is_sortable=False, text=lambda _: ""),
            Column("epoch", "Epoch", 88, "epoch", text=_epoch, cell_tip=_opened),
            Column("opened_at", "Began", 124, "moment"),
            Column("seconds", "Lasted", 96, "lasted", text=lasted),
            Column("starting_balance", "Began with", 88, "number", shown_from=_WIDE),
            Column("balance", "Wallet balance", 112, "number", "At the end, or now"),
            Column("pnl", "P&L", 72, "result"),
            Column("pnl_percent", "P&L, %", 64, "result", "Of the capital put in", _WIDE),
            Column(
                *("return_percent", "Return", 64, "result"),
                "Time-weighted: deposits and withdrawals don't move it",
            ),
            Column(
                *("max_drawdown_percent", "Drawdown", 88, "number"),
                *("The deepest fall from a peak, time-weighted", _WIDE),
            ),
            Column("trades", "Trades", 60, "number"),
            Column("win_rate", "Win rate", 68, "number", shown_from=_WIDE),
            Column("fees_paid", "Fees", 64, "number", "USDT", _WIDEST),
            Column(
                *("opened_by", "How it began", 112, "opened", "", _WIDEST),
                is_sortable=False,
                text=_opened,
            ),
            Column("entries", "Entries", 64, "entries"),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class _Card:
    """What a phone shows of a row: each of its texts is made of the row."""

    title: Callable[[Row], Sequence[str | None]]
    figure: str
    parts: Callable[[Row], Sequence[Part]]
    below: Callable[[Row], str]
    has_tone: bool = True
    time: str = "time"


def _prices(row: Row) -> str:
    names = ("average_price", "price", "trigger_price")
    return next((text for name in names if (text := _shown(row, name)) != NONE), "")


_CARDS: Final[Mapping[Listed, _Card]] = {
    "ledger": _Card(
        title=lambda row: (_shown(row, "kind"), row["symbol"]),
        figure="amount",
        parts=lambda row: (row["note"] or _shown(row, "source"),),
        below=lambda row: _shown(row, "balance"),
    ),
    "fills": _Card(
        title=lambda row: [_shown(row, name) for name in ("side", "quantity", "symbol")],
        figure="price",
        parts=lambda row: (
            *(_shown(row, "why"), _shown(row, "owner"), f"fee {_shown(row, 'fee')}"),
        ),
        below=lambda row: _shown(row, "realized_pnl"),
    ),
    "trades": _Card(
        title=lambda row: [_shown(row, name) for name in ("side", "quantity", "symbol")],
        figure="pnl",
        parts=lambda row: (
            *(_trader(row), f"held {_shown(row, 'duration')}", _shown(row, "closed_because")),
        ),
        below=lambda row: f"{_shown(row, 'entry_price')} → {_shown(row, 'exit_price')}",
    ),
    "orders": _Card(
        title=lambda row: [_shown(row, name) for name in ("side", "quantity", "symbol")],
        figure="state",
        parts=lambda row: (_shown(row, "type"), row["why"] or _shown(row, "owner")),
        below=_prices,
        has_tone=False,
    ),
    "epochs": _Card(
        title=lambda row: (f"Epoch {row['epoch']}{', running' if row['is_current'] else ''}",),
        figure="pnl",
        parts=lambda row: (
            {"since": row["opened_at"]} if row["is_current"] else lasted(row),
            _opened(row),
        ),
        below=_entries,
        time="opened_at",
    ),
}


def definitions() -> dict[str, list[dict[str, Any]]]:
    """By list: its columns, the last of which is the one of its cards."""
    return {
        table: [*(each.definition() for each in columns), _card_definition(table)]
        for table, columns in COLUMNS.items()
    }


def _card_definition(table: Listed) -> dict[str, Any]:
    return {"colId": "card", "field": "card.title", "headerName": LISTS[table], "type": "card"}


def grid_row(view: View, row: Row, year: str) -> dict[str, Any]:
    """``row`` of the list of ``view`` as the grid shows it in a ``year``: by column its text, what
    is said of it, its tone, and the link to what it opens or, of an epoch, to its entries."""
    table = view.table
    columns = COLUMNS[table]
    # What moves no money has no colour, which a row of the ledger says itself.
    own = row["display"].get("tone")
    results = {each.id: _shown(row, each.name) for each in columns if each.kind == "result"}
    found: dict[str, Any] = {
        "id": str(row["epoch"]) if table == "epochs" else row["place"],
        "texts": {each.id: each.text_of(row, year) for each in columns},
        "tips": {each.id: tip for each in columns if (tip := each.tip_of(row))},
        "tones": {name: own or tone(text) for name, text in results.items()},
        "card": _card(table, row, year),
    }
    if table == "epochs":
        label = f"{_entries(row)} of epoch {row['epoch']}"
        href = View(filters={"epoch": found["id"]}, path=view.path).href
        return {
            **found,
            "epoch": row["epoch"],
            "since": row["opened_at"] if row["is_current"] else "",
            "link": {"href": href, "aria-label": label},
        }
    opens = {"order": row["id"]} if table == "orders" else {"entry": found["id"]}
    link = {"href": replace(view, **opens).href, "title": f"The whole entry {found['id']}"}
    return {**found, "revision": row["revision"], "link": link}


def _card(table: Listed, row: Row, year: str) -> dict[str, Any]:
    card = _CARDS[table]
    figure = _shown(row, card.figure)
    own = row["display"].get("tone") if card.has_tone else "flat"
    time = short_moment(row[card.time], year)
    return {
        "title": " ".join(filter(None, card.title(row))),
        "figure": figure,
        "tone": own or tone(figure),
        "parts": [each for each in (time, *card.parts(row)) if each],
        "below": card.below(row),
    }
