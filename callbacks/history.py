"""The History tab: the address says which list it shows; its rows, its filters and what is said of
them come from here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dash import (
    ALL,
    MATCH,
    ClientsideFunction,
    Dash,
    Input,
    Output,
    State,
    ctx,
    no_update,
    set_props,
)
from dash.development.base_component import Component

from balance.api.history import history_page
from balance.api.problems import problem_of
from balance.api.services import Services
from balance.core.errors import BalanceError
from balance.desk.desk import Desk
from balance.history.question import PERSON, SORTS, Listed, Question, parse_question
from balance.performance.epochs import EPOCH_SORTS
from layouts.history import (
    BLOCK,
    COLUMNS,
    FOUND,
    GRID,
    NEWER,
    NEWS,
    ROWS,
    TABLE,
    VIEW,
    empty_states,
    table_links,
)
from layouts.history_columns import grid_row
from layouts.history_filters import (
    COUNT,
    ERROR,
    FIELD,
    FILTER,
    PRESET,
    Choices,
    chips,
    filter_bar,
    options,
)
from layouts.history_view import PATH, View

_LOG = logging.getLogger(__name__)
_FAILED: Final = (
    "The rows could not be read by a fault of the program; the log of the server says more."
)


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Let the address choose the list, and ``desk`` and ``services`` fill it."""
    _register_page(app)
    path = app.get_relative_path(PATH)

    # The grid comes into the page later: what has an Output beside it would wait for it.
    @app.callback(
        Output(GRID, "getRowsResponse"), Input(GRID, "getRowsRequest"), State(ROWS, "data")
    )
    def fill(request: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> Any:
        if request is None or wanted is None:
            return no_update
        first = request["startRow"]
        found = {"number": wanted["number"], "problem": "", "is_refused": False}
        try:
            page = history_page(desk, services, _question(wanted, offset=first, limit=BLOCK))
        except Exception as fault:
            set_props(FOUND, {"data": {**found, **_problem(fault)}})
            # Without an answer the grid would wait for ever.
            return {"rowData": [], "rowCount": None}
        rows, total = page["rows"], page["total"]
        if total is None and len(rows) < BLOCK:
            total = first + len(rows)
        if first == 0 or not page["index"].is_complete:
            set_props(FOUND, {"data": {**found, "total": page["total"], **_index(page)}})
        year = str(datetime.now(UTC).year)
        table = View.of(wanted).table
        return {
            "rowData": [grid_row(table, each, year, path) for each in rows],
            "rowCount": total,
        }

    @app.callback(Output("history-filters", "children"), Input(TABLE, "data"), State(VIEW, "data"))
    def draw_filters(table: Listed, view: Mapping[str, Any]) -> list[Component]:
        known = View.of(view)
        shown = known if known.table == table else known.turned(table)
        return filter_bar(shown, _choices(desk, services))

    @app.callback(
        Output({"type": FILTER, "name": MATCH}, "options"),
        Input({"type": FIELD, "name": MATCH}, "n_clicks"),
        State({"type": FILTER, "name": MATCH}, "value"),
    )
    def renew_choices(clicks: int | None, chosen: list[str]) -> Any:
        if not clicks:
            return no_update
        return options(ctx.triggered_id["name"], _choices(desk, services), chosen)

    @app.callback(
        Output("history-tables", "children"),
        Output("history-chips", "children"),
        Output("history-empty", "children"),
        Input(VIEW, "data"),
    )
    def describe(data: Mapping[str, Any]) -> tuple[list[Component], ...]:
        view = View.of(data)
        choices = _choices(desk, services) if view.filters else {}
        return table_links(view, path), chips(view, choices, path), empty_states(view, path)

    @app.callback(Output(NEWER, "data"), Input(NEWS, "data"))
    def count_newer(wanted: Mapping[str, Any]) -> dict[str, Any]:
        after = max(int(wanted["filters"].get("after") or 0), wanted["until"] or 0)
        question = _question({**wanted, "until": None}, after=after, limit=1)
        page = history_page(desk, services, question)
        one, several = ("epoch", "epochs") if wanted["table"] == "epochs" else ("entry", "entries")
        count = page["total"] or 0
        return {
            **{name: wanted[name] for name in ("number", "until")},
            "count": count,
            "text": f"1 new {one}" if count == 1 else f"{count:,} new {several}",
            **_index(page),
        }

    @app.callback(Input(PRESET, "data"))
    def fill_in(pressed: Mapping[str, str]) -> None:
        if pressed["name"] == "epoch":
            values = {"epoch": str(desk.snapshot().epoch)}
        else:
            day = datetime.now(UTC) - timedelta(days=int(pressed["name"]))
            values = {"from": f"{day.date()}T00:00", "to": ""}
        for name, value in values.items():
            set_props({"type": FILTER, "name": name}, {"value": value})


def _register_page(app: Dash) -> None:
    """What the page does by itself: it reads and writes the address, and drives the grid."""
    app.clientside_callback(
        ClientsideFunction("desk", "chooseHistory"),
        Output(VIEW, "data"),
        Output(TABLE, "data"),
        Output(ROWS, "data"),
        Input("address", "pathname"),
        Input("address", "search"),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "listHistory"),
        Output(GRID, "columnDefs"),
        Input(ROWS, "data"),
        State(COLUMNS, "data"),
        # The grid may come after the list was chosen.
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "describeHistory"),
        Output("history-pager", "data-found"),
        Input(FOUND, "data"),
        Input(NEWER, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "fillHistory"),
        Output({"type": FILTER, "name": ALL}, "value"),
        Output({"type": COUNT, "name": ALL}, "children"),
        Input(VIEW, "data"),
        State({"type": FILTER, "name": ALL}, "value"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "filterHistory"),
        Output({"type": ERROR, "name": ALL}, "children"),
        Input({"type": FILTER, "name": ALL}, "value"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "focusHistory"),
        Output("history-chips", "data-focused"),
        Input("history-chips", "children"),
    )


def _question(wanted: Mapping[str, Any], **more: int) -> Question:
    """The question for rows of the list that is ``wanted``, up to its revision; ``more`` are other
    parameters of its route.

    Raises:
        InvalidRequest: the address says what makes no sense.
    """
    view = View.of(wanted)
    ends = [
        int(each or 0) for each in (view.filters.get("until"), wanted["until"]) if _is_whole(each)
    ]
    params = {
        **view.filters,
        **({"until": str(min(ends))} if ends else {}),
        **({"sort": view.sort} if view.sort else {}),
        **{name: str(value) for name, value in more.items()},
    }
    sorts = EPOCH_SORTS if view.table == "epochs" else SORTS[view.table]
    return parse_question(view.table, params, sorts)


def _is_whole(text: object) -> bool:
    return str(text).isdecimal()


def _problem(fault: Exception) -> dict[str, Any]:
    """What the page says of ``fault``; it asks again by itself unless the request was wrong."""
    if isinstance(fault, BalanceError):
        problem = problem_of(fault)
        return {"problem": problem["detail"], "is_refused": problem["status"] != 503}
    _LOG.error("The rows of a list could not be read.", exc_info=fault)
    return {"problem": _FAILED, "is_refused": True}


def _index(page: Mapping[str, Any]) -> dict[str, Any]:
    index = page["index"]
    text = f"Indexing {int(index.percent)} %: filters, orders and counts still miss newer entries."
    return {"indexing": "" if index.is_complete else text}


def _choices(desk: Desk, services: Services) -> Choices:
    """The symbols and the owners that there are or were."""
    symbols, owners = dict.fromkeys(desk.market.instruments), {PERSON: "You"}
    with suppress(BalanceError):
        symbols |= dict.fromkeys(desk.ledger.values("symbol"))
        owners |= {each: each for each in desk.ledger.values("owner") if each != PERSON}
    owners |= services.bot_names()
    with suppress(BalanceError):
        owners |= {each["name"]: each["name"] for each in services.keys.listed()["keys"]}
    return {"symbol": {each: each for each in symbols}, "owner": owners}
