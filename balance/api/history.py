"""The history over HTTP: its lists, filtered and sorted, single entries, and files of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple, NotRequired, TypedDict

from flask import Request, Response, request

from balance.api.downloads import FORMATS, csv_file, download
from balance.api.operations import Answer, get
from balance.api.requests import Parameters
from balance.api.services import Services
from balance.core.entry import Place, cursor, place_of
from balance.core.errors import InvalidRequest, UnknownEntry
from balance.core.moments import from_iso
from balance.core.shape import Doc, Whole, fields_of
from balance.core.wallet import KINDS
from balance.desk.desk import Desk
from balance.history.epochs import Epoch
from balance.history.history import LONGEST_PAGE
from balance.history.index import Progress
from balance.history.lists import Table, history_row
from balance.history.order_rows import OrderRecordRow, order_record_row
from balance.history.question import (
    BOUNDS,
    FILTER_COLUMNS,
    FILTERS,
    MANY,
    MOST_ROWS,
    SORTS,
    USUAL_ROWS,
    Listed,
    Question,
    newest_first,
    parse_question,
)
from balance.history.rows import (
    EntryRow,
    FillRow,
    LedgerRecord,
    LedgerRow,
    TradeRow,
    WholeEntry,
    whole_entry,
)
from balance.history.search import unfinished
from balance.performance.epochs import (
    EPOCH_SORTS,
    WALLET_FIGURES,
    EpochRow,
    EpochSpan,
    Present,
    epoch_row,
    fitting,
    in_order,
)
from balance.performance.figures import FIGURES, ShownFigures, listed

# The columns of files keep their places, so newer figures of epochs come last.
_FIRST_FIGURES: Final = (
    *("trades", "wins", "losses", "even", "win_rate", "profit_factor", "best_trade"),
    *("worst_trade", "return_percent", "max_drawdown_percent", "max_drawdown"),
    *("longest_drawdown_seconds", "sharpe_ratio", "sortino_ratio", "time_in_market_percent"),
    *("expectancy", "average_win", "average_loss"),
)
_ROWS: Final[Mapping[Table, type]] = {
    "ledger": LedgerRow,
    "fills": FillRow,
    "trades": TradeRow,
    "orders": OrderRecordRow,
}
_FIRST_COLUMNS: Final = ("revision", "line", "place", "time")


def _file_columns(row: type) -> tuple[str, ...]:
    """The fields of ``row`` in a file: where it stands comes first, and its note last."""
    own = [each for each in fields_of(row) if each not in (*_FIRST_COLUMNS, "note", "display")]
    last = ("note",) if "note" in fields_of(row) else ()
    return (*_FIRST_COLUMNS, *own, *last)


#: The columns of each file, in their order.
FILE_COLUMNS: Final[Mapping[Listed, tuple[str, ...]]] = {
    **{table: _file_columns(row) for table, row in _ROWS.items()},
    "epochs": (
        *(*fields_of(EpochSpan), *WALLET_FIGURES, *_FIRST_FIGURES),
        *(each.name for each in FIGURES if each.name not in _FIRST_FIGURES),
    ),
}
#: The columns of the file of the ledger's entries alone.
ENTRY_COLUMNS: Final = tuple(fields_of(EntryRow))


class _Rows(TypedDict):
    """What every list has; a file has its rows alone."""

    total: NotRequired[
        Annotated[
            Whole | None,
            Doc(
                "Of all pages; null while the ledger is being indexed, and where one of its lines "
                "that may be among them is damaged."
            ),
        ]
    ]
    offset: NotRequired[Whole]
    index: NotRequired[Progress]


class LedgerRows(_Rows):
    """A page of the ledger."""

    rows: list[LedgerRow]


class FillRows(_Rows):
    """A page of the fills."""

    rows: list[FillRow]


class TradeRows(_Rows):
    """A page of the closed trades."""

    rows: list[TradeRow]


class OrderRows(_Rows):
    """A page of the orders."""

    rows: list[OrderRecordRow]


class EpochRows(_Rows):
    """A page of the epochs."""

    rows: list[EpochRow]
    figures: NotRequired[ShownFigures]


Neighbour = Annotated[str | None, Doc("The place of its neighbour; null: there is none.")]


class FoundEntry(TypedDict):
    """An entry whole, and where it stands."""

    entry: WholeEntry
    before: Neighbour
    after: Neighbour
    offset: Annotated[Whole | None, Doc("How many are newer; null: not known.")]
    index: Progress


class Entries(TypedDict):
    """A page of the entries."""

    entries: tuple[EntryRow, ...]
    next: Annotated[str | None, Doc("The before of the next page; null on the last one.")]


class ListQuery(NamedTuple):
    """What a request for a list says."""

    question: Question
    # One of FORMATS; None: a page as JSON.
    form: str | None


# A number of the query may be empty, which is as good as left out.
_OR_EMPTY: Final = {"pattern": "^$"}
_WHOLE: Final = {"type": ["integer", "string"], "minimum": 0, **_OR_EMPTY}
_AMOUNT: Final = {"type": ["number", "string"], **_OR_EMPTY}
_TEXT: Final = {"type": "string"}
_FILTERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "epoch": ("Of these epochs, with commas between.", _TEXT),
    "symbol": ("Of these symbols, with commas between.", _TEXT),
    "owner": (
        "Of the person, you, of bots by their ids or of keys by their names, with commas between.",
        _TEXT,
    ),
    "source": ("Who made the request: of these, with commas between.", _TEXT),
    "text": ("A part of the note or of a trade's reasons, in letters of either case.", _TEXT),
    "from": (
        "Not before this time of the ledger (2026-01-02T03:04:05Z); epochs: not opened before it.",
        _TEXT,
    ),
    "to": ("Not after this time of the ledger; epochs: not opened after it.", _TEXT),
    "after": ("Of later revisions than this; epochs: opened by later ones.", _WHOLE),
    "until": ("Of revisions up to this; epochs: opened by those.", _WHOLE),
}


def list_parameters(table: Listed) -> Parameters:
    """The parameters of the query for ``table``."""
    sorts = EPOCH_SORTS if table == "epochs" else SORTS[table]
    filters = {
        **{
            each.name: (f"Of these, with commas between: {', '.join(each.values)}.", _TEXT)
            for each in FILTER_COLUMNS[table]
        },
        **_FILTERS,
        **{each.least: (f"At least so much {each.label}.", _AMOUNT) for each in BOUNDS[table]},
        **{each.most: (f"At most so much {each.label}.", _AMOUNT) for each in BOUNDS[table]},
    }
    more = {
        "sort": (
            "A column; - before it reverses it, and ties with it, which are oldest first.",
            {
                "enum": [way + name for name in sorts for way in ("", "-")],
                "default": newest_first(table),
            },
        ),
        "offset": ("How many rows to leave out first.", {**_WHOLE, "default": 0}),
        "limit": (
            "Rows a page.",
            {**_WHOLE, "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_ROWS},
        ),
        "format": (
            "All rows that pass the filters, as a file. In CSV the person's owner is you, and a "
            "text that a spreadsheet would take for a formula begins with an apostrophe; in JSON "
            "there are no texts for people.",
            {"enum": [*FORMATS]},
        ),
    }

    def read(request: Request, _: object) -> ListQuery:
        return list_query(table, query_texts(request), sorts)

    described = {**{name: filters[name] for name in FILTERS[table]}, **more}
    return Parameters(
        read,
        (422,),
        *(
            {"name": name, "in": "query", "description": text, "schema": schema}
            for name, (text, schema) in described.items()
        ),
    )


def query_texts(request: Request) -> dict[str, str]:
    """The parameters in the query of ``request`` for a list, by name.

    Raises:
        InvalidRequest: one that has one value is named twice.
    """
    return {name: _one_text(name, values) for name, values in request.args.lists()}


def list_query(table: Listed, params: Mapping[str, str], sorts: Sequence[str]) -> ListQuery:
    """What ``params`` say of the list ``table``, which may be sorted by ``sorts``.

    Raises:
        InvalidRequest: a name or a value makes no sense.
    """
    form = params.get("format")
    if form is not None and form not in FORMATS:
        raise InvalidRequest(f"format must be {' or '.join(FORMATS)}, not {form[:40]!r}.")
    others = {name: text for name, text in params.items() if name != "format"}
    return ListQuery(parse_question(table, others, sorts), form)


def _one_text(name: str, values: Sequence[str]) -> str:
    if len(values) > 1 and name not in MANY:
        raise InvalidRequest(f"{name[:40]} may be named only once.")
    return ",".join(values)


LedgerQuery = Annotated[ListQuery, list_parameters("ledger")]
FillQuery = Annotated[ListQuery, list_parameters("fills")]
TradeQuery = Annotated[ListQuery, list_parameters("trades")]
OrderQuery = Annotated[ListQuery, list_parameters("orders")]
EpochQuery = Annotated[ListQuery, list_parameters("epochs")]
EntryPlace = Annotated[str, Doc("A revision such as 42, or 42.3 for its third line.")]
EntryLimit = Annotated[
    int | None,
    Doc("Entries a page; CSV without it has all.", minimum=1, maximum=LONGEST_PAGE, default=50),
]
Before = Annotated[str | None, Doc("A revision, or the last page's next.")]
OfKind = Annotated[str | None, Doc("Only entries of this kind.", enum=[*KINDS])]
OfEpoch = Annotated[int | None, Doc("Only entries of this epoch.", minimum=1)]
Form = Annotated[
    str | None, Doc("csv: CSV whatever is accepted; anything else: JSON.", examples=[*FORMATS])
]


class HistoryRoutes:
    """The history: the ledger, the fills, the closed trades and the epochs, and their files."""

    tag = "history"

    def __init__(self, desk: Desk, services: Services) -> None:
        self._desk = desk
        self._services = services

    @get("/virtual_balance/history", 422, types=("text/csv",))
    def list_entries(
        self,
        limit: EntryLimit = None,
        before: Before = None,
        kind: OfKind = None,
        epoch: OfEpoch = None,
        format: Form = None,  # noqa: A002 - its name
    ) -> Answer[Entries] | Response:
        """The ledger, newest first; as CSV with Accept: text/csv or format=csv."""
        view: dict[str, Any] = {"before": before, "kind": kind, "epoch": epoch}
        ledger, offered = self._desk.ledger, ["application/json", "text/csv"]
        accepted = request.accept_mimetypes.best_match(offered)
        if format == "csv" or (format is None and accepted == "text/csv"):
            entries: Iterable[Mapping[str, Any]] = ledger.rows(**view)
            if limit is not None:
                entries = ledger.page(limit=limit, **view).entries
            return csv_file("virtual-balance-ledger", ENTRY_COLUMNS, entries)
        page = ledger.page(limit=50 if limit is None else limit, **view)
        return Answer({"entries": page.entries, "next": page.next})

    @get("/history/ledger", types=("text/csv",))
    def filter_ledger(self, query: LedgerQuery) -> Answer[LedgerRows] | Response:
        """The ledger, filtered and sorted."""
        return self._list("ledger", query)

    @get("/history/fills", types=("text/csv",))
    def filter_fills(self, query: FillQuery) -> Answer[FillRows] | Response:
        """The fills, filtered and sorted."""
        return self._list("fills", query)

    @get("/history/trades", types=("text/csv",))
    def filter_trades(self, query: TradeQuery) -> Answer[TradeRows] | Response:
        """The closed trades, filtered and sorted."""
        return self._list("trades", query)

    @get("/history/orders", types=("text/csv",))
    def filter_orders(self, query: OrderQuery) -> Answer[OrderRows] | Response:
        """The orders, open and ended, filtered and sorted; by the time of the ledger and by the
        revision that placed them."""
        return list_orders(self._desk, query)

    @get("/history/epochs", types=("text/csv",))
    def filter_epochs(self, query: EpochQuery) -> Answer[EpochRows] | Response:
        """The epochs, filtered and sorted, with their sums."""
        if query.form is None:
            return Answer(epoch_page(self._desk, self._services, query.question))
        found = _find_epochs(self._desk, self._services, query.question)
        if not found.progress.is_complete:
            raise unfinished(found.progress)
        rows = map(found.row, found.epochs)
        return download("epochs", query.form, FILE_COLUMNS["epochs"], rows)

    @get("/history/entries/<place>", 422, texts={404: "There is no such entry"})
    def read_entry(self, place: EntryPlace) -> Answer[FoundEntry]:
        """One entry whole, with its fill and its effect."""
        return Answer(found_entry(self._desk, self._services, place))

    def _list(self, table: Table, query: ListQuery) -> Answer[Any] | Response:
        if query.form is None:
            return Answer(history_page(self._desk, self._services, query.question))
        records = self._desk.ledger.records(query.question)
        rows = map(_row_maker(table, self._desk, self._services), records)
        return download(table, query.form, FILE_COLUMNS[table], rows)


def history_page(desk: Desk, services: Services, question: Question) -> Mapping[str, Any]:
    """The page that ``question`` asks for, of any of the lists."""
    if question.table == "epochs":
        return epoch_page(desk, services, question)
    if question.table == "orders":
        return _order_page(desk, question)
    answer = desk.ledger.answer(question)
    rows = map(_row_maker(question.table, desk, services), answer.rows)
    return _page({"rows": list(rows)}, answer.total, question, answer.progress)


def _row_maker(
    table: Table, desk: Desk, services: Services
) -> Callable[[LedgerRecord], Mapping[str, Any]]:
    market, names = desk.market, services.bot_names() if table == "trades" else {}
    return lambda record: history_row(table, record, market, names)


class _FoundEpochs(NamedTuple):
    """The epochs that a question asks for, in its order, and what makes the row of one."""

    epochs: Sequence[Epoch]
    row: Callable[[Epoch], EpochRow]
    progress: Progress


def epoch_page(desk: Desk, services: Services, question: Question) -> EpochRows:
    """The page of the epochs that ``question`` asks for, with the figures that a screen shows."""
    found = _find_epochs(desk, services, question)
    end = None if question.limit is None else question.offset + question.limit
    return {
        "rows": list(map(found.row, found.epochs[question.offset : end])),
        "figures": listed(FIGURES),
        "total": len(found.epochs),
        "offset": question.offset,
        "index": found.progress,
    }


def _find_epochs(desk: Desk, services: Services, question: Question) -> _FoundEpochs:
    measure = services.equity.of_epoch
    newest = max(map(int, question.one_of.get("epoch", ())), default=None)
    listed_epochs = desk.ledger.epoch_list(newest=newest)
    # Taken after them, so that none of them is of later than now.
    snapshot = desk.snapshot()
    present = Present(snapshot.epoch, from_iso(snapshot.as_of), desk.market.decimals)

    def row(epoch: Epoch) -> EpochRow:
        return epoch_row(epoch, measure(epoch.epoch), present)

    found = fitting(listed_epochs.epochs, question)
    return _FoundEpochs(in_order(found, question, present, measure), row, listed_epochs.progress)


def found_entry(desk: Desk, services: Services, place: str) -> FoundEntry:
    """The entry at ``place`` whole, with the places of its neighbours.

    Raises:
        InvalidRequest: that is no place.
        UnknownEntry: there is none.
    """
    found = desk.ledger.entry(_place(place))
    if found is None:
        raise UnknownEntry(
            f"There is no entry {place[:40]}. The ledger lists those that there are."
        )
    return {
        "entry": whole_entry(found.record, desk.market, services.bot_names()),
        "before": None if found.before is None else cursor(found.before),
        "after": None if found.after is None else cursor(found.after),
        "offset": found.offset,
        "index": desk.ledger.progress,
    }


def list_orders(
    desk: Desk, query: ListQuery, name: str = "rows", **more: Any
) -> Answer[Any] | Response:
    """The orders that ``query`` asks ``desk`` for: a page, with them under ``name`` and ``more``
    beside them, or a file."""
    ledger, market = desk.ledger, desk.market
    if query.form is not None:
        rows = (order_record_row(each, market) for each in ledger.orders.all(query.question))
        return download("orders", query.form, FILE_COLUMNS["orders"], rows)
    return Answer(_order_page(desk, query.question, name, more))


def _order_page(
    desk: Desk,
    question: Question,
    name: str = "rows",
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Mapping[str, Any]:
    answer = desk.ledger.orders.page(question)
    rows = [order_record_row(each, desk.market) for each in answer.rows]
    return _page({name: rows, **more}, answer.total, question, answer.progress)


def _page(
    found: Mapping[str, Any], total: int | None, question: Question, progress: Progress
) -> Mapping[str, Any]:
    """What is ``found``, and which page it is of ``question``."""
    return {**found, "total": total, "offset": question.offset, "index": progress}


def _place(text: str) -> Place:
    try:
        return place_of(text)
    except InvalidRequest as fault:
        raise InvalidRequest(
            "An entry is named by its revision, such as 42, or 42.3 for its third line, "
            f"not {text[:40]!r}."
        ) from fault
